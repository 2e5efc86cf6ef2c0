/** The door between the clients and the sockets. `Connection` (connection.ts) implements `Exchange`. */
import type { Reply, Request } from '../protocol/wire.js'

export interface ExchangeOptions {
  /** Milliseconds for the whole operation: connecting, queueing, sending and waiting. Default: the connection's. */
  readonly timeout?: number
}

/** One pipelined connection to one server, opened lazily by the first request, reopened after any failure. */
export interface Exchange {
  /** `idle` = no socket. */
  readonly state: 'idle' | 'connecting' | 'ready'
  /**
   * Sends a request and resolves with its reply. Requests are answered in order; those of one tick leave in one write.
   * @throws TransportError (rejection); after one of kind other than `lookup`/`connect`/`connect-timeout` the socket
   *   is gone and every other waiting request was rejected too. The next request reconnects.
   */
  exchange(request: Request, options?: ExchangeOptions): Promise<Reply>
  /** Opens the connection now, or resolves at once when it is open. @throws TransportError (rejection) */
  connect(options?: ExchangeOptions): Promise<void>
  /** Sends `quit` when open, closes, rejects what still waits with kind `aborted`. The exchange stays usable. */
  close(): void
}
