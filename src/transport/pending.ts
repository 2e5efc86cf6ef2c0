/**
 * Requests on their way. A pending request knows who receives its reply, until when, and whether anybody still waits. The backlog holds
 * those that wait to be written: all of them leave together, unless so much is under way that some have to wait longer.
 */
import { setMaxListeners } from 'node:events'
import { Fifo } from '../protocol/fifo.js'
import type { Request } from '../protocol/requests.js'
import type { Reply } from '../protocol/wire.js'
import type { TransportError } from './errors.js'
import type { Receiver } from './types.js'

export class PendingRequest {
  private abort: (() => void) | undefined

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
    // The reply, when one is due, is thrown away when it comes.
    this.abort = () => this.reject(signal.reason)
    if (signal.aborted) this.abort()
    else {
      // As many calls may share it as there are; Node would suspect a leak from the eleventh on.
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

  /** A signal may live longer than many calls. */
  private unheed(): void {
    if (this.abort) this.signal!.removeEventListener('abort', this.abort)
  }
}

/** Bytes of data blocks that are written without asking whether the socket has got rid of them. */
export const PORTION = 1024 * 1024

export class Backlog {
  private readonly requests = new Fifo<PendingRequest>()
  private bytes = 0
  /** One of them may have been given up. */
  private signalled = false

  get length(): number {
    return this.requests.length
  }

  push(request: PendingRequest): void {
    this.requests.push(request)
    this.bytes += request.size
    this.signalled ||= request.signal !== undefined
  }

  /** Takes the oldest, at most `most` of them and about one portion of bytes. Those given up meanwhile are dropped. */
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
