/**
 * One socket of a connection, with its conversation. Intake says when replies are read, SocketOutput joins what is written. Events of a released socket are ignored. The
 * steps of a read are methods and not closures of each socket: the engine compiles them once for all connections of a program.
 */
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { Bytes } from '../../ground/bytes.js'
import {
  type Conversation,
  DEFAULT_LIMITS,
  type Output,
  type Protocol,
  type Sink,
} from '../../protocol/protocol.js'
import type { Reply } from '../../protocol/wire.js'
import type { ServerAddress } from '../address.js'
import type { ConnectionOptions } from '../connection-options.js'
import { openSocket, type SocketEvents } from '../socket.js'

/** The connection that a link belongs to. */
export interface LinkOwner {
  /** The conversation may carry requests. */
  readonly ready: boolean
  /** Requests that have been written and not answered. */
  readonly unanswered: number
  /** Requests that have not been written. */
  readonly queued: number
  /** The conversation may carry requests from now on. */
  opened(): void
  /** The reply to the oldest request that waits for one. */
  answer(reply: Reply): void
  /** Writes the requests that wait. */
  flush(): void
  /** The system has taken everything that was written. */
  drained(): void
  /** The socket failed. */
  broken(error: NodeJS.ErrnoException): void
  /** The server ended the connection. */
  closedByServer(): void
  /** Reading, or a caller's code that it called, has thrown. */
  crashed(error: unknown): void
}

/** Room for several values of 100 KB: a value that arrives whole is read without a copy. The system provides memory only for the used part. */
const RECEIVE_BUFFER = 256 * 1024

export class Link implements SocketEvents, Sink {
  readonly socket: Socket
  readonly output: SocketOutput
  readonly conversation: Conversation
  private readonly intake: Intake
  private gone = false

  /** @throws Node's errors for the address or the TLS options */
  constructor(
    private readonly owner: LinkOwner,
    address: ServerAddress,
    protocol: Protocol,
    { noDelay = true, keepAlive = false, tls, connect, limits = DEFAULT_LIMITS }: ConnectionOptions,
  ) {
    this.conversation = protocol.converse(this, limits)
    this.intake = new Intake(this.conversation, owner, (step) => this.later(step))
    this.socket = openSocket(address, { noDelay, keepAlive, tls, connect }, this)
    // The socket does not keep the process running: only pending requests do, by the timer of their deadline.
    this.socket.unref()
    this.output = new SocketOutput(this.socket)
  }

  /** From now on events of the socket are ignored. The socket stays open. */
  letGo(): void {
    this.gone = true
  }

  connected(): void {
    this.later(() => {
      const waits = this.conversation.greet(this.output)
      this.output.flush()
      if (!waits) this.owner.opened()
    })
  }

  /** Bytes are received into one buffer, which is used again for every read. */
  receiver(): { buffer: Buffer; callback: (length: number) => true } {
    const buffer = Buffer.allocUnsafeSlow(RECEIVE_BUFFER)
    const callback = (length: number): true => {
      this.data(buffer.subarray(0, length))
      return true
    }
    return { buffer, callback }
  }

  data(chunk: Buffer): void {
    if (this.gone) return
    try {
      this.intake.take(chunk)
      // The next message of the conversation before any request.
      if (!this.owner.ready && !this.gone) this.output.flush()
    } catch (error) {
      this.owner.crashed(error)
    }
  }

  drained(): void {
    if (!this.gone) this.owner.drained()
  }

  error(error: NodeJS.ErrnoException): void {
    this.later(() => this.intake.finish())
    this.later(() => this.owner.broken(error))
  }

  end(): void {
    this.later(() => this.intake.finish())
    this.later(() => this.owner.closedByServer())
  }

  reply(reply: Reply): void {
    if (!this.gone) this.owner.answer(reply)
  }

  ready(): void {
    if (!this.gone) this.owner.opened()
  }

  /** An exception ends the connection, and reaches only the requests that wait on it. */
  later(step: () => void): void {
    if (this.gone) return
    try {
      step()
    } catch (error) {
      this.owner.crashed(error)
    }
  }
}

