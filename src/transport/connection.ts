/**
 * One pipelined connection to one server. It is opened lazily, once for all first calls; requests of one turn of the
 * event loop are sent in one write. After an unexpected reply the socket is destroyed and every waiting request rejected, so that a
 * late byte can never answer another request (docs/reference/field.md#2 to #3).
 */
import { setImmediate } from 'node:timers'
import type { Protocol } from '../protocol/protocol.js'
import { Fifo, type Request } from '../protocol/requests.js'
import { textProtocol } from '../protocol/text/text.js'
import { HANDED_OVER, type Reply } from '../protocol/wire.js'
import { addressName, type ServerAddress } from './address.js'
import type { ConnectionOptions } from './connection-options.js'
import {
  endedWhileIdle,
  type IdleEnd,
  kindOf,
  lastOf,
  lookupFailed,
  messageOf,
  TransportError,
  type TransportErrorKind,
} from './errors.js'
import { Link, type LinkOwner } from './link/link.js'
import { Backlog, CallerWatch, DeadlineTimer, PendingRequest, PORTION } from './pending.js'
import { peerOf } from './socket.js'
import { writtenIntoEnded } from './stale.js'
import { connectChannel, publishConnect } from './tracing.js'
import { asIs, type Exchange, type ExchangeOptions, type Peer, type Receiver } from './types.js'

const MAX_IN_FLIGHT = 10_000

export class Connection implements Exchange, LinkOwner {
  readonly name: string
  /** A private field, so that `util.inspect` does not show the key of `tls`. */
  readonly #options: ConnectionOptions
  private readonly protocol: Protocol
  private readonly timeout: number
  private readonly connectTimeout: number
  private readonly maxInFlight: number
  private readonly callers: CallerWatch
  private link: Link | undefined = undefined
  ready = false
  private connecting:
    | { promise: Promise<void>; resolve: () => void; fail: (error: TransportError) => void; deadline: number }
    | undefined = undefined
  /** Requests not yet written. */
  private queue = new Backlog()
  /** Requests written and unanswered. */
  private waiting = new Fifo<PendingRequest>()
  private flushing = false
  private now = 0
  /** How the server ended the connection while it was idle, while no caller has seen it. */
  private stale: IdleEnd | undefined = undefined
  // Timers run before sockets in a turn of the event loop: if the process was stopped, the reply may have arrived already.
  private readonly timer = new DeadlineTimer(() => setImmediate(() => this.attempt(() => this.expire())))

  constructor(
    readonly address: ServerAddress,
    options: ConnectionOptions = {},
  ) {
    this.#options = options
    this.name = addressName(address)
    this.protocol = options.protocol ?? textProtocol
    this.timeout = options.timeout ?? 5000
    this.connectTimeout = options.connectTimeout ?? 4000
    this.maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT
    this.callers = options.callers ?? new CallerWatch()
  }

  get state(): 'idle' | 'connecting' | 'ready' {
    if (this.ready || this.stale) return 'ready'
    return this.connecting ? 'connecting' : 'idle'
  }

  get ended(): boolean {
    return this.stale !== undefined
  }

  get wasReset(): boolean {
    return this.stale === 'reset' || this.stale === 'broken'
  }

  get peer(): Peer | undefined {
    return peerOf(this.link?.socket)
  }

