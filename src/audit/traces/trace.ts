/**
 * The trace model: one event per line of JSON Lines, checked field by field.
 * Format: docs/formats.md, "Traces". Reading files is `trace-file.ts`.
 */
import { type CaptureKind, captureBlindness } from '../../capture/index.js'
import { shown } from '../../ground/arguments.js'
import type { Bytes } from '../../ground/bytes.js'
import { WrittenBytesError, writtenBytes } from '../../ground/written-bytes.js'
import { type Fault, FaultError, parseFault } from '../../server/index.js'
import { PyTuple, type TypedJson } from '../../values/index.js'
import type { Outcome } from '../compare/outcome.js'
import { isRecord, nestingLimit, tooDeep } from './json.js'
import type { Survey } from './survey.js'

/** What the header's `format` says. */
export const traceFormat = 'memshim-trace/1'

/** The first line of a trace (docs/formats.md). */
export interface TraceHeader {
  readonly format: typeof traceFormat
  /** The library that the application used; its methods, arguments and results are in the events. */
  readonly library: 'python-memcached' | 'pylibmc'
  readonly version: string
  /** How many servers the application had. */
  readonly servers: number
  readonly python?: string
  readonly source?: string
  /** Date or date and time (ISO 8601). */
  readonly recorded?: string
  /** Unix time in seconds at `t` = 0, for absolute expiry times; without it `recorded` is taken. */
  readonly epoch?: number
  /** The version of memcached that the application used. */
  readonly server_version?: string
  /** The part of the keys that was recorded, above 0 and below 1; absent when every key was. */
  readonly sample?: number
  /** Values were replaced by others of the same type and length. */
  readonly redacted?: boolean
  /** The commands were captured on the network or told by the servers: how (docs/record.md). */
  readonly captured?: CaptureKind
  /** Keys were replaced by hashes. */
  readonly hashed_keys?: boolean
  /** Versions of the frameworks that called the library, by the name of their distribution. */
  readonly frameworks?: Readonly<Record<string, string>>
}

/** A server spec as Python code wrote it: `'host:port'`, or `['host:port', weight]`. */
export type TracedServer = string | readonly [string, number]

interface Placed {
  /** Line in the file, from 1: the header is line 1. */
  readonly line: number
  /** Seconds since the start of the trace. */
  readonly t: number
}

/** A constructor call. */
export interface NewEvent extends Placed {
  readonly kind: 'new'
  readonly client: string
  readonly servers: readonly TracedServer[]
  readonly kwargs: Readonly<Record<string, TypedJson>>
  /** As of a call. */
  readonly at?: string
  readonly via?: readonly string[]
}

/** One call of the application, with what came of it. */
export interface CallEvent extends Placed {
  readonly kind: 'call'
  readonly client: string
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly kwargs: Readonly<Record<string, TypedJson>>
  /** What the original library did; absent when it was not recorded. */
  readonly outcome?: Outcome
  /** Where in the application. */
  readonly at?: string
  /** Functions of frameworks between the library and that place, innermost first: `module:function`. */
  readonly via?: readonly string[]
}

/** One command as a capture on the network saw it. */
export interface WireEvent extends Placed {
  readonly kind: 'wire'
  readonly client: string
  /** One command with its data block. */
  readonly wire: Bytes
  readonly server: number
  /** null when the server did not answer. */
  readonly reply?: Bytes | null
  readonly at?: string
}

/** A fault of a server at that moment (docs/formats.md). */
export interface FaultEvent extends Placed {
  readonly kind: 'fault'
  readonly fault: Fault
}

/** Something about the file that the report should say, e.g. that its last line is cut. */
export interface NoteEvent extends Placed {
  readonly kind: 'note'
  readonly text: string
}

/** One line of a trace after its header. */
export type TraceEvent = NewEvent | CallEvent | WireEvent | FaultEvent | NoteEvent

/** A trace that can be read more than once. */
export interface Trace {
  /** How it is named in reports. */
  readonly name: string
  readonly header: TraceHeader
  events(): AsyncIterable<TraceEvent> | Iterable<TraceEvent>
  /** The files that it is read from. */
  readonly files?: readonly string[]
  /** What can be told without reading every event; undefined, and absent: nothing can. */
  survey?(): Promise<Survey | undefined>
}

/** @throws TypeError for what is no `Trace` */
export function checkTrace(trace: unknown): asserts trace is Trace {
  const { name, header, events } = isRecord(trace) ? trace : {}
  const whole = typeof name === 'string' && isRecord(header) && typeof events === 'function'
  if (!whole)
    throw new TypeError(`trace is ${shown(trace)}, not what readTrace, readScenario or traceOf return`)
}

/** A file that is not a trace, or a line of it that is wrong: names file, line and field. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
  constructor(
    /** The file, when it is known. */
    readonly source: string | undefined,
    /** From 1; 0 when the file as a whole is meant. */
    readonly line: number,
    readonly field: string | undefined,
    readonly problem: string,
  ) {
    const where = [source, line > 0 ? `line ${line}` : undefined, field && `field "${field}"`]
      .filter(Boolean)
      .join(', ')
    super(`${where}${where === '' ? '' : ': '}${problem}`)
  }
}

/** What a reader of a report has to know about the way its trace was recorded. */
export function recordingNotes({
  sample,
  redacted,
  captured,
  hashed_keys: hashed,
}: TraceHeader): readonly string[] {
  const notes: string[] = []
  if (captured !== undefined)
    for (const text of captureBlindness[captured])
      notes.push(`recorded from ${captured}, which cannot see this: ${text}`)
  if (hashed)
    notes.push(
      'the keys in the trace are hashes: prefixes, characters, lengths below 16 and the place among the servers are not the real ones',
    )
  if (sample !== undefined && sample < 1) {
    notes.push(
      `the trace holds ${Number((sample * 100).toPrecision(3))} % of the keys (sampled): multiply counts by ${Number((1 / sample).toPrecision(3))}`,
    )
  }
  if (redacted) {
    notes.push(
      'the values in the trace are redacted: types and lengths are the real ones, contents and how well they compress are not',
    )
  }
  return notes
}

