/**
 * Calls the observers of an application: listeners of events, the function of `debug`, the hooks of shadow mode. An error that they throw, or reject
 * with, never reaches the operation. It is published on the channel `memshim:observer-error`, and without a subscriber
 * there the first error of each kind of observer is a warning of the process.
 */
import { channel } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'

/** The error of an observer. */
export interface ObserverError {
  /** The kind of observer: `divergence`, `mismatch`, `debug`, or the name of a hook. */
  readonly observer: string
  readonly error: unknown
}

/** Channel `memshim:observer-error` of node:diagnostics_channel: the errors of every observer of the process. */
export const observerErrorChannel = channel('memshim:observer-error')

/** Kinds of observers with a warning in this process. */
const warned = new Set<string>()

/** Calls an observer. */
export function observe(observer: string, call: () => unknown): void {
  const failed = (error: unknown): void => report({ observer, error })
  try {
    const result = call()
    if (isThenable(result)) result.then(undefined, failed)
  } catch (error) {
    failed(error)
  }
}

/**
 * Calls a hook whose result is needed at once.
 * @throws the error of the function; TypeError if it returns a promise. Both are reported like errors of observers.
 */
export function consult<T>(hook: string, call: () => T): T {
  try {
    const result = call()
    if (!isThenable(result)) return result
    result.then(undefined, () => {})
    throw new TypeError(`${hook} returned a promise, but its result is needed at once`)
  } catch (error) {
    report({ observer: hook, error })
    throw error
  }
}

/** Calls every listener of an event, also those after one that throws. */
export function notify(emitter: EventEmitter, event: string, ...message: unknown[]): void {
  for (const listener of emitter.rawListeners(event))
    observe(event, () => Reflect.apply(listener, emitter, message))
}

function report(failure: ObserverError): void {
  if (observerErrorChannel.hasSubscribers) {
    observerErrorChannel.publish(failure)
    return
  }
  const { observer, error } = failure
  if (warned.has(observer)) return
  warned.add(observer)
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.emitWarning(
    `an observer of ${observer} failed, which changes no result; further failures are only published on the channel memshim:observer-error: ${text}`,
    { type: 'MemshimWarning', code: 'MEMSHIM_OBSERVER' },
  )
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