  exchange(request: Request, options?: ExchangeOptions): Promise<Reply>
  exchange<T>(request: Request, options: ExchangeOptions | undefined, receiver: Receiver<T>): Promise<T>
  exchange<T>(
    request: Request,
    options?: ExchangeOptions,
    receiver: Receiver<T> = asIs as Receiver<T>,
  ): Promise<T> {
    this.protocol.check(request)
    if (this.stale) {
      const { end, taken } = writtenIntoEnded(this.stale, request, this.protocol, this.#options.closedTakes)
      this.stale = end
      return taken ? Promise.resolve(receiver.reply(HANDED_OVER)) : refused(receiver, this.wentStale(end))
    }
    const limit = options?.deadline
    if (limit !== undefined && limit <= performance.now()) return refused(receiver, this.late())
    if (this.#options.whenFull === 'reject' && this.queue.length + this.waiting.length >= this.maxInFlight)
      return refused(receiver, this.overloaded())
    return new Promise<T>((resolve, reject) => {
      // The deadlines of all requests of a turn count from the first one.
      if (!this.flushing) this.now = performance.now()
      const deadline = limit ?? this.now + (options?.timeout ?? this.timeout)
      const settle = resolve as (value: unknown) => void
      const pending = new PendingRequest(request, deadline, receiver, settle, reject, options?.signal)
      if (pending.aborted) return
      this.queue.push(pending)
      this.timer.ref()
      this.timer.watch(deadline)
      if (this.ready) this.leave(pending)
      // The rejection reaches every queued request through `fail`.
      else this.open(deadline).catch(() => {})
    })
  }

  /** An earlier part of the same call took all of its time. The connection is not at fault. */
  private late(): TransportError {
    return new TransportError('timeout', this.name, 'the time of the whole call was over')
  }

  private overloaded(): TransportError {
    return new TransportError('overload', this.name, `${this.maxInFlight} requests are under way already`)
  }

  connect(options?: ExchangeOptions): Promise<void> {
    if (this.ready || this.stale) return Promise.resolve()
    return this.open(options?.deadline ?? performance.now() + (options?.timeout ?? this.timeout))
  }

  close(quit = true): void {
    this.stale = undefined
    const { link } = this
    if (link && this.ready) {
      const { socket, output, conversation } = link
      // No reply follows quit: the bytes are sent, then the socket is released.
      const waiting = !this.idle
      this.detach()
      if (waiting || !quit) socket.destroy()
      else {
        conversation.quit(output)
        output.flush()
        socket.end()
        socket.setTimeout(1000, () => socket.destroy())
        socket.resume()
      }
    }
    this.fail('aborted', 'connection closed by this client')
  }

  private wentStale(end: IdleEnd): TransportError {
    // Every request of the same turn would have gone into the dead socket.
    queueMicrotask(() => {
      this.stale = undefined
    })
    return endedWhileIdle(this.name, end)
  }

  private open(deadline: number): Promise<void> {
    if (this.connecting) return this.connecting.promise
    const limit = Math.min(deadline, performance.now() + this.connectTimeout)
    let settle!: { resolve: () => void; fail: (error: TransportError) => void }
    const promise = new Promise<void>((resolve, fail) => {
      settle = { resolve, fail }
    })
    promise.catch(() => {})
    this.connecting = { promise, ...settle, deadline: limit }
    if (connectChannel.hasSubscribers) publishConnect(this.address, promise, () => this.peer)
    this.timer.watch(limit)
    try {
      this.link = new Link(this, this.address, this.protocol, this.#options)
    } catch (error) {
      // Node refuses the address or the TLS options.
      this.fail('connect', (error as Error).message, error)
    }
    // A connect timeout of 0 always fails.
    if (this.connectTimeout === 0) this.expire()
    return promise
  }

  opened(): void {
    const { connecting } = this
    this.connecting = undefined
    this.ready = true
    connecting?.resolve()
    this.flush()
    this.rest()
  }

  /** Runs a step from the event loop. An exception ends the connection, and reaches only the requests that wait on it. */
  private attempt(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.crashed(error)
    }
  }

  crashed(error: unknown): void {
    this.fail(kindOf(error), (error as Error)?.message ?? String(error), error)
  }

  drained(): void {
    if (this.queue.length > 0) this.scheduleFlush()
  }

  broken(error: NodeJS.ErrnoException): void {
    if (!this.ready) this.fail(lookupFailed(error) ? 'lookup' : 'connect', messageOf(lastOf(error)), error)
    else if (this.idle) this.closedByServer('reset')
    else this.fail('reset', messageOf(error), error)
  }

  get idle(): boolean {
    return this.waiting.length === 0 && this.queue.length === 0
  }

  closedByServer(kind: 'closed' | 'reset' = 'closed'): void {
    // libmemcached would have sent a noreply request in the queue at once, and nothing waits for its answer.
    const idle =
      this.ready && this.waiting.length === 0 && this.queue.all().every(({ request }) => request.noreply)
    const end = idle && this.#options.stale === 'fail' ? this.leaveInto(kind) : undefined
    this.fail('closed', 'server closed the connection')
    this.stale = end
  }

  /**
   * The outcome of the requests that were queued when the server closed the connection: as if they had been sent at once.
   * @returns the end that the next request meets; undefined if a caller has got the error
   */
  private leaveInto(kind: 'closed' | 'reset'): IdleEnd | undefined {
    let end: IdleEnd = kind
    let failed = false
    for (const pending of this.queue.take(this.queue.length)) {
      const written = writtenIntoEnded(end, pending.request, this.protocol, this.#options.closedTakes)
      end = written.end
      if (written.taken) pending.answer(HANDED_OVER)
      else {
        failed = true
        pending.lose(endedWhileIdle(this.name, end))
      }
    }
    return failed ? undefined : end
  }

  get unanswered(): number {
    return this.waiting.length
  }

  get queued(): number {
    return this.queue.length
  }

  answer(reply: Reply): void {
    this.waiting.shift()!.answer(reply)
    if (this.queue.length > 0) this.scheduleFlush()
    else if (this.waiting.length === 0) this.timer.unref()
  }

  /** Nothing is pending: the connection does not keep the process running. */
  private rest(): void {
    if (this.idle && !this.connecting) this.timer.unref()
  }

  private readonly turn = (): void => {
    this.flushing = false
    if (this.ready) this.attempt(() => this.flush())
  }

  private leave({ signal, request }: PendingRequest): void {
    // Any number of requests without a reply may follow in the same turn.
    const waits = signal === undefined && !request.noreply
    const single = waits && this.waiting.length === 0 && this.queue.length === 1
    if (single && !this.flushing && this.callers.isAlone(this)) this.flush()
    else this.scheduleFlush()
  }

  private scheduleFlush(): void {
    if (this.flushing) return
    this.flushing = true
    // After all replies of all servers in this turn of the event loop, so that the requests that follow them are sent in one
    // write per connection. Not the global function: tests that replace it must not stop the client.
    setImmediate(this.turn)
  }

  flush(): void {
    const { link, queue } = this
    if (queue.length === 0 || !link) return
    // Data that the server does not read waits here without a copy, and not in the socket.
    if (link.socket.writableLength >= PORTION) return
    const leaving = queue.take(this.maxInFlight - this.waiting.length)
    this.callers.wrote(this, leaving.length === 1 && this.waiting.length === 0)
    // Before the first byte is written: an answer may arrive before `write` returns.
    for (const pending of leaving) if (!pending.request.noreply) this.waiting.push(pending)
    try {
      link.conversation.write(leaving, link.output)
      link.output.flush()
    } catch (error) {
      // Requests without a reply are kept only here.
      const unheard = leaving.filter(({ request }) => request.noreply)
      this.fail(kindOf(error), (error as Error)?.message ?? String(error), error, unheard)
      return
    }
    if (this.waiting.length > 0) this.#options.busyPoll?.wrote(this)
    for (const pending of leaving) if (pending.request.noreply) pending.answer(HANDED_OVER)
    if (queue.length > 0 && this.waiting.length < this.maxInFlight) this.scheduleFlush()
    this.rest()
  }

  private expire(): void {
    const now = performance.now()
    if (this.connecting && this.connecting.deadline <= now) {
      this.fail('connect-timeout', 'connecting took too long')
      return
    }
    let earliest = this.connecting?.deadline ?? Number.POSITIVE_INFINITY
    for (const pending of [...this.waiting.rest(), ...this.queue.all()])
      earliest = Math.min(earliest, pending.deadline)
    if (earliest <= now) this.fail(this.ready ? 'timeout' : 'connect-timeout', 'no reply within the deadline')
    else if (earliest < Number.POSITIVE_INFINITY) this.timer.watch(earliest)
  }

  private detach(): void {
    this.link?.letGo()
    this.link = undefined
    this.ready = false
  }

  /** Drops the socket and rejects everything that waits. @param unheard requests that were being written and wait for no reply */
  private fail(
    kind: TransportErrorKind,
    message: string,
    cause?: unknown,
    unheard: readonly PendingRequest[] = [],
  ): void {
    const { link, connecting, queue } = this
    const socket = link?.socket
    const written = [...this.waiting.rest(), ...unheard]
    const sending =
      socket !== undefined &&
      (socket.writableLength > 0 || (cause as NodeJS.ErrnoException | undefined)?.syscall === 'write')
    const announced = link?.conversation.announced === true
    this.detach()
    this.connecting = undefined
    this.queue = new Backlog()
    this.waiting = new Fifo()
    this.timer.stop()
    socket?.destroy()
    const code = cause instanceof Error ? (lastOf(cause) as NodeJS.ErrnoException).code : undefined
    // Nothing can be sent after a reset.
    const error = (sent: boolean, first = false) =>
      new TransportError(kind, this.name, message, {
        cause,
        code,
        sent,
        announced: first && announced,
        sending: sending || (kind === 'reset' && !sent),
      })
    connecting?.fail(error(false))
    for (const [index, pending] of written.entries()) pending.lose(error(true, index === 0))
    for (const pending of queue.all()) pending.lose(error(false))
  }
}

function refused<T>(receiver: Receiver<T>, error: TransportError): Promise<T> {
  return new Promise((resolve) => resolve(receiver.failed(error)))
}
