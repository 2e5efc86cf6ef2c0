/** A request on its way: who is to hear of it, until when, and whether anybody still waits. */
import { setMaxListeners } from 'node:events'
import type { Request } from '../protocol/requests.js'
import type { Reply } from '../protocol/wire.js'
import type { TransportError } from './errors.js'
import type { Receiver } from './types.js'

export class Slot {
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
