/**
 * One pipelined connection to one server. Opened lazily, once, however many first calls arrive; requests of one tick
 * leave in one write; after anything unexpected the socket is destroyed and every waiting request rejected, so that a
 * late byte can never answer another request (spec/field §2–3).
 */
import { connect as connectSocket, type Socket, type TcpSocketConnectOpts } from 'node:net'
import { type ParserLimits, ReplyParser, UnintelligibleReply } from '../protocol/parser.js'
import type { Bytes, Reply, ReplyShape, Request } from '../protocol/wire.js'
import { addressName, type ServerAddress } from './address.js'
import { TransportError, type TransportErrorKind } from './errors.js'
import type { Exchange, ExchangeOptions } from './types.js'

export interface ConnectionOptions {
  /** Milliseconds for a whole operation: connecting, queueing, sending and waiting. Default 5000. */
  readonly timeout?: number
  /** Milliseconds for opening the connection, within the operation's deadline. Default 4000. */
  readonly connectTimeout?: number
  /** TCP_NODELAY. Default true: a tick's requests leave in one write anyway. */
  readonly noDelay?: boolean
  /** SO_KEEPALIVE. Default false. */
  readonly keepAlive?: boolean
  readonly limits?: ParserLimits
  /**
   * What happens when the server closed the connection while nothing was waiting. `fail`: the next operation fails with
   * `closed`, as with both Python libraries, which notice only then. `reopen` (default): it opens a new connection.
   */
  readonly stale?: 'fail' | 'reopen'
}

interface Slot {
  readonly request: Request
  readonly deadline: number
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: TransportError) => void
}

/** Bodies up to this size are joined with the command lines of the tick; larger ones are written as they are. */
const JOIN_LIMIT = 8 * 1024
/** A noreply request is answered with this. */
const HANDED_OVER: Reply = { type: 'line', status: 'OK', line: '' }
const QUIT = 'quit\r\n'

export class Connection implements Exchange {
  readonly name: string
  private readonly timeout: number
  private readonly connectTimeout: number
  private socket: Socket | undefined
  private ready = false
  private connecting:
    | { promise: Promise<void>; fail: (error: TransportError) => void; deadline: number }
    | undefined
  /** Requests not yet written. */
  private queue: Slot[] = []
  /** Requests written and unanswered, oldest first from `head`. */
  private waiting: Slot[] = []
  private head = 0
  private flushing = false
  /** The server closed while idle, and nobody has been told. */
  private stale = false
  private timer: NodeJS.Timeout | undefined
  private wakes = Number.POSITIVE_INFINITY

  constructor(
    readonly address: ServerAddress,
    private readonly options: ConnectionOptions = {},
  ) {
    this.name = addressName(address)
    this.timeout = options.timeout ?? 5000
    this.connectTimeout = options.connectTimeout ?? 4000
  }

  get state(): 'idle' | 'connecting' | 'ready' {
    if (this.ready || this.stale) return 'ready'
    return this.connecting ? 'connecting' : 'idle'
  }

