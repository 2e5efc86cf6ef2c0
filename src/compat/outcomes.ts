/**
 * What becomes of an outcome of the pipeline: python-memcached's results where the switches say so, pylibmc's otherwise.
 * Source: spec/python-memcached §10, §13.
 */
import type { Bytes } from '../protocol/wire.js'
import { ValueError } from '../python/errors.js'
import { bytesRepr } from '../python/repr.js'
import { BadKeyProvided, MemcachedError, NotFound, type Operation } from '../strict/index.js'
import { TransportError, type TransportErrorKind } from '../transport/errors.js'
import { raises } from './divergence.js'
import type { Emulation } from './emulation.js'
import { PythonSocketError, ValueTooLong } from './errors.js'
import type { SwitchName } from './switches.js'

/** Python's `0` where the switches keep it; false is pylibmc's word. */
export type Falsy = false | 0

/** The value in the spelling of Python's repr, for events. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return value instanceof Map ? '{}' : String(value)
}

/** An error that the application is not told of. @throws it, when the switch is off or it is a mistake of the caller */
export function swallowed<T>(
  emulation: Emulation,
  name: SwitchName,
  operation: Operation,
  key: Bytes | undefined,
  error: unknown,
  value: T,
): T {
  if (!(error instanceof MemcachedError) || error instanceof BadKeyProvided || !emulation.on(name))
    throw error
  const { announcer } = emulation
  if (announcer.active) {
    announcer.announce(name, {
      operation,
      key,
      server: error.server,
      compat: shown(value),
      strict: raises(error),
      error,
    })
  }
  return value
}

/** The server answered with an error line: python-memcached sees "not what I expected" and goes on. */
export function answered(error: unknown): boolean {
  return error instanceof MemcachedError && error.reply !== undefined
}

export function transportKind(error: unknown): TransportErrorKind | undefined {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof TransportError ? cause.kind : undefined
}

/** Store commands: True only for STORED; False for any other line; 0 when nothing could be stored. */
export async function stored(
  emulation: Emulation,
  operation: Operation,
  key: Bytes,
  run: () => Promise<boolean>,
): Promise<boolean | 0> {
  try {
    return await run()
  } catch (error) {
    const zero: Falsy = emulation.on('return-values') ? 0 : false
    if (error instanceof ValueTooLong) return zero
    return swallowed(emulation, 'errors', operation, key, error, answered(error) ? false : zero)
  }
}

/** delete, touch: 1 or 0. */
export function spelled(
  emulation: Emulation,
  operation: Operation,
  key: Bytes | undefined,
  success: boolean,
): boolean | 0 | 1 {
  if (!emulation.on('return-values')) return success
  const strict = shown(success)
  emulation.announcer.announce('return-values', { operation, key, compat: success ? '1' : '0', strict })
  return success ? 1 : 0
}

/** A delete or touch that did not work: 0, or what 1.58 makes of it on Python 3. @throws TypeError there */
export function refused(
  emulation: Emulation,
  operation: 'delete' | 'touch',
  key: Bytes,
  error: unknown,
): Falsy {
  const raising = emulation.facts.refusalRaises && (answered(error) || transportKind(error) === 'closed')
  if (!raising)
    return swallowed(emulation, 'errors', operation, key, error, emulation.on('return-values') ? 0 : false)
  swallowed(emulation, 'errors', operation, key, error, 'raises TypeError')
  throw new TypeError('sequence item 0: expected str instance, bytes found')
}

/** incr, decr: python-memcached takes the reply line for a number, whatever it says. @throws ValueError */
export async function counted<T>(
  emulation: Emulation,
  operation: Operation,
  key: Bytes,
  run: () => Promise<T>,
): Promise<T | null> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof NotFound) return swallowed(emulation, 'missing-counter', operation, key, error, null)
    const closed = transportKind(error) === 'closed'
    if (!closed && !answered(error)) return swallowed(emulation, 'errors', operation, key, error, null)
    const line = closed ? "''" : bytesRepr((error as MemcachedError).reply ?? '')
    if (emulation.on('counter-errors')) {
      emulation.announcer.announce('counter-errors', {
        operation,
        key,
        server: (error as MemcachedError).server,
        compat: 'raises ValueError',
        strict: raises(error),
        error,
      })
      throw new ValueError(`invalid literal for int() with base 10: ${line}`)
    }
    throw error
  }
}

/** flush_all and get_stats let timeouts and resets out as Python's own socket errors. */
export function socketError(error: unknown): PythonSocketError | undefined {
  const kind = transportKind(error)
  if (kind === 'timeout') return new PythonSocketError('builtins.TimeoutError', 'timed out', error)
  if (kind !== 'reset') return undefined
  return new PythonSocketError('builtins.ConnectionResetError', '[Errno 104] Connection reset by peer', error)
}

/** A call that python-memcached repeats once: the connection turned out closed and no dead_retry keeps the server away. */
export async function again<T>(emulation: Emulation, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (emulation.deadRetry > 0 || !emulation.on('failover') || transportKind(error) !== 'closed') throw error
    return run()
  }
}
