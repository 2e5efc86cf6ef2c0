/**
 * Pending requests. Each has the receiver of its reply, its deadline, and whether the caller still waits. The backlog holds
 * those that wait to be written: all of them are sent together, unless too many are unanswered and some have to wait longer. A single caller's
 * requests are written at once. The timer wakes the connection at the earliest deadline.
 */
import { setMaxListeners } from 'node:events'
import { Fifo, type Request } from '../protocol/requests.js'
import type { Reply } from '../protocol/wire.js'
import type { TransportError } from './errors.js'
import type { Receiver } from './types.js'

export class PendingRequest {
  private abort: (() => void) | undefined = undefined

  constructor(
    readonly request: Request,
    /** On `performance.now()`'s clock. */
    readonly deadline: number,
    private readonly receiver: Receiver<unknown>,
    private readonly resolve: (value: unknown) => void,
    private readonly reject: (error: unknown) => void,
    readonly signal: AbortSignal | undefined,
  ) {
    if (signal === undefined) return
    // The reply, if there is one, is discarded when it arrives.
    this.abort = () => this.reject(signal.reason)
    if (signal.aborted) this.abort()
    else {
      // Any number of calls may share a signal; Node would warn of a leak from the eleventh on.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', this.abort, { once: true })
    }
  }

  get aborted(): boolean {
    return this.signal?.aborted === true
  }

  /** Bytes of its data block. */
  get size(): number {
    return this.request.kind === 'store' ? this.request.data.length : 0
  }

  answer(reply: Reply): void {
    try {
      this.unheed()
      this.resolve(this.receiver.reply(reply))
    } catch (error) {
      this.reject(error)
    }
  }

  lose(error: TransportError): void {
    try {
      this.unheed()
      this.resolve(this.receiver.failed(error))
    } catch (raised) {
      this.reject(raised)
    }
  }

  /** Removes the listener: a signal may live longer than many calls. */
  private unheed(): void {
    if (this.abort) this.signal!.removeEventListener('abort', this.abort)
  }
}

/** Bytes of data blocks that are written without checking whether the socket has sent them. */
export const PORTION = 1024 * 1024

export class Backlog {
  private readonly requests = new Fifo<PendingRequest>()
  private bytes = 0
  /** Some of the requests may have been aborted. */
  private signalled = false

  get length(): number {
    return this.requests.length
  }

  push(request: PendingRequest): void {
    this.requests.push(request)
    this.bytes += request.size
    this.signalled ||= request.signal !== undefined
  }

  /** Takes the oldest requests, at most `most` of them and about one portion of bytes. Aborted ones are dropped. */
  take(most: number): readonly PendingRequest[] {
    if (this.requests.length <= most && this.bytes < PORTION && !this.signalled) {
      this.bytes = 0
      return this.requests.drain()
    }
    const taken: PendingRequest[] = []
    for (let bytes = 0; taken.length < most && bytes < PORTION; ) {
      const request = this.requests.shift()
      if (!request) break
      this.bytes -= request.size
      if (request.aborted) continue
      bytes += request.size
      taken.push(request)
    }
    if (this.requests.length === 0) this.signalled = false
    return taken
  }

  /** Everything that waits, oldest first. */
  all(): readonly PendingRequest[] {
    return this.requests.rest()
  }
}

/** The number of single requests in a row, without others, after which the next one is written at once. */
const ENOUGH = 8

/** The part of a connection that the watch reads. */
export interface WatchedConnection {
  /** No request waits to be written or answered. */
  readonly idle: boolean
}

/**
 * Detects a single caller that sends one request, waits for the answer, and sends the next, to one server or to several in turn. Its requests are
 * written at once, because nothing can be joined with them. With several callers requests are sent at the end of the event loop's turn. The
 * connections of a client share one.
 */
export class CallerWatch {
  private last: WatchedConnection | undefined = undefined
  private single = 0

  /** Called before a connection writes. @param alone it is one request, while no other of the connection is pending */
  wrote(connection: WatchedConnection, alone: boolean): void {
    this.single = alone && this.follows(connection) ? this.single + 1 : 0
    this.last = connection
  }

  isAlone(connection: WatchedConnection): boolean {
    return this.single >= ENOUGH && this.follows(connection)
  }

  /** The last request has been answered. */
  private follows(connection: WatchedConnection): boolean {
    return connection === this.last || this.last?.idle === true
  }
}

/** The longest time of Node's timers, in milliseconds. A later deadline is checked again after that. */
const LONGEST_TIMER = 2 ** 31 - 1

/** One timer for each connection, set for the earliest deadline that it knows. */
export class DeadlineTimer {
  private timer: NodeJS.Timeout | undefined = undefined
  private wakes = Number.POSITIVE_INFINITY

  /** @param due finds requests that have passed their deadline, and watches the next deadline */
  constructor(private readonly due: () => void) {}

  /** @param deadline on `performance.now()`'s clock */
  watch(deadline: number): void {
    if (deadline >= this.wakes) return
    this.wakes = deadline
    clearTimeout(this.timer)
    const wait = Math.ceil(deadline - performance.now())
    this.timer = setTimeout(this.wake, Math.min(Math.max(0, wait), LONGEST_TIMER))
  }

  private readonly wake = (): void => {
    this.wakes = Number.POSITIVE_INFINITY
    this.due()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.wakes = Number.POSITIVE_INFINITY
  }

  /** Keeps the process running. */
  ref(): void {
    this.timer?.ref()
  }

  unref(): void {
    this.timer?.unref()
  }
}