  exchange(request: Request, options?: ExchangeOptions): Promise<Reply> {
    if (this.stale) {
      // Everything asked in this same breath would have gone into the dead socket.
      queueMicrotask(() => {
        this.stale = false
      })
      return Promise.reject(
        new TransportError('closed', this.name, 'server closed the connection while it was idle'),
      )
    }
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + (options?.timeout ?? this.timeout)
      this.queue.push({ request, deadline, resolve, reject })
      this.watch(deadline)
      if (this.ready) this.scheduleFlush()
      // The rejection reaches every queued slot through `fail`.
      else this.open(deadline).catch(() => {})
    })
  }

  connect(options?: ExchangeOptions): Promise<void> {
    if (this.ready || this.stale) return Promise.resolve()
    return this.open(performance.now() + (options?.timeout ?? this.timeout))
  }

  close(): void {
    this.stale = false
    const { socket } = this
    if (socket && this.ready) {
      // Nothing is expected after quit: let the bytes leave, then let go.
      const waiting = this.head < this.waiting.length || this.queue.length > 0
      this.detach()
      if (waiting) socket.destroy()
      else {
        socket.end(QUIT, 'latin1')
        socket.setTimeout(1000, () => socket.destroy())
        socket.resume()
      }
    }
    this.fail('aborted', 'connection closed by this client')
  }

  private open(deadline: number): Promise<void> {
    if (this.connecting) return this.connecting.promise
    const now = performance.now()
    const limit = Math.min(deadline, now + this.connectTimeout)
    let settle!: { resolve: () => void; reject: (error: TransportError) => void }
    const promise = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject }
    })
    promise.catch(() => {})
    this.connecting = { promise, fail: settle.reject, deadline: limit }
    this.watch(limit)
    const socket = connectSocket(this.target())
    this.socket = socket
    socket.once('connect', () => {
      if (this.socket !== socket) return
      this.connecting = undefined
      this.ready = true
      this.flush()
      settle.resolve()
    })
    this.listen(socket)
    return promise
  }

  private target(): TcpSocketConnectOpts | { path: string } {
    if (this.address.transport === 'unix') return { path: this.address.path }
    const { host, port, family } = this.address
    return {
      host,
      port,
      family: family ?? 0,
      noDelay: this.options.noDelay ?? true,
      keepAlive: this.options.keepAlive ?? false,
    }
  }

  private listen(socket: Socket): void {
    const parser = new ReplyParser(
      {
        shape: (): ReplyShape | undefined => this.waiting[this.head]?.request.reply,
        keys: (): readonly Bytes[] | undefined => this.waiting[this.head]?.request.keys,
        reply: (reply) => this.answer(reply),
      },
      this.options.limits,
    )
    socket.on('data', (chunk) => {
      if (this.socket !== socket) return
      try {
        parser.push(chunk as Buffer)
      } catch (error) {
        if (!(error instanceof UnintelligibleReply)) throw error
        this.fail('unintelligible', error.message, error)
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.socket !== socket) return
      if (this.ready && this.head === this.waiting.length && this.queue.length === 0) this.closedByServer()
      else if (this.ready) this.fail('reset', error.message, error)
      else this.fail(lookupFailed(error) ? 'lookup' : 'connect', deepest(error).message, error)
    })
    socket.on('end', () => {
      if (this.socket === socket) this.closedByServer()
    })
    socket.on('close', () => {
      if (this.socket === socket) this.closedByServer()
    })
  }

  private closedByServer(): void {
    const idle = this.ready && this.head === this.waiting.length && this.queue.length === 0
    this.fail('closed', 'server closed the connection')
    this.stale = idle && this.options.stale === 'fail'
  }

  private answer(reply: Reply): void {
    const slot = this.waiting[this.head]!
    this.head++
    if (this.head === this.waiting.length) {
      this.waiting = []
      this.head = 0
    } else if (this.head >= 1024) {
      this.waiting = this.waiting.slice(this.head)
      this.head = 0
    }
    slot.resolve(reply)
  }

  private scheduleFlush(): void {
    if (this.flushing) return
    this.flushing = true
    // After all promise continuations of this tick, so that their requests leave in the same write.
    process.nextTick(() => {
      this.flushing = false
      if (this.ready) this.flush()
    })
  }

  /** Writes everything queued: command lines and small bodies joined, large bodies as they are. */
  private flush(): void {
    const { queue, socket } = this
    if (queue.length === 0 || !socket) return
    this.queue = []
    socket.cork()
    let joined = ''
    for (const slot of queue) {
      const { head, body } = slot.request
      if (body === undefined) joined += head
      else if (body.length <= JOIN_LIMIT) joined += `${head}${latin1(body)}\r\n`
      else {
        socket.write(joined + head, 'latin1')
        socket.write(body)
        joined = '\r\n'
      }
      if (slot.request.reply === 'none') slot.resolve(HANDED_OVER)
      else this.waiting.push(slot)
    }
    if (joined) socket.write(joined, 'latin1')
    socket.uncork()
  }

  /** One timer per connection, set for the earliest deadline it knows; it re-arms itself when it finds a later one. */
  private watch(deadline: number): void {
    if (deadline >= this.wakes) return
    this.wakes = deadline
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.expire(), Math.max(0, Math.ceil(deadline - performance.now())))
  }

  private expire(): void {
    this.wakes = Number.POSITIVE_INFINITY
    const now = performance.now()
    if (this.connecting && this.connecting.deadline <= now) {
      this.fail('connect-timeout', 'connecting took too long')
      return
    }
    let earliest = this.connecting?.deadline ?? Number.POSITIVE_INFINITY
    for (let i = this.head; i < this.waiting.length; i++)
      earliest = Math.min(earliest, this.waiting[i]!.deadline)
    for (const slot of this.queue) earliest = Math.min(earliest, slot.deadline)
    if (earliest <= now) this.fail(this.ready ? 'timeout' : 'connect-timeout', 'no reply within the deadline')
    else if (earliest < Number.POSITIVE_INFINITY) this.watch(earliest)
  }

  private detach(): void {
    this.socket = undefined
    this.ready = false
  }

  /** Drops the socket and rejects everything that waits. */
  private fail(kind: TransportErrorKind, message: string, cause?: Error): void {
    const { socket, connecting, queue, waiting, head } = this
    const written = waiting.slice(head)
    this.detach()
    this.connecting = undefined
    this.queue = []
    this.waiting = []
    this.head = 0
    clearTimeout(this.timer)
    this.wakes = Number.POSITIVE_INFINITY
    socket?.destroy()
    const code = cause && (deepest(cause) as NodeJS.ErrnoException).code
    const error = (sent: boolean) => new TransportError(kind, this.name, message, { cause, code, sent })
    connecting?.fail(error(false))
    for (const slot of written) slot.reject(error(true))
    for (const slot of queue) slot.reject(error(false))
  }
}

function latin1(body: Uint8Array): string {
  const buffer = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return buffer.toString('latin1')
}

function lookupFailed(error: NodeJS.ErrnoException): boolean {
  return error.syscall === 'getaddrinfo' || error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
}

/** A name with several addresses fails with one error per address; the last one tells. */
function deepest(error: Error): Error {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) : error
}
