/**
 * A call of python-memcached or pylibmc in pymemcache's form, as a team would write it, and its result in the form that the application expects.
 * Source: docs/reference/pymemcache.md#6.
 */
import { signatureOf } from '../../rules/signatures.js'
import { fromTypedJson, PyTuple, toTypedJson } from '../../values/index.js'
import type { Outcome } from '../compare/outcome.js'
import type { Gap } from '../methods/intention.js'
import { type Bound, bind, type Library, type PythonCall } from '../methods/python-signatures.js'
import { keyBytes } from '../methods/touched-keys.js'

export interface Repaired {
  readonly call: PythonCall
  readonly gaps: readonly Gap[]
  /** Converts the result into the form of the application's library. */
  readonly result?: (outcome: Outcome) => Outcome
}

/** Parameters that have another name in pymemcache. */
const names: Readonly<Record<string, string>> = {
  val: 'value',
  time: 'expire',
  seconds: 'expire',
  mapping: 'values',
  delta: 'value',
}
/** Arguments that can be left out without an effect. */
const withoutEffect = new Set(['min_compress_len', 'compress_level'])

/** @throws SignatureError for a call that the application's own library refuses */
export function inPymemcacheWords(
  source: Library,
  target: Library,
  call: PythonCall,
  tokens: Map<string, Uint8Array>,
): Repaired {
  const bound = bind(source, call)
  const { call: method, given } = intended(call.call, bound)
  const signature = signatureOf('pymemcache', target.version, method)
  if (!signature)
    return {
      call: { call: method, args: [], kwargs: {} },
      gaps: [{ kind: 'method', name: method, text: `${method}() does not exist in pymemcache` }],
    }
  const kwargs: Record<string, unknown> = {}
  const gaps: Gap[] = []
  for (const [name, value] of Object.entries(given)) {
    const own = method === 'set_multi' && name === 'keys' ? 'values' : (names[name] ?? name)
    if (signature.parameters.includes(own) && !(method === 'delete' && own === 'expire')) kwargs[own] = value
    else if (!withoutEffect.has(name) && meansSomething(value))
      gaps.push({
        kind: 'argument',
        name,
        text: `${method}(${name}=…) does not exist in pymemcache: left out`,
      })
  }
  if (method === 'incr' || method === 'decr') kwargs.value ??= 1
  if (method === 'gets')
    return {
      call: { call: method, args: [], kwargs },
      gaps,
      result: (outcome) => keepToken(source, tokens, bound.key, outcome),
    }
  if (method === 'cas' && source.name === 'python-memcached') {
    const token = tokens.get(keyBytes(bound.key))
    if (token === undefined) return { call: { call: 'set', args: [], kwargs }, gaps }
    kwargs.cas = token
  }
  return { call: { call: method, args: [], kwargs }, gaps }
}

function intended(call: string, bound: Bound): { readonly call: string; readonly given: Bound } {
  if (call !== '_deletetouch') return { call, given: bound }
  const { expected: _, cmd, ...given } = bound
  return { call: String(cmd), given }
}

function meansSomething(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && value !== 0 && value !== ''
}

/** pymemcache's gets gives the value and the CAS unique as bytes. */
function keepToken(
  source: Library,
  tokens: Map<string, Uint8Array>,
  key: unknown,
  outcome: Outcome,
): Outcome {
  if ('raises' in outcome) return outcome
  const pair = fromTypedJson(outcome.result)
  if (!(pair instanceof PyTuple)) return outcome
  const [value, token] = pair.items
  if (token instanceof Uint8Array) tokens.set(keyBytes(key), token)
  return source.name === 'pylibmc' ? outcome : { result: toTypedJson(value) }
}
