/**
 * One socket of a connection, with its conversation. Events of a released socket are ignored. The steps of a
 * read are methods and not closures of each socket: the engine compiles them once for all connections of a program.
 */
import type { Socket } from 'node:net'
import { type Conversation, DEFAULT_LIMITS, type Protocol, type Sink } from '../protocol/protocol.js'
import type { Reply } from '../protocol/wire.js'
import type { ServerAddress } from './address.js'
import type { ConnectionOptions } from './connection-options.js'
import { Intake, type IntakeSteps } from './intake.js'
import { SocketOutput } from './output.js'
import { openSocket, type SocketEvents } from './socket.js'

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

export class Link implements SocketEvents, Sink, IntakeSteps {
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
    this.intake = new Intake(this)
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

  read(bytes: Buffer): void {
    this.conversation.push(bytes)
  }

  unanswered(): number {
    return this.owner.unanswered
  }

  queued(): number {
    return this.owner.queued
  }

  write(): void {
    this.owner.flush()
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
