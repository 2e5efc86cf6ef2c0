/**
 * A `get` that a framework's backend makes with the application's default, which the trace does not have: a stored None and a miss
 * have different results then.
 */
import type { Outcome } from '../compare/outcome.js'
import type { PythonCall } from '../methods/python-signatures.js'

/** Stands for the default. No application stores this text. */
export const noItem = '\0no item'

/** Whether the call is a `get` whose default can be added. */
export function lacksDefault({ call, args, kwargs }: PythonCall): boolean {
  return call === 'get' && args.length === 1 && Object.keys(kwargs).length === 0
}

export function withDefault(call: PythonCall): PythonCall {
  return { ...call, args: [...call.args, noItem] }
}

/** The outcome without the added default, and whether None was stored. */
export function withoutDefault(outcome: Outcome): {
  readonly outcome: Outcome
  readonly foundNone: boolean
} {
  if (!('result' in outcome)) return { outcome, foundNone: false }
  return outcome.result === noItem
    ? { outcome: { result: null }, foundNone: false }
    : { outcome, foundNone: outcome.result === null }
}
