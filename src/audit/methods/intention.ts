/**
 * Rewrites a call of one library for another: the same intention, with the arguments that exist there.
 * Arguments and methods that have no counterpart become gaps, which a report names.
 * Source: docs/reference/python-memcached.md#10, #12; docs/reference/pylibmc.md#5.
 */
import { signatureOf } from '../../rules/signatures.js'
import type { Bound, Library, LibraryName, PythonCall } from './python-signatures.js'

/** A method or argument that only one library has. */
export interface Gap {
  readonly kind: 'argument' | 'method'
  /** Parameter or method name in the library the call came from. */
  readonly name: string
  readonly text: string
}

export interface Translation {
  readonly call: PythonCall
  readonly gaps: readonly Gap[]
}

/** CAS uniques that a replay saw, by key. */
export interface Tokens {
  get(key: unknown): bigint | undefined
}

/** Parameters that have another name in the other library, by one name for all. */
const commonNames: Readonly<Record<string, string>> = {
  seconds: 'time',
  arg: 'argument',
  stat_args: 'argument',
  mapping: 'keys',
}
/** Optional parameters that are usually given by position. */
const positional = new Set(['default', 'delta', 'argument'])

const common = (name: string): string => commonNames[name] ?? name

/** pymemcache's names of methods and parameters, with the names that the two others share. */
const fromPymemcache: Readonly<Record<string, string>> = {
  get_many: 'get_multi',
  set_many: 'set_multi',
  delete_many: 'delete_multi',
  stats: 'get_stats',
  close: 'disconnect_all',
  __getitem__: 'get',
  __setitem__: 'set',
  __delitem__: 'delete',
}
const pymemcacheParameters: Readonly<Record<string, string>> = {
  expire: 'time',
  value: 'val',
  values: 'keys',
}

function inCommonWords(call: string, bound: Bound): { readonly call: string; readonly given: Bound } {
  const counts = call === 'incr' || call === 'decr'
  const given = Object.entries(bound).map(([name, value]): [string, unknown] => [
    counts && name === 'value' ? 'delta' : (pymemcacheParameters[name] ?? name),
    value,
  ])
  return { call: fromPymemcache[call] ?? call, given: Object.fromEntries(given) }
}

/**
 * @param original the call as the application made it
 * @param bound its arguments as the library `from` understood them
 * @param tokens CAS uniques of earlier `gets` of the same client in the replay, for `cas`
 */
export function translate(
  from: Library,
  to: Library,
  original: PythonCall,
  bound: Bound,
  tokens: Tokens,
): Translation {
  if (from.name === to.name) return { call: original, gaps: [] }
  const { call, given } =
    from.name === 'pymemcache' ? inCommonWords(original.call, bound) : intended(original.call, bound)
  const signature = signatureOf(to.name, to.version, call)
  if (!signature) return { call: { call, args: [], kwargs: {} }, gaps: [missing(call, to.name)] }
  const left = new Map(Object.entries(given))
  const args: unknown[] = []
  const kwargs: Record<string, unknown> = {}
  for (const [i, parameter] of signature.parameters.entries()) {
    const name = [...left.keys()].find((name) => common(name) === common(parameter))
    // pylibmc asks for the CAS unique, which python-memcached keeps itself.
    const value =
      parameter === 'cas' ? tokens.get(given.key) : name === undefined ? undefined : left.get(name)
    if (name !== undefined) left.delete(name)
    if (value === undefined) {
      if (call === 'touch' && i < signature.required) args.push(0)
    } else if ((i < signature.required && parameter !== 'cas') || positional.has(common(parameter)))
      args.push(value)
    else kwargs[parameter] = value
  }
  const gaps = [...left]
    .filter(([name, value]) => name !== 'cas' && meansSomething(value))
    .map(
      ([name]): Gap => ({
        kind: 'argument',
        name,
        text: `${call}(${name}=…) does not exist in ${to.name}: left out`,
      }),
    )
  return { call: { call, args, kwargs }, gaps }
}

/** The intended method, with the arguments that the other library needs. */
function intended(call: string, bound: Bound): { readonly call: string; readonly given: Bound } {
  const { expected: _, cmd, ...rest } = bound
  const given = Object.fromEntries(Object.entries(rest).filter(([name, value]) => !isNothing(name, value)))
  return call === '_deletetouch' ? { call: String(cmd), given } : { call, given }
}

/** python-memcached treats an empty prefix as none, and pylibmc refuses None; get_stats without an argument has None there. */
function isNothing(name: string, value: unknown): boolean {
  if (name === 'stat_args') return value === null
  return name === 'key_prefix' && (value === '' || (value instanceof Uint8Array && value.length === 0))
}

/** Whether an argument has an effect: a flag that is off, and a time of None or 0, have none. */
function meansSomething(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== 0
}

function missing(call: string, to: LibraryName): Gap {
  return { kind: 'method', name: call, text: `${call}() does not exist in ${to}` }
}
