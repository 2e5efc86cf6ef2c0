/** Failures between the start of a request and its reply. Code in this folder throws no other errors. */
import { brand } from '../ground/brand.js'
import { AuthenticationFailure, UnintelligibleReply } from '../protocol/protocol.js'

export type TransportErrorKind =
  /** The name of the server did not resolve. The request was not sent. */
  | 'lookup'
  /** Refused, unreachable, missing socket path … The request was not sent. */
  | 'connect'
  /** The connection could not be opened in time. The request was not sent. */
  | 'connect-timeout'
  /** Peer closed (FIN) before the reply was complete. */
  | 'closed'
  /** Peer reset, broken pipe, or another socket error before the reply was complete. */
  | 'reset'
  /** The deadline passed while the request was queued, sent or waiting for its reply. */
  | 'timeout'
  /** The server refused the credentials, or does not offer PLAIN authentication. The request was not sent. */
  | 'authentication'
  /** Bytes arrived that cannot be a reply; the bytes after them cannot be read reliably. */
  | 'unintelligible'
  /** More requests are under way than are allowed. The request was not sent, and the connection is as good as before. */
  | 'overload'
  /** This side closed the connection (close, disconnect_all) while the request was waiting. */
  | 'aborted'
  /** This side met an exception while it wrote requests or read replies; `cause` has it. The connection was closed. */
  | 'internal'

export class TransportError extends Error {
  override readonly name = 'TransportError'
  constructor(
    readonly kind: TransportErrorKind,
    /** `host:port`, `[v6]:port` or socket path. */
    readonly server: string,
    message: string,
    options?: {
      readonly cause?: unknown
      /** errno name, e.g. `ECONNREFUSED`. */
      readonly code?: string | undefined
      /** true when at least part of the request may have reached the server. */
      readonly sent?: boolean
      /** true when the connection failed before all of the request had left. */
      readonly sending?: boolean
      /** true if the header of the reply had arrived but not its body (binary protocol). */
      readonly announced?: boolean
    },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = options?.code
    this.sent = options?.sent ?? false
    this.sending = options?.sending ?? false
    this.announced = options?.announced ?? false
  }
  readonly code: string | undefined
  readonly sent: boolean
  readonly sending: boolean
  readonly announced: boolean
}

brand(TransportError, 'transport.TransportError')

/** The kind of failure for an exception that was thrown while requests were written or replies read. */
export function kindOf(error: unknown): TransportErrorKind {
  if (error instanceof UnintelligibleReply) return 'unintelligible'
  return error instanceof AuthenticationFailure ? 'authentication' : 'internal'
}

/** Whether a socket's error says that the name of the server did not resolve. */
export function lookupFailed(error: NodeJS.ErrnoException): boolean {
  return error.syscall === 'getaddrinfo' || error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
}

/** What a socket's error says. OpenSSL's own messages name a thread and a line of its source; their reason says enough. */
export function messageOf(error: Error): string {
  const { reason } = error as { readonly reason?: unknown }
  return typeof reason === 'string' ? `TLS: ${reason}` : error.message
}

/** A name with several addresses fails with one error for each of them; the last one counts. */
export function lastOf(error: Error): Error {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) : error
}

/**
 * The way in which a connection ended while no request was waiting. The system still accepts a request after a close. The reset that follows breaks the
 * connection: after that, and after any other reset, it refuses to send.
 */
export type IdleEnd = 'closed' | 'reset' | 'broken'

export function endedWhileIdle(server: string, end: IdleEnd): TransportError {
  if (end === 'closed')
    return new TransportError('closed', server, 'server closed the connection while it was idle')
  const [code, message] =
    end === 'reset'
      ? ['ECONNRESET', 'server reset the connection while it was idle']
      : ['EPIPE', 'a request was written into a connection that the server had closed']
  return new TransportError('reset', server, message, { sending: true, code })
}
