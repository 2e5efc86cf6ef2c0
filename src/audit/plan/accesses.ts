/** The accesses of a trace to items, key by key, which is all that a plan needs. Pure. */
import { MAX_RELATIVE_TIME } from '../../ground/limits.js'
import { fromTypedJson, PyFloat, type TypedJson } from '../../values/index.js'
import { bind, type Library } from '../methods/python-signatures.js'
import { touchedKeys } from '../methods/touched-keys.js'
import type { CallEvent } from '../traces/trace.js'

/** One key of one call. */
export interface Access {
  /** Seconds of the trace. */
  readonly t: number
  readonly kind: 'read' | 'set' | 'add' | 'change' | 'count' | 'touch' | 'delete'
  /** On the wire, one character per byte. */
  readonly key: string
  /** The length of a stored value, as typed JSON. */
  readonly bytes: number
  /** The remaining seconds of the item; Infinity: it does not expire; 0 and less: it is gone at once. */
  readonly ttl: number
  /** Whether there was an item, for reads with a recorded result. */
  readonly hit?: boolean
}

const kinds: Readonly<Record<string, Access['kind']>> = {
  get: 'read',
  gets: 'read',
  get_multi: 'read',
  get_many: 'read',
  gets_many: 'read',
  __getitem__: 'read',
  set: 'set',
  set_multi: 'set',
  set_many: 'set',
  __setitem__: 'set',
  add: 'add',
  add_multi: 'add',
  replace: 'change',
  append: 'change',
  prepend: 'change',
  cas: 'change',
  incr: 'count',
  decr: 'count',
  incr_multi: 'count',
  touch: 'touch',
  delete: 'delete',
  delete_multi: 'delete',
  delete_many: 'delete',
  _deletetouch: 'delete',
  __delitem__: 'delete',
}

/** @param epoch Unix time in seconds at the start of the trace @returns nothing for calls without keys and for wrong ones */
export function accessesOf(event: CallEvent, library: Library, epoch: number): readonly Access[] {
  const kind = kinds[event.call]
  if (kind === undefined) return []
  try {
    const kwargs = Object.entries(event.kwargs).map(([name, value]) => [name, fromTypedJson(value)])
    const call = {
      call: event.call,
      args: event.args.map(fromTypedJson),
      kwargs: Object.fromEntries(kwargs) as Record<string, unknown>,
    }
    const bound = bind(library, call)
    const keys = touchedKeys(bound)
    const ttl = ttlOf(bound.time ?? bound.seconds ?? bound.expire, epoch + event.t)
    const stored = kind === 'set' || kind === 'add' || kind === 'change'
    const length = stored ? JSON.stringify(event.args[1] ?? event.args[0] ?? '').length : 0
    const bytes = event.call.endsWith('_multi') ? Math.round(length / Math.max(1, keys.length)) : length
    return keys.map((key) => {
      const hit = kind === 'read' ? wasThere(event, key, keys.length) : undefined
      return { t: event.t, kind, key, bytes, ttl, ...(hit === undefined ? {} : { hit }) }
    })
  } catch {
    // Python would not have accepted the call, and no key is touched.
    return []
  }
}

function ttlOf(time: unknown, now: number): number {
  const value = time instanceof PyFloat ? time.value : Number(time ?? 0)
  if (!Number.isFinite(value) || value === 0) return Number.POSITIVE_INFINITY
  return value > MAX_RELATIVE_TIME ? value - now : value
}

function wasThere({ call, outcome }: CallEvent, key: string, keys: number): boolean | undefined {
  if (!outcome || 'raises' in outcome) return undefined
  const { result } = outcome
  if (call !== 'get_multi') return result !== null
  const names = namesOf(result)
  if (!names) return undefined
  if (names.length === keys) return true
  // Keys of the result are the caller's own, without the prefix.
  return names.some((name) => key.endsWith(name))
}

function namesOf(result: TypedJson): readonly string[] | undefined {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return undefined
  const { $dict: pairs } = result as { readonly $dict?: TypedJson }
  if (!Array.isArray(pairs)) return Object.keys(result)
  return pairs.map((pair) => (Array.isArray(pair) ? String(pair[0]) : ''))
}
