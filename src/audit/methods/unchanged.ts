/**
 * An unchanged call of a python-memcached application on pylibmc: bound to pylibmc's own signature, with the
 * real outcomes of calls that our strict client deliberately refuses.
 */
import type { Client as StrictClient } from '../../strict/index.js'
import { PyIterator, PythonObject, PyUnpicklable, PyView } from '../../values/index.js'
import type { Reason } from '../compare/divergence.js'
import { endsProcess, type Outcome, raised } from '../compare/outcome.js'
import { blankKeyOutcome } from './blank-keys.js'
import { builtinOf, storedByType } from './builtins.js'
import { invokeBound } from './calls.js'
import { brokenPrefixOutcome, controlKeyOutcome } from './control-keys.js'
import { converted } from './conversions.js'
import { checkFormats } from './formats.js'
import {
  type OutOfStep,
  refusedData,
  retrievals,
  type Shifted,
  type UncheckedKeyOutcome,
} from './out-of-step.js'
import { type Bound, bind, type Library, type PythonCall, SignatureError } from './python-signatures.js'
import { touchedKeys } from './touched-keys.js'

export interface Unchanged {
  readonly outcome: Outcome
  readonly reasons: readonly Reason[]
  /** The real outcome is not known, because the connection is out of step. */
  readonly uncertain: boolean
}

const signatureReasons = {
  method: 'missing-method',
  argument: 'missing-argument',
  form: 'calling-form',
} as const

/** @param wire the protocol of this client's connections: with unchecked `text`, keys with blanks get out of step */
export async function runUnchanged(
  client: StrictClient,
  library: Library,
  call: PythonCall,
  wire: { readonly unchecked: boolean; readonly text: boolean },
  outOfStep: OutOfStep,
): Promise<Unchanged> {
  const reasons: Reason[] = []
  let bound: Bound
  try {
    const given = bind(library, call)
    if (holdsSubclass(given)) reasons.push({ switch: 'subclasses', how: 'signature' })
    bound = converted(library, call.call, given)
    checkFormats(call.call, bound)
  } catch (error) {
    const problem =
      call.call === 'cas'
        ? 'gets-and-cas'
        : error instanceof SignatureError
          ? signatureReasons[error.problem]
          : 'argument-type'
    return { outcome: raised(error), reasons: [{ switch: problem, how: 'signature' }], uncertain: false }
  }
  if (call.call === 'gets' || call.call === 'cas') reasons.push({ switch: 'gets-and-cas', how: 'signature' })
  if (joins.has(call.call) && isPickled(bound.val))
    reasons.push({ switch: 'value-encoding', how: 'signature' })
  const again = (other: Bound) => invokeBound(client, library, call.call, other)
  if (wire.unchecked && !failsEarlier(call.call, bound)) {
    const control = await controlKeyOutcome(client, library, call.call, bound)
    // The server of the key may be down.
    const unchecked =
      control ??
      (await blankKeyOutcome(client, call.call, bound, again).catch(
        (error): UncheckedKeyOutcome => ({
          outcome: raised(error),
          outOfStep: [],
        }),
      ))
    if (unchecked) {
      reasons.push({ switch: control ? 'control-keys' : 'blank-keys', how: 'signature' })
      const { outcome, uncertain = false } = unchecked
      const usual = !control && !retrievals.has(call.call)
      const shifted = shift(client, call.call, bound, outcome, outOfStep, usual)
      if (endsProcess(shifted?.outcome ?? outcome)) outOfStep.clear()
      else outOfStep.take(unchecked)
      return { outcome, uncertain, ...shifted, reasons }
    }
  }
  const broken = wire.text ? undefined : await brokenPrefixOutcome(call.call, bound, again)
  if (broken) {
    reasons.push({ switch: 'control-keys', how: 'signature' })
    return { outcome: broken, uncertain: true, reasons }
  }
  let outcome = await again(bound)
  const unsent = wire.unchecked && raisedByServer(outcome)
  const failure = unpicklable(call.call, bound)
  if (failure && (unsent || reachesServer(outcome)))
    outcome = { raises: { class: failure, message: 'cannot pickle the value' } }
  if (call.call === 'disconnect_all') outOfStep.clear()
  const refused = call.call === 'cas' && wire.text && Number(bound.cas) === 0 && reachesServer(outcome)
  if (refused) outcome = { raises: { class: 'pylibmc.SocketCreateError', retcode: 11, message: 'ERROR' } }
  if (!wire.text && behavesOtherwise(call.call, bound, outcome))
    reasons.push({ switch: 'binary-protocol', how: 'signature' })
  const shifted = shift(client, call.call, bound, outcome, outOfStep)
  if (refused && !(shifted && endsProcess(shifted.outcome)))
    for (const server of serversOf(client, touchedKeys(bound))) outOfStep.mark(server, refusedData(bound.val))
  if (shifted) reasons.push({ switch: 'blank-keys', how: 'signature' })
  return { outcome, ...shifted, reasons, uncertain: shifted?.uncertain ?? false }
}