type Fields = Readonly<Record<string, unknown>>

/** Bytes of a command or a reply of a capture. */
const longestBytes = 16 * 1024 * 1024
/** Most servers that a header or a constructor may name. */
const mostServers = 1000
/** Seconds. More than thirty years are a typing error. */
const latestTime = 1e9
/** Unix time in seconds: the year 5138. */
const latestEpoch = 1e11

/** @throws TraceError naming line and field. */
export function parseHeader(text: string, source?: string): TraceHeader {
  const row = new Row(text, 1, source)
  const format = row.text('format')
  if (format !== traceFormat) {
    const known = format.startsWith('memshim-trace/')
      ? 'a newer trace format than this memshim reads'
      : 'not a trace'
    throw row.error('format', `${known}: "${format}" (expected "${traceFormat}")`)
  }
  const library = row.text('library')
  if (library !== 'python-memcached' && library !== 'pylibmc') {
    throw row.error('library', `"${library}" is not known (python-memcached, pylibmc)`)
  }
  const servers = row.number('servers')
  if (!Number.isInteger(servers) || servers < 1 || servers > mostServers) {
    throw row.error('servers', `${servers} is not a number of servers from 1 to ${mostServers}`)
  }
  return {
    format,
    library,
    version: row.text('version'),
    servers,
    ...row.optionalTexts('python', 'source', 'recorded', 'server_version'),
    ...('epoch' in row.fields ? { epoch: row.numberUpTo('epoch', latestEpoch) } : {}),
    ...row.recording(),
  }
}

/** @throws TraceError naming line and field. */
export function parseEvent(text: string, line: number, source?: string): TraceEvent {
  const row = new Row(text, line, source)
  const { fields } = row
  const t = row.numberUpTo('t', latestTime)
  if ('call' in fields) {
    return {
      kind: 'call',
      line,
      t,
      client: row.text('client'),
      call: row.text('call'),
      args: 'args' in fields ? row.list('args') : [],
      kwargs: 'kwargs' in fields ? row.record('kwargs') : {},
      ...row.outcome(),
      ...row.optionalTexts('at'),
      ...('via' in fields ? { via: row.texts('via') } : {}),
    }
  }
  if ('new' in fields) {
    const made = new Row(row.record('new'), line, source, 'new.')
    const servers = made.list('servers')
    if (servers.length > mostServers)
      throw made.error('servers', `names ${servers.length} servers, more than ${mostServers}`)
    const wrong = servers.findIndex((spec) => tracedServer(spec) === undefined)
    if (wrong >= 0) throw made.error(`servers[${wrong}]`, 'is neither "host:port" nor ["host:port", weight]')
    return {
      kind: 'new',
      line,
      t,
      client: row.text('client'),
      servers: servers.map((spec) => tracedServer(spec)!),
      kwargs: 'kwargs' in made.fields ? made.record('kwargs') : {},
      ...row.optionalTexts('at'),
      ...('via' in fields ? { via: row.texts('via') } : {}),
    }
  }
  if ('wire' in fields) {
    const server = row.number('server')
    if (!Number.isInteger(server) || server < 0) throw row.error('server', `${server} is not a server index`)
    const reply = fields.reply
    return {
      kind: 'wire',
      line,
      t,
      client: row.text('client'),
      wire: row.bytes('wire'),
      server,
      ...(reply === undefined ? {} : { reply: reply === null ? null : row.bytes('reply') }),
      ...row.optionalTexts('at'),
    }
  }
  if ('fault' in fields) {
    return { kind: 'fault', line, t, fault: readFault(fields, (field, problem) => row.error(field, problem)) }
  }
  const kinds = Object.keys(fields).filter((name) => !['t', 'client', 'at'].includes(name))
  throw row.error(kinds[0] ?? 'call', 'is no known event: a line holds one of call, new, wire, fault')
}

/** The servers of a `set_servers` call, from typed JSON or the lossless tree; undefined when it is no list of servers. */
export function tracedServers(value: unknown): readonly TracedServer[] | undefined {
  const list = items(value)
  if (!list || list.length > mostServers) return undefined
  const servers = list.map(tracedServer)
  return servers.every((server) => server !== undefined) ? servers : undefined
}

function tracedServer(spec: unknown): TracedServer | undefined {
  if (typeof spec === 'string') return spec
  const pair = items(spec)
  const [address, weight] = pair ?? []
  return pair?.length === 2 && typeof address === 'string' && typeof weight === 'number'
    ? [address, weight]
    : undefined
}

/** Of a list or tuple. */
function items(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (value instanceof PyTuple) return value.items
  if (isRecord(value) && Object.hasOwn(value, '$tuple')) return items(value.$tuple)
  return undefined
}

/** One line being read: every accessor checks its field and names it when it is wrong. */
class Row {
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
    if (tooDeep(value))
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

  /** How the tracer recorded: sampling, redaction, frameworks. */
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

/** A fault, or the error that `fail` makes of what is wrong with it. */
export function readFault(fields: object, fail: (field: string, problem: string) => Error): Fault {
  try {
    return parseFault(fields)
  } catch (error) {
    throw error instanceof FaultError ? fail(error.field, error.problem) : error
  }
}

function rowOf(...given: ConstructorParameters<typeof Row>): Row {
  return new Row(...given)
}
