/** Calls of an application of pymemcache that are replayed on another library. Source: docs/reference/pymemcache.md#4, #5. */
import { KeyError } from '../../python/errors.js'
import { fromTypedJson, PyTuple, type TypedJson } from '../../values/index.js'
import type { Reason } from '../compare/divergence.js'
import { type Outcome, raised } from '../compare/outcome.js'
import { bind, type Library, type PythonCall, SignatureError } from '../methods/python-signatures.js'
import type { Source, Uniques } from '../replay/source.js'
import { bindPymemcache, isItemCall } from './calls.js'
import { CasUniques } from './cas-uniques.js'
import { signatureReason } from './explain.js'

export function pymemcacheSource(library: Library): Source {
  return {
    library,
    sharesConstructor: false,
    uniques,
    bind: (call) => bindPymemcache(library, 'Client', call),
    asItIs(target, call) {
      const reasons = unboundReasons(target, call)
      if (reasons.length === 0 || !isItemCall(call.call)) return { reasons }
      return { reasons, outcome: raised(new TypeError("'Client' object is not subscriptable")) }
    },
    resultOfGets: (pair) => pair,
    resultOf,
  }
}

function uniques(): Uniques {
  const kept = new CasUniques<number | bigint>()
  return {
    ownUnique(call) {
      const [key, value, token, ...rest] = call.args
      if (call.call !== 'cas' || !(token instanceof Uint8Array)) return call
      const own = kept.inPlaceOf(key, token)
      return own === undefined ? call : { ...call, args: [key, value, own, ...rest] }
    },
    keep({ call, args: [key] }, outcome, recorded) {
      if (call !== 'gets' || !recorded || 'raises' in recorded || 'raises' in outcome) return
      const [theirs, ours] = [fromTypedJson(recorded.result), fromTypedJson(outcome.result)]
      if (!(theirs instanceof PyTuple && ours instanceof PyTuple)) return
      const [token, own] = [theirs.items[1], ours.items[1]]
      if (token instanceof Uint8Array && (typeof own === 'number' || typeof own === 'bigint'))
        kept.keep(key, token, own)
    },
  }
}

/** The replay keeps its own CAS uniques; the application sees those that it got. */
function resultOf(call: string, outcome: Outcome, recorded: Outcome | undefined): Outcome {
  if ('raises' in outcome) return outcome
  if (call === '__setitem__' || call === '__delitem__') return { result: null }
  if (call === '__getitem__' && outcome.result === null) return raised(new KeyError(''))
  if (call !== 'gets') return outcome
  const { result } = outcome
  const isPair = typeof result === 'object' && result !== null && '$tuple' in result
  const value = isPair ? ((result.$tuple as readonly TypedJson[])[0] ?? null) : result
  const token =
    recorded && 'result' in recorded && typeof recorded.result === 'object' && recorded.result !== null
      ? (Object.values(recorded.result)[0] as readonly TypedJson[] | undefined)?.[1]
      : undefined
  return { result: { $tuple: [value, value === null ? null : (token ?? null)] } }
}

/** The reasons why a call of pymemcache does not fit this library's signature. */
function unboundReasons(library: Library, call: PythonCall): readonly Reason[] {
  try {
    bind(library, call)
    return []
  } catch (error) {
    return error instanceof SignatureError ? [signatureReason(call, error)] : []
  }
}
