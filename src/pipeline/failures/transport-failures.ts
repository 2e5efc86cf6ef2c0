/**
 * Failures of the transport: libmemcached's codes and messages for them, and their meaning for the request.
 * Sources: docs/reference/pylibmc.md#6, #7.2, #7.3, #10.
 */

import type { Bytes } from '../../ground/bytes.js'
import { AuthenticationFailure } from '../../protocol/protocol.js'
import type { ServerAddress } from '../../transport/address.js'
import { TransportError, type TransportErrorKind } from '../../transport/errors.js'
import { type Operation, operations } from '../operations.js'
import type { Server } from '../slots.js'
import { errorFor, MemcachedError, SomeErrors } from './errors.js'

/**
 * The kind of failure for libmemcached. Every failure while it reads the announced body of a binary reply is an unreadable reply,
 * except for the operations that read replies in their own way.
 */
function kindOf({ kind, announced }: TransportError, operation: Operation): TransportErrorKind {
  const { unreadReply, readsOn } = operations[operation]
  return announced && unreadReply === undefined && !readsOn ? 'unintelligible' : kind
}

/** Settings that change libmemcached's messages. */
export interface ConnectingFacts {
  /** The binary protocol: libmemcached has another message for a refused connection. */
  readonly binary?: boolean
  /** No time is given to connect. */
  readonly instant?: boolean
}

const AUTH_FAILURE = 41
/** libmemcached's return codes for failures of the transport. */
const codes: Record<TransportErrorKind, number> = {
  lookup: 2,
  connect: 3,
  'connect-timeout': 31,
  closed: 3,
  reset: 3,
  timeout: 31,
  unintelligible: 7,
  authentication: AUTH_FAILURE,
  aborted: 3,
  overload: 17,
  internal: 1,
}
const FAILURE = 1
/**
 * Bytes of a request that Linux takes for a connection to the same machine that the server has closed: libmemcached's buffers of 8196 bytes
 * are sent four at a time, and the next one gets the reset (docs/reference/pylibmc.md#10); python-memcached sends everything at once.
 */
export const closedTakes = { pylibmc: 32_784, 'python-memcached': 524_288 } as const
export const WRITE_ERROR = 5
const SYSTEM_ERROR = 26
const UNIX_SOCKET_ERROR = 27
const BROKEN_PIPE = 'SYSTEM ERROR(Broken pipe)'
const LONGEST_PATH = 108
export const SERVER_DEAD = 35
export const SERVER_DOWN = 47
const texts: Readonly<Record<number, string>> = {
  [SERVER_DEAD]: 'SERVER IS MARKED DEAD',
  [SERVER_DOWN]: 'SERVER HAS FAILED AND IS DISABLED UNTIL TIMED RETRY',
}

/** The C library's texts for the common system errors. */
const strerror: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ENOENT: 'No such file or directory',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ECONNRESET: 'Connection reset by peer',
  ENOTCONN: 'Transport endpoint is not connected',
  EACCES: 'Permission denied',
  ENOTFOUND: 'Name or service not known',
  EAI_AGAIN: 'Temporary failure in name resolution',
}

/** The exception for a transport failure, in every state of the server. */
export function errorOf(
  error: TransportError,
  server: Server,
  operation: Operation,
  key: Bytes | undefined,
  { binary = false, instant = false }: ConnectingFacts = {},
): MemcachedError {
  const { byMget, asksEvery, unsent } = operations[operation]
  if (error.kind === 'reset' && error.sending && unsent)
    return unusable(WRITE_ERROR, server, operation, key, error)
  const { address } = server
  const unopened = error.kind === 'connect' && address.transport === 'unix'
  if (error.code === 'EPIPE' && error.sending && !byMget && !asksEvery)
    return errorFor(SYSTEM_ERROR, operation, strerror.ENOTCONN, { key, cause: error })
  const refused = error.cause instanceof AuthenticationFailure ? error.cause.code : undefined
  const system = unopened ? (isPathTooLong(address) ? UNIX_SOCKET_ERROR : SYSTEM_ERROR) : undefined
  const unwritten = error.kind === 'reset' && error.sending && byMget
  const lost = binary ? SomeErrors.retcode : FAILURE
  const code = system ?? refused ?? (unwritten ? lost : codes[kindOf(error, operation)])
  return errorFor(code, operation, text(error, operation, binary, instant), {
    key,
    server: server.name,
    cause: error,
  })
}