// Not the global functions at the time of the call: tests that replace them must not stop the client.
const { nextTick } = process
const MICROTASK = Promise.resolve()

/** The number of requests from which a separate write is faster. */
const WORTH_A_WRITE = 4
/** Bytes from which on a chunk is only a part of the replies: the requests that follow can be sent between two chunks. */
const LARGE = 32 * 1024
/** Turns that a server has to answer at once before their replies are read in halves. */
const ENOUGH_TURNS = 3
/** Requests from which on every turn is read in halves. */
const MANY = 32
/** Pieces in which the replies of few requests come after a halving that has helped. */
const LASTING = 8
/** Turns of few requests that are waited for at most before the next halving. */
const MOST_TURNS = 1024

/**
 * Reads arrived replies in a way that keeps the server busy. memcached answers a turn's requests with one write (since
 * 1.6.35 pipelined gets too), so all replies of a turn may arrive at once. If they were all read before the next requests were sent,
 * client and server would work alternately. Therefore these replies are read in two halves, and the requests that callers make after the first
 * half are sent before the second half is read. A server that answers piece by piece is still busy while a piece is read, and halves
 * would only cost time: they begin when whole turns have been answered at once, and end with the first small piece.
 *
 * Of few requests the first halving is often enough: client and server then work on two groups of requests at the same time, and go on so. Where
 * the groups meet again at once, halves cost more than they save, and are tried again after twice as many turns.
 */
export class Intake {
  private second: Buffer | undefined = undefined
  /** Turns that were answered at once, since the last small piece. */
  private turns = 0
  /** Turns of few requests that have to be answered at once before their replies are read in halves. */
  private patience = ENOUGH_TURNS
  /** Pieces that have come since replies of few requests were read in halves; −1 once they have come at once again. */
  private pieces = -1

  constructor(
    private readonly conversation: Pick<Conversation, 'push'>,
    private readonly owner: Pick<LinkOwner, 'unanswered' | 'queued' | 'flush'>,
    /** Runs a step from the event loop, unless the connection has gone. */
    private readonly later: (step: () => void) => void,
  ) {}

  /** @param chunk only valid until the callers that it answers have run */
  take(chunk: Buffer): void {
    const { conversation, owner } = this
    this.finish()
    this.writeEarly()
    const before = owner.unanswered
    if (before < 2 * WORTH_A_WRITE || chunk.length > LARGE) return conversation.push(chunk)
    if (this.turns < (before < MANY ? this.patience : ENOUGH_TURNS)) {
      conversation.push(chunk)
      return this.learn(before - owner.unanswered, before)
    }
    const middle = chunk.length >> 1
    const second = chunk.subarray(middle)
    conversation.push(chunk.subarray(0, middle))
    const answered = before - owner.unanswered
    // The whole chunk answers less than two thirds: the server is still busy with the rest.
    if (answered * 3 < before) {
      conversation.push(second)
      return this.learn(before - owner.unanswered, before)
    }
    this.second = second
    if (before < MANY) {
      this.turns = 0
      this.pieces = 0
    }
    // The callers run as microtasks; a tick that a microtask requests comes after all of them, and before the next chunk.
    MICROTASK.then(this.wait)
  }

  private learn(answered: number, before: number): void {
    if (answered === before) {
      this.turns++
      if (this.pieces >= 0)
        this.patience = this.pieces < LASTING ? Math.min(2 * this.patience, MOST_TURNS) : ENOUGH_TURNS
      this.pieces = -1
      return
    }
    if (answered * 3 < before) this.turns = 0
    if (this.pieces >= 0) this.pieces++
  }

  /** Reads the half that waits, if there is one. */
  finish(): void {
    const { second } = this
    if (second === undefined) return
    this.second = undefined
    this.conversation.push(second)
  }

  private readonly wait = (): void => {
    nextTick(this.later, this.resume)
  }

  private readonly resume = (): void => {
    if (this.second === undefined) return
    this.writeEarly()
    this.finish()
  }