/** Calls after which the joined bytes of a value can be read. */
const joins = new Set(['append', 'prepend'])

function isPickled(value: unknown): boolean {
  const plain = ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
  return !plain && !(value instanceof Uint8Array)
}

/** The binary protocol raises for a replace without an item, and takes times from 2^31 on for dates after 2038. */
function behavesOtherwise(call: string, { time, seconds }: Bound, outcome: Outcome): boolean {
  if (call === 'replace' && 'raises' in outcome && outcome.raises.class === 'pylibmc.NotFound') return true
  const late = time ?? seconds
  return (typeof late === 'number' || typeof late === 'bigint') && (late >= 2 ** 31 || late < -(2 ** 31))
}

/** pylibmc pickles the value, and gets the number of keys, before it checks a key. */
function failsEarlier(call: string, bound: Bound): boolean {
  const { keys } = bound
  return (
    unpicklable(call, bound) !== undefined ||
    (call === 'get_multi' &&
      (keys instanceof PyIterator || Object.getPrototypeOf(keys ?? 0) === Map.prototype))
  )
}

/** The class of the exception that pickling the first such value raises. */
function unpicklable(call: string, { val, keys }: Bound): string | undefined {
  const values = multiStores.has(call) && keys instanceof Map ? keys.values() : [val]
  for (const value of values) {
    if (value instanceof PyUnpicklable) return value.raises
    if (value instanceof PyIterator || value instanceof PyView) return 'builtins.TypeError'
  }
  return undefined
}

const multiStores = new Set(['set_multi', 'add_multi'])

function raisedByServer(outcome: Outcome): boolean {
  return 'raises' in outcome && outcome.raises.class.startsWith('pylibmc.')
}

/** Our client refuses a token of 0 before all other checks. */
function reachesServer(outcome: Outcome): boolean {
  return 'raises' in outcome && outcome.raises.message === 'cas 0 is not a CAS unique'
}

/** Whether an instance of a subclass of a built-in type is stored, which pylibmc stores as that type. */
export function holdsSubclass(bound: Bound): boolean {
  const many = bound.keys instanceof Map ? [...bound.keys.values()] : []
  return [bound.val, ...many].some(
    (value) =>
      value instanceof PythonObject && storedByType(value) !== value && builtinOf(value) !== undefined,
  )
}

/** The outcome of a call whose connection is out of step. Keys are placed only in this case, because that is slow. */
function shift(
  client: StrictClient,
  call: string,
  bound: Bound,
  own: Outcome,
  outOfStep: OutOfStep,
  usual = true,
): Shifted | undefined {
  if (!outOfStep.any) return undefined
  const keys = touchedKeys(bound)
  return outOfStep.shift(call, serversOf(client, keys), keys.length, own, usual)
}

function serversOf(client: StrictClient, keys: readonly string[]): readonly number[] {
  try {
    return [...new Set(keys.map((key) => client.hash(Buffer.from(key, 'latin1'))))]
  } catch {
    return []
  }
}
