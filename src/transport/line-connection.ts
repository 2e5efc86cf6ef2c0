/**
 * A connection for administration: text commands one at a time, replies read line by line or as a stream that waits for its
 * reader. For `watch`, `lru_crawler metadump` and `stats`; the clients use `Connection`.
 */
import type { Socket } from 'node:net'
import { ByteQueue } from '../ground/byte-queue.js'
import type { Bytes } from '../ground/bytes.js'
import { addressName, type ServerAddress } from './address.js'
import { lastOf, lookupFailed, messageOf, TransportError, type TransportErrorKind } from './errors.js'
import { openSocket, type Tls } from './socket.js'

export interface LineConnectionOptions {
  readonly tls?: Tls | undefined
  /** Milliseconds to wait for the connection, and for each reply. */
  readonly timeout: number
}

/** Bytes that are read ahead of the reader. */
const mostAhead = 256 * 1024
/** Bytes of a line. The longest of memcached are error texts and metadump's keys, below 2 KiB. */
const longestLine = 64 * 1024

export class LineConnection {
  private readonly queue = new ByteQueue()
  private wake: (() => void) | undefined = undefined
  private failure: TransportError | undefined = undefined
  private paused = false

  private constructor(
    private readonly socket: Socket,
    /** How errors name the server. */
    readonly server: string,
    private readonly timeout: number,
  ) {}

  /** @throws TransportError (rejection) of kind `lookup`, `connect` or `connect-timeout` */
  static open(address: ServerAddress, { tls, timeout }: LineConnectionOptions): Promise<LineConnection> {
    const server = addressName(address)
    return new Promise((resolve, reject) => {
      const refuse = (kind: TransportErrorKind, message: string, code?: string) => {
        clearTimeout(timer)
        socket.destroy()
        reject(new TransportError(kind, server, `${server}: ${message}`, code === undefined ? {} : { code }))
      }
      let made: LineConnection | undefined
      const socket = openSocket(
        address,
        { noDelay: true, keepAlive: true, tls },
        {
          connected: () => {
            clearTimeout(timer)
            made = new LineConnection(socket, server, timeout)
            resolve(made)
          },
          data: (chunk) => made?.received(Buffer.from(chunk)),
          drained: () => undefined,
          error: (error) => {
            if (made) made.fail('reset', messageOf(error), error.code)
            else refuse(lookupFailed(error) ? 'lookup' : 'connect', messageOf(lastOf(error)), error.code)
          },
          end: () => {
            if (made) made.fail('closed', 'the server closed the connection')
            else refuse('connect', 'the connection was closed before it was open')
          },
        },
      )
      const timer = setTimeout(() => refuse('connect-timeout', `no connection within ${timeout} ms`), timeout)
    })
  }

  send(text: Bytes): void {
    this.socket.write(Buffer.from(text, 'latin1'))
  }

  /** The next line without its line break. @throws TransportError (rejection) */
  async line(): Promise<Bytes> {
    const deadline = performance.now() + this.timeout
    for (;;) {
      const end = this.queue.lineEnd()
      if (end > longestLine || (end < 0 && this.queue.length > longestLine))
        throw this.fail('unintelligible', `sent a line of more than ${longestLine} bytes`)
      if (end >= 0)
        return this.queue
          .take(end + 1)
          .toString('latin1')
          .replace(/\r?\n$/, '')
      await this.more(deadline)
    }
  }

  /** @throws TransportError (rejection) */
  async exactly(length: number): Promise<Buffer> {
    const deadline = performance.now() + this.timeout
    while (this.queue.length < length) await this.more(deadline)
    return this.queue.take(length)
  }

  /**
   * The arrived bytes, as soon as there are some; the server has to wait between two calls.
   * @throws TransportError (rejection), `timeout` when nothing comes within the time (by default the connection's)
   */
  async chunk(timeout = this.timeout): Promise<Buffer> {
    if (this.queue.length === 0) await this.more(performance.now() + timeout)
    return this.queue.take(this.queue.length)
  }

  close(): void {
    this.failure ??= new TransportError(
      'aborted',
      this.server,
      `${this.server}: the connection was closed here`,
    )
    this.socket.destroy()
    this.wake?.()
  }

  private received(chunk: Buffer): void {
    this.queue.push(chunk)
    if (this.queue.length > mostAhead && !this.paused) {
      this.paused = true
      this.socket.pause()
    }
    this.wake?.()
  }

  private async more(deadline: number): Promise<void> {
    const before = this.queue.length
    if (this.paused) {
      this.paused = false
      this.socket.resume()
    }
    let timer: NodeJS.Timeout | undefined
    while (this.queue.length === before) {
      if (this.failure) throw this.failure
      const left = deadline - performance.now()
      if (left <= 0) throw this.fail('timeout', 'no answer in time')
      await new Promise<void>((resolve) => {
        this.wake = resolve
        timer = left < 2 ** 31 ? setTimeout(resolve, left) : undefined
      })
      clearTimeout(timer)
      this.wake = undefined
    }
  }

  private fail(kind: TransportErrorKind, message: string, code?: string): TransportError {
    this.failure ??= new TransportError(kind, this.server, `${this.server}: ${message}`, {
      sent: true,
      ...(code === undefined ? {} : { code }),
    })
    this.socket.destroy()
    this.wake?.()
    return this.failure
  }
}
