/**
 * Exchanges with a server inside this process that answers within the call: no socket, no timer, no turn of the event loop. An audit makes
 * millions of them. Replies, and the effects of a closed server, are the same as on a connection (connection.ts).
 */
import type { Bytes } from '../ground/bytes.js'
import type { DirectSession } from '../protocol/direct-session.js'
import { type Conversation, DEFAULT_LIMITS, type Output, type Protocol } from '../protocol/protocol.js'
import type { Request } from '../protocol/requests.js'
import { textProtocol } from '../protocol/text/text.js'
import { HANDED_OVER, type Reply } from '../protocol/wire.js'
import { addressName, type ServerAddress } from './address.js'
import { Connection } from './connection.js'
import type { ConnectionOptions } from './connection-options.js'
import { endedWhileIdle, type IdleEnd, kindOf, TransportError, type TransportErrorKind } from './errors.js'
import type { Connect } from './socket.js'
import { writtenIntoEnded } from './stale.js'
import { asIs, type Exchange, type ExchangeOptions, type Receiver } from './types.js'

const openers = new WeakMap<Connect, (address: ServerAddress) => DirectSession>()

/** @returns `connect`, with which a client reaches its servers without sockets if possible */
export function withDirectSessions(
  connect: Connect,
  open: (address: ServerAddress) => DirectSession,
): Connect {
  openers.set(connect, open)
  return connect
}

/** A connection to a server, or an exchange without a socket. */
export function exchangeWith(address: ServerAddress, options: ConnectionOptions): Exchange {
  const open = options.connect && openers.get(options.connect)
  return open ? new DirectExchange(address, open, options) : new Connection(address, options)
}

/** Bytes of requests and replies that are joined without a buffer of their own. */
const SCRATCH = 64 * 1024
let scratch: Buffer | undefined

/** Joins pieces. The result is valid until the next call. */
function joined(pieces: readonly (Uint8Array | Bytes)[]): Buffer {
  let length = 0
  for (const piece of pieces) length += piece.length
  scratch ??= Buffer.allocUnsafeSlow(SCRATCH)
  const bytes = length <= SCRATCH ? scratch : Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') bytes.write(piece, at, 'latin1')
    else bytes.set(piece, at)
    at += piece.length
  }
  return bytes.subarray(0, length)
}

class Pieces implements Output {
  readonly pieces: (Uint8Array | Bytes)[] = []

  text(bytes: Bytes): void {
    const { pieces } = this
    const last = pieces.length - 1
    if (typeof pieces[last] === 'string') pieces[last] += bytes
    else pieces.push(bytes)
  }

  data(bytes: Uint8Array | Bytes): void {
    this.pieces.push(bytes)
  }
}

class DirectExchange implements Exchange {
  readonly name: string
  private readonly protocol: Protocol
  private session: DirectSession | undefined = undefined
  private conversation!: Conversation
  private ready = false
  private reply: Reply | undefined = undefined
  /** The server closed the connection while no request was waiting, and no caller has got the error yet. */
  private stale: IdleEnd | undefined = undefined

  constructor(
    private readonly address: ServerAddress,
    private readonly openSession: (address: ServerAddress) => DirectSession,
    private readonly options: ConnectionOptions,
  ) {
    this.name = addressName(address)
    this.protocol = options.protocol ?? textProtocol
  }

  get state(): 'idle' | 'ready' {
    return this.session || this.stale ? 'ready' : 'idle'
  }

  get ended(): boolean {
    return this.stale !== undefined
  }

  exchange(request: Request, options?: ExchangeOptions): Promise<Reply>
  exchange<T>(request: Request, options: ExchangeOptions | undefined, receiver: Receiver<T>): Promise<T>
  exchange<T>(
    request: Request,
    options?: ExchangeOptions,
    receiver: Receiver<T> = asIs as Receiver<T>,
  ): Promise<T> {
    this.protocol.check(request)
    this.notice()
    return new Promise<T>((resolve, reject) => {
      if (options?.signal?.aborted) return reject(options.signal.reason)
      const settle = (take: () => T): void => {
        try {
          resolve(take())
        } catch (error) {
          reject(error)
        }
      }
      const failed = (error: TransportError) => settle(() => receiver.failed(error))
      if (this.stale) {
        const { end, taken } = writtenIntoEnded(this.stale, request, this.protocol, this.options.closedTakes)
        this.stale = end
        return taken ? settle(() => receiver.reply(HANDED_OVER)) : failed(this.wentStale(end))
      }
      try {
        this.open()
        const reply = this.ask((out) => this.conversation.write([{ request }], out), request.noreply)
        if (request.noreply) settle(() => receiver.reply(HANDED_OVER))
        else if (reply) settle(() => receiver.reply(reply))
        else if (this.session?.ended) failed(this.lose('closed', 'server closed the connection'))
        else this.wait(options, failed)
      } catch (error) {
        if (error instanceof TransportError) return failed(error)
        return failed(this.lose(kindOf(error), (error as Error)?.message ?? String(error), error))
      }
      this.notice()
    })
  }

  /**
   * Unintelligible bytes after the reply, or after a request without one, only end the session: on a connection they arrive later.
   * @returns the reply to a request, when there is one
   */
  private ask(write: (out: Output) => void, noreply = false): Reply | undefined {
    const out = new Pieces()
    write(out)
    const { session, conversation } = this
    const pieces = session!.take(joined(out.pieces))
    this.reply = undefined
    try {
      if (pieces.length > 0) conversation.push(joined(pieces))
    } catch (error) {
      if (!this.reply && !noreply) throw error
      this.close(false)
    }
    return this.reply
  }

  private open(): void {
    if (this.session) return
    this.session = this.openSession(this.address)
    this.ready = false
    this.conversation = this.protocol.converse(
      {
        reply: (reply) => {
          this.reply = reply
        },
        ready: () => {
          this.ready = true
        },
      },
      this.options.limits ?? DEFAULT_LIMITS,
    )
    let waits = false
    this.ask((out) => {
      waits = this.conversation.greet(out)
    })
    if (waits && !this.ready) throw new Error('the server did not answer the first messages of the protocol')
  }

  /** The server does not answer: the operation waits for its timeout, as on a connection. */
  private wait(options: ExchangeOptions | undefined, failed: (error: TransportError) => void): void {
    const { deadline, timeout = this.options.timeout ?? 5000 } = options ?? {}
    const wait = deadline === undefined ? timeout : Math.max(0, deadline - performance.now())
    setTimeout(() => failed(this.lose('timeout', 'no reply within the deadline')), wait)
  }

  /** Detects that the server has closed the connection while no request waits. */
  private notice(): void {
    if (!this.session?.ended) return
    this.session = undefined
    this.stale = this.options.stale === 'fail' ? 'closed' : undefined
  }

  private wentStale(end: IdleEnd): TransportError {
    queueMicrotask(() => {
      this.stale = undefined
    })
    return endedWhileIdle(this.name, end)
  }

  private lose(kind: TransportErrorKind, message: string, cause?: unknown): TransportError {
    this.session?.close()
    this.session = undefined
    return new TransportError(kind, this.name, message, { sent: true, cause })
  }

  connect(): Promise<void> {
    try {
      if (!this.stale) this.open()
      return Promise.resolve()
    } catch (error) {
      return Promise.reject(this.lose('authentication', (error as Error).message, error))
    }
  }

  close(quit = true): void {
    this.stale = undefined
    if (this.session && quit) {
      const out = new Pieces()
      this.conversation.quit(out)
      this.session.take(joined(out.pieces))
    }
    this.session?.close()
    this.session = undefined
  }
}
