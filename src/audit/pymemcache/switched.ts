/**
 * Behaviours of pymemcache that a replay can set to those of the application's library, one by one: an explanation is right if the
 * difference disappears with exactly these behaviours (docs/audit.md). Sources: docs/reference/pymemcache.md#5, #6, #7, #15 and the rows of the table of rules.
 */
import type { Serde } from '../../pymemcache/index.js'
import { cell } from '../../rules/index.js'
import {
  PyByteArray,
  pylibmcEncoding,
  pythonMemcachedEncoding,
  toTypedJson,
  type ValueEncoding,
} from '../../values/index.js'
import { sourceDialect } from '../columns.js'
import type { Outcome } from '../compare/outcome.js'
import { itemsOf } from '../methods/conversions.js'
import type { Bound, Library } from '../methods/python-signatures.js'

/** Findings that a replay can turn off. */
export const switchableFindings: ReadonlySet<string> = new Set([
  'pymemcache-serde',
  'pymemcache-text',
  'pymemcache-noreply',
  'pymemcache-positions',
  'pymemcache-oversize',
  'pymemcache-results',
  'pymemcache-delete',
])

/** Bytes of the largest value that the source sends. */
const SOURCE_LIMIT = 1024 * 1024
const stores = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas'])

/** pymemcache with some of its behaviours set to those of the application's library. */
export class Switched {
  constructor(
    private readonly names: ReadonlySet<string>,
    private readonly source: Library,
  ) {}

  /** The serde that replaces the target's; undefined if that stays. */
  get serde(): Serde | undefined {
    if (!this.names.has('pymemcache-serde') && !this.names.has('pymemcache-text')) return undefined
    const encoding = encodingOf(this.source)
    return {
      serialize(_key, value) {
        const { data, flags } = encoding.encode(value)
        return [data, flags]
      },
      deserialize: (_key, data, flags) => encoding.decode(flags, data),
    }
  }

  /** The arguments with their meaning in the source. */
  arguments(bound: Bound): Bound {
    const { noreply, flags, ...rest } = bound
    if (this.names.has('pymemcache-positions')) return { ...rest, noreply: false }
    if (!this.names.has('pymemcache-noreply')) return bound
    return flags === undefined ? { ...rest, noreply: false } : { ...rest, flags, noreply: false }
  }

  /** The outcome of a value that the source refuses to send; the stored one stays. */
  refused(call: string, { value }: Bound): Outcome | undefined {
    if (!this.names.has('pymemcache-oversize') || !stores.has(call)) return undefined
    const length = value instanceof PyByteArray ? value.bytes.length : lengthOf(value)
    if (length <= SOURCE_LIMIT) return undefined
    return this.source.name === 'pylibmc'
      ? { raises: { class: 'pylibmc.TooBig', retcode: 37 } }
      : { result: 0 }
  }

  /** Whether a call is made key by key, because its result says whether every key existed. */
  deletesEach(call: string): boolean {
    return call === 'delete_multi' && this.source.name === 'pylibmc' && this.names.has('pymemcache-results')
  }

  /** The result with the type of the source. */
  result(call: string, outcome: Outcome): Outcome {
    if (this.source.name !== 'python-memcached') return this.raised(call, outcome)
    if ('raises' in outcome) {
      // At the limit itself the value is sent, and the server's refusal is a result.
      const refused =
        outcome.raises.class.endsWith('.MemcacheServerError') && this.names.has('pymemcache-oversize')
      return refused && stores.has(call) ? { result: false } : outcome
    }
    const { result } = outcome
    // Then the call waits for refusals of the server, and its result has the spelling of the library.
    const waits = this.names.has('pymemcache-noreply') || this.names.has('pymemcache-positions')
    const spelled = this.names.has('pymemcache-results') || (waits && result === false)
    const missing = cell('missingDelete', 'python-memcached', this.source.version)
    if (call === 'delete' && result === false && (spelled || this.names.has('pymemcache-delete')))
      return { result: toTypedJson(missing) }
    if (!spelled || typeof result !== 'boolean') return outcome
    if (call === 'flush_all') return { result: null }
    if (call === 'delete' || call === 'delete_multi' || call === 'touch' || call === '_deletetouch')
      return { result: result ? 1 : 0 }
    return outcome
  }

  private raised(call: string, outcome: Outcome): Outcome {
    if (call === 'flush_all' && this.names.has('pymemcache-results') && 'result' in outcome)
      return { result: true }
    const missing = 'result' in outcome && outcome.result === null && (call === 'incr' || call === 'decr')
    return missing && this.source.name === 'pylibmc' && this.names.has('pymemcache-results')
      ? { raises: { class: 'pylibmc.NotFound', retcode: 16 } }
      : outcome
  }
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof Uint8Array) return value.length
  const items = value instanceof Map ? [...value.keys(), ...value.values()] : itemsOf(value)
  let length = 0
  for (const item of items ?? []) length += 1 + lengthOf(item)
  return length
}

function encodingOf(source: Library): ValueEncoding {
  if (source.name === 'pylibmc') return pylibmcEncoding({ preserve: true })
  const dialect = sourceDialect(source)
  return pythonMemcachedEncoding({ preserve: true, dialect, undecodablePickle: () => null })
}