/** For a socket's address (bytes, with C's NUL at the end). */
export const isPathTooLong = (address: ServerAddress): boolean =>
  address.transport === 'unix' && Buffer.byteLength(address.path) >= LONGEST_PATH

/** The error for a server that cannot be used. touch has only WriteError (docs/reference/pylibmc.md#10). */
export function unusable(
  code: number,
  server: Server,
  operation: Operation,
  key?: Bytes,
  cause?: Error,
  more = '',
): MemcachedError {
  const facts = { key, server: server.name, cause }
  const { unsent } = operations[operation]
  if (unsent) return errorFor(WRITE_ERROR, operation, unsent, facts)
  return errorFor(code, operation, `${texts[code]}${more}`, facts)
}

/** libmemcached's text, which depends on how each of its functions reads replies. */
function text(error: TransportError, operation: Operation, binary: boolean, instant: boolean): string {
  // A text retrieval has its own message for a failure to connect.
  const { retrieves, unreadReply } = operations[operation]
  const asIs = binary || !retrieves
  const reading = unreadReply && `, ${unreadReply}`
  switch (kindOf(error, operation)) {
    case 'lookup':
      return `getaddrinfo() or getnameinfo() HOSTNAME LOOKUP FAILURE${asIs ? `, ${systemError(error)}` : ''}`
    case 'connect':
      return asIs ? `CONNECTION FAILURE(${systemError(error)})` : 'CONNECTION FAILURE'
    case 'connect-timeout':
      return `A TIMEOUT OCCURRED${asIs ? `, ${instant ? 'timeout was set to zero' : 'time out'}` : ''}`
    case 'timeout':
      return `A TIMEOUT OCCURRED${reading ?? ', time out'}`
    case 'closed':
      return `CONNECTION FAILURE${reading ?? ', ::rec() returned zero, server has disconnected'}`
    case 'reset':
      if (error.code === 'EPIPE' && error.sending) return BROKEN_PIPE
      return `CONNECTION FAILURE${reading ?? `(${systemError(error)})`}`
    case 'internal':
      return `FAILURE, ${error.message}`
    case 'overload':
      return `MEMORY ALLOCATION FAILURE, ${error.message}`
    case 'aborted':
      return 'CONNECTION FAILURE, closed by this client'
    case 'authentication':
      return error.message
    case 'unintelligible':
      return `UNKNOWN READ FAILURE${reading ?? (binary ? '' : `, ${error.message}`)}`
  }
}

function systemError(error: TransportError): string {
  return strerror[error.code ?? ''] ?? error.message
}

/** The server had closed the connection while it was idle; nothing was sent. */
export function wentStale({ cause }: MemcachedError): boolean {
  return cause instanceof TransportError && cause.kind === 'closed' && !cause.sent
}

/** The connection was reset while it was idle, so that libmemcached cannot write to it. */
export function resetWhileIdle({ cause }: MemcachedError): boolean {
  return cause instanceof TransportError && cause.kind === 'reset' && !cause.sent
}

/** The request could not be sent, because there was no open connection. */
export function wasUnwritten(error: MemcachedError): boolean {
  return resetWhileIdle(error) || (neverSent(error) && !wentStale(error))
}

/** No request was sent: no server could be reached, or the time of the call was over before. */
function neverSent({ cause }: MemcachedError): boolean {
  if (!(cause instanceof TransportError)) return true
  return /^(connect|lookup|overload)/.test(cause.kind) || (cause.kind === 'timeout' && !cause.sent)
}

/** Binary: a quiet get on a closed connection is a broken pipe, and an invalid reply is a miss. @throws every other error */
export function unread<T>(error: unknown, operation: Operation, missing: T): T {
  if (operation === 'gets' && error instanceof MemcachedError && wentStale(error))
    throw brokenPipe(error, operation)
  return garbled(error, missing)
}

/** Binary: an invalid reply is a miss. @throws every other error */
export function garbled<T>(error: unknown, missing: T): T {
  if (!(error instanceof MemcachedError)) throw error
  const { cause } = error
  if (!(cause instanceof TransportError) || !(cause.announced || cause.kind === 'unintelligible')) throw error
  return missing
}

/** libmemcached notices it while writing quiet gets. */
export function brokenPipe({ server, cause }: MemcachedError, operation: Operation): MemcachedError {
  return errorFor(SomeErrors.retcode, operation, BROKEN_PIPE, { server, cause })
}