  /** Writes when as many requests wait as the server still has to answer. */
  private writeEarly(): void {
    const queued = this.owner.queued
    if (queued >= WORTH_A_WRITE && queued >= this.owner.unanswered) this.owner.flush()
  }
}

/** Text up to this length is joined as a string. Longer joined strings cost V8 more than copying the pieces, and are garbage afterwards. */
const SHORT_TEXT = 640
/** The same for bytes, which become text first. */
const SHORT_BYTES = 128
/** A joined string up to this length is written without a buffer: Node copies it on its stack. */
const JOINED = 16 * 1024
/** Bytes up to this length are copied, longer ones written without. */
const COPIED = 32 * 1024
const SEND_BUFFER = 128 * 1024
/** Buffers kept for later: as many as a connection under pressure uses in turn. */
const KEPT = 8

/**
 * Joins bytes that are sent together. Short pieces become one string, which V8 joins without copying them; longer ones are copied once, into
 * a send buffer that is used again; large bytes are written without a copy.
 */
export class SocketOutput implements Output {
  private joined: Bytes = ''
  private buffer: SendBuffer | undefined = undefined
  private used = 0
  private readonly kept: SendBuffer[] = []

  constructor(private readonly socket: Writable) {}

  text(bytes: Bytes): void {
    this.joined += bytes
  }

  data(bytes: Uint8Array | Bytes): void {
    const { length } = bytes
    if (typeof bytes === 'string') {
      if (length <= SHORT_TEXT) this.joined += bytes
      else if (length > SEND_BUFFER) this.past(bytes)
      else {
        const at = this.room(length)
        this.buffer!.bytes.write(bytes, at, length, 'latin1')
      }
    } else if (length <= SHORT_BYTES) this.joined += latin1(bytes)
    else if (length > COPIED) this.past(bytes)
    else {
      const at = this.room(length)
      this.buffer!.bytes.set(bytes, at)
    }
  }

  /** Writes the joined bytes. */
  flush(): void {
    if (this.used === 0 && this.joined.length <= JOINED) {
      if (this.joined === '') return
      const { joined } = this
      this.joined = ''
      this.socket.write(joined, 'latin1')
      return
    }
    this.spill()
    this.send()
  }

  /** Writes bytes that are too large for the buffer. */
  private past(bytes: Uint8Array | Bytes): void {
    this.socket.cork()
    this.flush()
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1')
    else this.socket.write(bytes)
    this.socket.uncork()
  }

  /** The position in the buffer for so many bytes, at most a buffer full, after all earlier bytes. */
  private room(length: number): number {
    this.spill()
    if (this.used + length > SEND_BUFFER) this.send()
    this.buffer ??= this.kept.pop() ?? new SendBuffer(this.kept)
    const at = this.used
    this.used += length
    return at
  }

  private spill(): void {
    let { joined } = this
    if (joined === '') return
    this.joined = ''
    for (; joined.length > SEND_BUFFER; joined = joined.slice(SEND_BUFFER))
      this.copyText(joined.slice(0, SEND_BUFFER))
    this.copyText(joined)
  }

  private copyText(text: Bytes): void {
    const at = this.room(text.length)
    this.buffer!.bytes.write(text, at, text.length, 'latin1')
  }

  private send(): void {
    const { buffer, used, socket } = this
    if (!buffer || used === 0) return
    this.used = 0
    buffer.lent++
    socket.write(buffer.bytes.subarray(0, used), buffer.written)
    // The system accepted the bytes at once, so that the buffer is free; otherwise it is free when it has been written.
    if (socket.writableLength === 0) return
    buffer.away = true
    this.buffer = undefined
  }
}

class SendBuffer {
  readonly bytes = Buffer.allocUnsafeSlow(SEND_BUFFER)
  /** Writes whose callback has not come. */
  lent = 0
  away = false
  readonly written: () => void

  constructor(kept: SendBuffer[]) {
    this.written = () => {
      this.lent--
      if (this.lent > 0 || !this.away) return
      this.away = false
      if (kept.length < KEPT) kept.push(this)
    }
  }
}

function latin1(bytes: Uint8Array): Bytes {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('latin1')
}
