/**
 * Converts an outcome of the pipeline: into python-memcached's results if the switches say so, else into pylibmc's.
 * Source: docs/reference/python-memcached.md#10, #13.
 */

import type { Bytes } from '../../ground/bytes.js'
import { BadKeyProvided, MemcachedError, NotFound } from '../../pipeline/failures/errors.js'
import { type Operation, operations } from '../../pipeline/operations.js'
import { replyError, softOutcome } from '../../pipeline/replies.js'
import type { Modes } from '../../pipeline/slots.js'
import { UnintelligibleReply } from '../../protocol/protocol.js'
import { lineReply } from '../../protocol/text/lines.js'
import type { LineReply } from '../../protocol/wire.js'
import { AttributeError, KeyError, ValueError } from '../../python/errors.js'
import { textRepr } from '../../python/repr.js'
import { TransportError, type TransportErrorKind } from '../../transport/errors.js'
import { pythonInteger } from '../../values/encodings/integers.js'
import { Raised, raises } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import { PythonSocketError, ValueTooLong } from '../errors.js'
import type { Context } from '../methods/context.js'
import { isInteger, isPythonInteger, miscounted, notANumber } from './wording.js'

/** Python's `0` if the switches keep it; otherwise pylibmc's false. */
export type Falsy = false | 0

/** The value as Python's repr, for events. */
function resultRepr(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return value instanceof Map ? '{}' : String(value)
}

/** Returns a value instead of an error. @throws the error when failures are raised or the caller made a mistake */
export function swallowed<T>(
  emulation: Emulation,
  name: 'errors' | 'missing-counter' | 'statistics',
  operation: Operation,
  key: Bytes | undefined,
  error: unknown,
  value: T,
): T {
  if (!(error instanceof MemcachedError) || error instanceof BadKeyProvided) throw error
  if (name === 'errors' && emulation.rules.failures === 'raised') throw error
  const { announcer } = emulation
  const escaped = misread(emulation, error, operation)
  if (announcer.active) {
    announcer.announce(name, {
      operation,
      key,
      server: error.server,
      compat: escaped ? raises(escaped) : resultRepr(value),
      strict: raises(error),
      error,
    })
  }
  if (escaped) throw escaped
  return value
}

/** A reply that cannot be an item: python-memcached raises for its header, get_multi also for another key. */
function misread({ rules }: Emulation, error: MemcachedError, operation: Operation): Error | undefined {
  const unintelligible = error.cause instanceof TransportError ? error.cause.cause : undefined
  if (!(unintelligible instanceof UnintelligibleReply)) return undefined
  const { header, foreignKey } = unintelligible
  if (header !== undefined) {
    const wanted = operation === 'gets' ? 5 : 4
    const words = header.split(' ')
    const got = words.length
    if (got === wanted) {
      const number = words.slice(2).find((word) => !isInteger(word))
      return number === undefined ? undefined : new ValueError(notANumber(rules, number), { cause: error })
    }
    return new ValueError(miscounted(rules, wanted, got), { cause: error })
  }
  return foreignKey !== undefined && operation === 'getMulti'
    ? new KeyError(JSON.stringify(foreignKey), { cause: error })
    : undefined
}

/** The server answered with an error line: python-memcached logs an unexpected reply and continues. */
export function answered(error: unknown): boolean {
  return error instanceof MemcachedError && error.reply !== undefined
}

export function transportKind(error: unknown): TransportErrorKind | undefined {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof TransportError ? cause.kind : undefined
}

/** The connection failed while the request was still being sent: python-memcached waits for no reply of that server. */
export function sendFailed(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof TransportError && cause.sending
}

/** A store command that failed: False for any line but STORED; 0 when nothing could be stored. @throws as `swallowed` */
export function unstored(
  emulation: Emulation,
  operation: Operation,
  key: Bytes | undefined,
  error: unknown,
): boolean | 0 {
  const zero: Falsy = emulation.rules.results === 'numbers' ? 0 : false
  if (error instanceof ValueTooLong) return zero
  const refused = answered(error) || (emulation.rules.closedIsRefusal && transportKind(error) === 'closed')
  return swallowed(emulation, 'errors', operation, key, error, refused ? false : zero)
}

/** A get without a default that failed. @throws as `swallowed` */
export function unread(emulation: Emulation, key: Bytes | undefined, error: unknown): null | undefined {
  return swallowed(
    emulation,
    'errors',
    'get',
    key,
    error,
    emulation.rules.results === 'numbers' ? null : undefined,
  )
}

/** See `Context.swallowing`. */
export function swallowingModes(emulation: Emulation, modes: Modes): Modes | undefined {
  if (repeats(emulation)) return undefined
  return {
    ...modes,
    failed: (error, operation, key) =>
      operation === 'get' ? unread(emulation, key, error) : unstored(emulation, operation, key, error),
  }
}

/** delete, touch, incr and decr ignore blanks around a reply. */
function stripped(reply: LineReply): LineReply {
  return lineReply(reply.line.trim())
}

/**
 * Whether the command succeeded. For python-memcached only the word that belongs to the command means success. False when the key is
 * missing.
 * @throws MemcachedError for any other reply
 */
export function succeeded(
  emulation: Emulation,
  operation: 'delete' | 'touch',
  reply: LineReply,
  facts: { readonly key: Bytes; readonly server: string },
): boolean {
  const line = stripped(reply)
  if (emulation.rules.failures !== 'swallowed') return softOutcome(line, operation, facts)
  if (line.line === operations[operation].success) return true
  if (line.line === 'NOT_FOUND') return false
  throw replyError(reply, operation, facts)
}

