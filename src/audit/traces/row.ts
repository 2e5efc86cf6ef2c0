/** One line of a trace, field by field. Format: docs/formats.md, "Traces". */
import { type CaptureKind, captureBlindness } from '../../capture/index.js'
import type { Bytes } from '../../ground/bytes.js'
import { WrittenBytesError, writtenBytes } from '../../ground/written-bytes.js'
import type { TypedJson } from '../../values/index.js'
import type { Outcome } from '../compare/outcome.js'
import { isRecord, nestingLimit, tooDeep } from './json.js'
import { TraceError, type TraceHeader } from './trace.js'

type Fields = Readonly<Record<string, unknown>>

/** Bytes of a command or a reply of a capture. */
const longestBytes = 16 * 1024 * 1024

/** One line being read: every accessor checks its field and names it when it is wrong. */
export class Row {
  readonly fields: Fields
  constructor(
    content: string | Fields,
    private readonly line: number,
    private readonly source: string | undefined,
    private readonly prefix = '',
  ) {
    this.fields = typeof content === 'string' ? this.parse(content) : content
  }

  error(field: string, problem: string): TraceError {
    return new TraceError(this.source, this.line, this.prefix + field, problem)
  }

  private parse(text: string): Fields {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      throw new TraceError(this.source, this.line, undefined, `is not JSON: ${(error as Error).message}`)
    }
    if (!isRecord(value)) throw new TraceError(this.source, this.line, undefined, 'is not a JSON object')
    // Every level takes two characters.
    if (text.length > 2 * nestingLimit && tooDeep(value))
      throw new TraceError(this.source, this.line, undefined, `is nested deeper than ${nestingLimit}`)
    return value
  }

  text(name: string): string {
    const value = this.fields[name]
    if (typeof value === 'string') return value
    throw this.error(name, value === undefined ? 'is missing' : 'is not a string')
  }

  number(name: string): number {
    const value = this.fields[name]
    if (typeof value === 'number') return value
    throw this.error(name, value === undefined ? 'is missing' : 'is not a number')
  }

  /** From 0. */
  numberUpTo(name: string, most: number): number {
    const value = this.number(name)
    if (value >= 0 && value <= most) return value
    throw this.error(name, `${value} is not a time in seconds from 0 to ${most}`)
  }

  list(name: string): readonly TypedJson[] {
    const value = this.fields[name]
    if (Array.isArray(value)) return value
    throw this.error(name, value === undefined ? 'is missing' : 'is not a list')
  }

  record(name: string): Readonly<Record<string, TypedJson>> {
    const value = this.fields[name]
    if (isRecord(value)) return value as Readonly<Record<string, TypedJson>>
    throw this.error(name, value === undefined ? 'is missing' : 'is not an object')
  }

  texts(name: string): readonly string[] {
    const list = this.list(name)
    const wrong = list.findIndex((item) => typeof item !== 'string')
    if (wrong >= 0) throw this.error(`${name}[${wrong}]`, 'is not a string')
    return list as readonly string[]
  }

  /** The settings of the recording: sampling, redaction, frameworks. */
  recording(): Pick<TraceHeader, 'sample' | 'redacted' | 'captured' | 'hashed_keys' | 'frameworks'> {
    const { fields } = this
    const sample = 'sample' in fields ? this.number('sample') : undefined
    if (sample !== undefined && !(sample > 0 && sample <= 1))
      throw this.error('sample', `${sample} is not a part from 0 to 1`)
    const frameworks = 'frameworks' in fields ? this.record('frameworks') : undefined
    for (const [name, version] of Object.entries(frameworks ?? {}))
      if (typeof version !== 'string') throw this.error(`frameworks.${name}`, 'is not a string')
    const { captured } = fields
    if (
      captured !== undefined &&
      !(typeof captured === 'string' && Object.hasOwn(captureBlindness, captured))
    )
      throw this.error('captured', `is not one of ${Object.keys(captureBlindness).join(', ')}`)
    if ('redacted' in fields && typeof fields.redacted !== 'boolean')
      throw this.error('redacted', 'is neither true nor false')
    return {
      ...(sample === undefined ? {} : { sample }),
      ...(fields.redacted === true ? { redacted: true } : {}),
      ...(captured === undefined ? {} : { captured: captured as CaptureKind }),
      ...(fields.hashed_keys === true ? { hashed_keys: true } : {}),
      ...(frameworks ? { frameworks: frameworks as Readonly<Record<string, string>> } : {}),
    }
  }

  bytes(name: string): Bytes {
    try {
      return writtenBytes(this.fields[name], longestBytes)
    } catch (error) {
      throw error instanceof WrittenBytesError ? this.error(name, error.problem) : error
    }
  }

  outcome(): { readonly outcome?: Outcome } {
    const { fields } = this
    if ('raises' in fields) {
      if ('result' in fields) throw this.error('raises', 'and a result cannot both be the outcome of a call')
      const row = rowOf(this.record('raises'), this.line, this.source, `${this.prefix}raises.`)
      return {
        outcome: {
          raises: {
            class: row.text('class'),
            ...('retcode' in row.fields && row.fields.retcode !== null
              ? { retcode: row.number('retcode') }
              : {}),
            ...row.optionalTexts('message'),
          },
        },
      }
    }
    return 'result' in fields ? { outcome: { result: fields.result as TypedJson } } : {}
  }

  optionalTexts<Name extends string>(...names: Name[]): { readonly [name in Name]?: string } {
    const found: { [name in Name]?: string } = {}
    for (const name of names) {
      const value = this.fields[name]
      if (value === undefined || value === null) continue
      found[name] = this.text(name)
    }
    return found
  }
}

function rowOf(...given: ConstructorParameters<typeof Row>): Row {
  return new Row(...given)
}
