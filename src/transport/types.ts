/** The interface between the clients and the sockets. `Connection` (connection.ts) implements `Exchange`. */
import type { Request } from '../protocol/requests.js'
import type { Reply } from '../protocol/wire.js'
import type { TransportError } from './errors.js'

export interface ExchangeOptions {
  /** Milliseconds for the whole operation: connecting, queueing, sending and waiting. Default: the connection's. */
  readonly timeout?: number | undefined
  /** The end of the whole call on `performance.now()`'s clock, instead of a timeout. */
  readonly deadline?: number | undefined
  /** Gives up waiting: the promise rejects with the signal's reason. A command that was sent is not undone. */
  readonly signal?: AbortSignal | undefined
}

/** IP address and port of a socket's other end. */
export interface Peer {
  readonly address: string
  readonly port: number
}

/** Handles a reply while it is being parsed, or a failure: the returned value or the thrown error settles the promise. */
export interface Receiver<T> {
  reply(reply: Reply): T
  failed(error: TransportError): T
}

/** Returns the reply itself, and throws the failure. */
export const asIs: Receiver<Reply> = {
  reply: (reply) => reply,
  failed(error) {
    throw error
  },
}

/** One pipelined connection to one server, opened lazily by the first request, reopened after any failure. */
export interface Exchange {
  /** `idle` = no socket. */
  readonly state: 'idle' | 'connecting' | 'ready'
  /** The server has closed the connection: the next request will fail. */
  readonly ended?: boolean | undefined
  /** The server has reset the connection: also a request without a byte will fail. */
  readonly wasReset?: boolean | undefined
  /** The other end of the open TCP connection, if there is one. */
  readonly peer?: Peer | undefined
  /**
   * Sends a request and resolves with its reply, or with the result of the receiver. Requests are answered in order; those of
   * one turn of the event loop are sent in one write.
   * @throws RangeError at once for a request that the protocol cannot carry
   * @throws TransportError (rejection); after one of kind other than `lookup`/`connect`/`connect-timeout` the socket
   *   is gone and every other waiting request was rejected too. The next request reconnects.
   */
  exchange(request: Request, options?: ExchangeOptions): Promise<Reply>
  exchange<T>(request: Request, options: ExchangeOptions | undefined, receiver: Receiver<T>): Promise<T>
  /** Opens the connection now, or resolves at once when it is open. @throws TransportError (rejection) */
  connect(options?: ExchangeOptions): Promise<void>
  /**
   * Sends `quit` when open (unless `quit` is false), closes, and rejects waiting requests with kind `aborted`. The exchange stays
   * usable.
   */
  close(quit?: boolean): void
}