/** delete, touch: 1 or 0. */
export function spelled(
  emulation: Emulation,
  operation: Operation,
  key: Bytes | undefined,
  success: boolean,
): boolean | 0 | 1 {
  if (emulation.rules.results !== 'numbers') return success
  emulation.announcer.heard?.announce('return-values', {
    operation,
    key,
    compat: success ? '1' : '0',
    strict: resultRepr(success),
  })
  return success ? 1 : 0
}

/** A delete or touch that failed: 0, or the TypeError of 1.58 on Python 3. @throws TypeError in that case */
export function refused(
  emulation: Emulation,
  operation: 'delete' | 'touch',
  key: Bytes,
  error: unknown,
): boolean | 0 | 1 {
  const refusal = answered(error) || transportKind(error) === 'closed'
  if (operation === 'delete' && emulation.rules.refusedDelete === 1 && refusal)
    return swallowed(
      emulation,
      'errors',
      operation,
      key,
      error,
      emulation.rules.results === 'numbers' ? 1 : true,
    )
  const raising = emulation.rules.refusalRaises && refusal
  if (!raising)
    return swallowed(
      emulation,
      'errors',
      operation,
      key,
      error,
      emulation.rules.results === 'numbers' ? 0 : false,
    )
  swallowed(emulation, 'errors', operation, key, error, new Raised('TypeError'))
  throw new TypeError('sequence item 0: expected str instance, bytes found')
}

/** incr, decr: python-memcached reads every reply line as a number. @throws ValueError */
export async function counted<T>(
  emulation: Emulation,
  operation: Operation,
  key: Bytes,
  run: () => Promise<T>,
): Promise<T | null> {
  try {
    return await run()
  } catch (error) {
    const { rules } = emulation
    if (error instanceof NotFound && rules.missingCounter === 'None')
      return swallowed(emulation, 'missing-counter', operation, key, error, null)
    const closed = transportKind(error) === 'closed'
    if (!closed && !answered(error)) {
      const none = transportKind(error) === undefined || neverSent(error) ? rules.counterWithoutServer : null
      return swallowed(emulation, 'errors', operation, key, error, none as null)
    }
    const reply = (error as MemcachedError).reply ?? ''
    if (rules.counterErrors === 'ValueError' && isPythonInteger(rules, reply))
      return pythonInteger(Buffer.from(reply, 'latin1'), textRepr) as T
    const rule = error instanceof NotFound ? rules.missingCounter : rules.counterErrors
    if (rule === 'ValueError') {
      emulation.announcer.heard?.announce('counter-errors', {
        operation,
        key,
        server: (error as MemcachedError).server,
        compat: new Raised('ValueError'),
        strict: raises(error),
        error,
      })
      throw new ValueError(closed ? "invalid literal for int() with base 10: ''" : notANumber(rules, reply))
    }
    throw error
  }
}

function neverSent(error: unknown): boolean {
  const kind = transportKind(error)
  return kind === 'connect' || kind === 'connect-timeout' || kind === 'lookup'
}

/** flush_all and get_stats raise timeouts and resets as Python's own socket errors. */
export function socketError({ rules }: Emulation, error: unknown): PythonSocketError | undefined {
  const kind = transportKind(error)
  if (kind === 'timeout') return new PythonSocketError('builtins.TimeoutError', 'timed out', error)
  if (kind !== 'reset') return undefined
  const name = rules.python === 2 ? 'socket.error' : 'builtins.ConnectionResetError'
  return new PythonSocketError(name, '[Errno 104] Connection reset by peer', error)
}

/** A call that python-memcached repeats once if the connection was closed. */
export function again<T>(context: Context, operation: Operation, run: () => Promise<T>): Promise<T> {
  return context.swallowing === undefined ? twice(context, operation, run) : run()
}

function repeats({ rules, deadRetry }: Emulation): boolean {
  return rules.retry === 'always' || (rules.retry === 'without-dead-retry' && deadRetry <= 0)
}

async function twice<T>(
  { emulation, pipeline: { selection } }: Context,
  operation: Operation,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (transportKind(error) !== 'closed') throw error
    const { server: name } = error as MemcachedError
    emulation.announcer.heard?.announce('retry-on-close', {
      operation,
      server: name,
      compat: 'sends it once more',
      strict: raises(error),
      error,
    })
    // On the same server: when it cannot be reached, no other server is tried.
    const server = selection.servers.find((server) => server.name === name)
    if (server) await selection.admit(server, operation)
    return run()
  }
}

/** Up to 1.52, operations on many keys fail on a connection that does not exist. @throws AttributeError */
export function stumble({ rules }: Emulation, troubles: readonly unknown[]): void {
  // The first reply is missing; the second one is read from a connection that no longer exists.
  const closed = troubles.filter((error) => transportKind(error) === 'closed').length
  if (rules.multiStumbles && (closed > 1 || troubles.some(neverSent)))
    throw new AttributeError("'NoneType' object has no attribute 'recv'", { cause: troubles[0] })
}

/** With debug, Python 3 fails to format the log line about a closed connection. */
export function closedUnderDebug(emulation: Emulation, operation: Operation, error: unknown): boolean {
  const { debugging, rules, announcer } = emulation
  if (!debugging || !rules.debugRaises || transportKind(error) !== 'closed') return false
  announcer.heard?.announce('debug-raises', {
    operation,
    compat: new Raised('AttributeError'),
    strict: raises(error),
    error,
  })
  return true
}
