/**
 * A call of one library said in the words of the other: the same intention, with the arguments that exist there.
 * Arguments and methods that have no counterpart become gaps, which a report names.
 * Source: docs/reference/python-memcached.md#10, #12; docs/reference/pylibmc.md#5.
 */
import type { Bound, LibraryName, PythonCall } from './python-signatures.js'

/** Something that one library can say and the other cannot. */
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

/**
 * @param original the call as the application made it
 * @param bound its arguments as the library `from` understood them
 * @param tokens what earlier `gets` of the same client returned in the replay, for `cas`
 */
export function translate(
  from: LibraryName,
  to: LibraryName,
  original: PythonCall,
  bound: Bound,
  tokens: Tokens,
): Translation {
  const { call } = original
  if (from === to) return { call: original, gaps: [] }
  const words = from === 'python-memcached' ? toPylibmc(call, bound, tokens) : toPythonMemcached(call, bound)
  return words ?? { call: { call, args: [], kwargs: {} }, gaps: [missing(call, to)] }
}

function toPylibmc(call: string, bound: Bound, tokens: Tokens): Translation | undefined {
  const said = (args: readonly string[], options: readonly string[] = []) =>
    say(call, bound, args, options, 'pylibmc')
  switch (call) {
    case 'get':
    case 'incr':
    case 'decr':
      return said(['key', 'default', 'delta'].filter((name) => name in bound))
    case 'gets':
    case 'delete':
      return said(['key'])
    case 'touch':
      return say(call, { time: 0, ...bound }, ['key', 'time'], [], 'pylibmc')
    case '_deletetouch': {
      const { expected: _, cmd, ...rest } = bound
      return say(String(cmd), rest, cmd === 'touch' ? ['key', 'time'] : ['key'], [], 'pylibmc')
    }
    case 'get_multi':
    case 'delete_multi':
      return said(['keys'], prefixIn(bound))
    case 'set':
    case 'add':
    case 'replace':
    case 'append':
    case 'prepend':
      return said(['key', 'val'], ['time', 'min_compress_len'])
    case 'cas': {
      const token = tokens.get(bound.key)
      const { call: words, gaps } = said(['key', 'val'], ['time'])
      return token === undefined
        ? { call: words, gaps }
        : { call: { ...words, kwargs: { ...words.kwargs, cas: token } }, gaps }
    }
    case 'set_multi':
      return said(['mapping'], ['time', 'min_compress_len', ...prefixIn(bound)])
    case 'flush_all':
    case 'disconnect_all':
      return said([])
    case 'get_stats':
      return said(['stat_args'].filter((name) => name in bound && bound[name] !== null))
    default:
      return undefined
  }
}

function toPythonMemcached(call: string, bound: Bound): Translation | undefined {
  const said = (args: readonly string[], options: readonly string[] = []) =>
    say(call, bound, args, options, 'python-memcached')
  switch (call) {
    case 'get':
    case 'incr':
    case 'decr':
      return said(['key', 'default', 'delta'].filter((name) => name in bound))
    case 'gets':
    case 'delete':
      return said(['key'])
    case 'touch':
      return said(['key', 'seconds'])
    case 'get_multi':
    case 'delete_multi':
      return said(['keys'], prefixIn(bound))
    case 'set':
    case 'add':
    case 'replace':
    case 'append':
    case 'prepend':
      return said(['key', 'val'], ['time', 'min_compress_len'])
    case 'cas':
      // python-memcached keeps the CAS unique of the last gets itself.
      return { ...said(['key', 'val'], ['time']), gaps: [] }
    case 'set_multi':
      return said(['keys'], ['time', 'min_compress_len', ...prefixIn(bound)])
    case 'flush_all':
    case 'disconnect_all':
      return said([])
    case 'get_stats':
      return said(['arg'].filter((name) => name in bound))
    default:
      return undefined
  }
}

/** An empty prefix is no prefix in python-memcached, and pylibmc refuses None. */
function prefixIn(bound: Bound): readonly string[] {
  const prefix = bound.key_prefix
  return prefix === undefined || prefix === '' || (prefix instanceof Uint8Array && prefix.length === 0)
    ? []
    : ['key_prefix']
}

function say(
  call: string,
  bound: Bound,
  args: readonly string[],
  options: readonly string[],
  to: LibraryName,
): Translation {
  const used = new Set([...args, ...options, 'key_prefix'])
  const gaps = Object.keys(bound)
    .filter((name) => !used.has(name) && meansSomething(bound[name]))
    .map(
      (name): Gap => ({
        kind: 'argument',
        name,
        text: `${call}(${name}=…) does not exist in ${to}: left out`,
      }),
    )
  const kwargs = Object.fromEntries(
    options.filter((name) => name in bound).map((name) => [name, bound[name]]),
  )
  return { call: { call, args: args.map((name) => bound[name]), kwargs }, gaps }
}

/** A flag that is off, a time of None or 0: leaving it out changes nothing. */
function meansSomething(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== 0
}

function missing(call: string, to: LibraryName): Gap {
  return { kind: 'method', name: call, text: `${call}() does not exist in ${to}` }
}
