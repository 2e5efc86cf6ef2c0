/** One connection: requests and replies, paired. After a loss it begins again at the next command. */

import { ByteQueue } from '../../ground/byte-queue.js'
import type { ConnectionEnd, ConversationSink } from '../packets/connections.js'
import { isQuietGet } from './binary-packets.js'
import type { Command } from './command.js'
import type { Part } from './parts.js'
import { type ReadReply, ReplyReader } from './reply-reader.js'
import { RequestReader } from './request-reader.js'

/** A command with its reply. */
export interface CommandExchange {
  /** Unix time in seconds when the command was whole. */
  readonly time: number
  readonly command: Command
  /** Undefined while it is pending, and if the capture has lost it; null when the server did not answer. */
  reply: readonly Part[] | null | undefined
  /** The exchange is complete. */
  settled: boolean
}

export interface ConversationCounts {
  exchanges: number
  /** Connections that had to be begun again because of a loss or of bytes that are not commands. */
  restarts: number
  /** Bytes passed over until a command began. */
  passedBytes: number
  /** Bytes of servers that answer no command. */
  strayBytes: number
  /** Commands whose reply is not in the capture. */
  unknownReplies: number
  /** Connections that no longer exchange commands (watch, metadump). */
  endless: number
}

/** The largest number of bytes of replies that arrive before their command. */
const earliestReplies = 256 * 1024
/** Seconds between such a reply and its command. */
const earliest = 0.01
const mostPending = 100_000
/** Seconds. A command that has waited that long when the capture ends was not answered: python-memcached gives up after this time. */
const patience = 3

export class Conversation implements ConversationSink {
  private readonly requests = new RequestReader((command) => this.begun(command))
  private readonly replies = new ReplyReader()
  private readonly early = new ByteQueue()
  private earlyTime = 0
  private pending: CommandExchange[] = []
  private synchronous: boolean
  /** The capture began in the middle of the connection: a reply may belong to an earlier command. */
  private doubtful: boolean
  private over = false
  private now = 0

  constructor(
    whole: boolean,
    private readonly counts: ConversationCounts,
    /** Called in the order of the commands; the exchange is settled later. */
    private readonly began: (exchange: CommandExchange) => void,
    private readonly settledOne: (exchange: CommandExchange) => void,
  ) {
    this.synchronous = whole
    this.doubtful = !whole
  }

  request(bytes: Buffer, time: number): void {
    if (this.over) return
    this.now = time
    if (!this.synchronous) {
      if (!RequestReader.beginsHere(bytes)) {
        this.counts.passedBytes += bytes.length
        return
      }
      this.synchronous = true
    }
    if (!this.requests.push(bytes)) this.restart()
    else if (this.early.length > 0) this.replyEarly(time)
  }

  reply(bytes: Buffer, time: number, current = true): void {
    if (this.over || !this.synchronous) return
    if (this.doubtful && !current) {
      this.counts.strayBytes += bytes.length
      return
    }
    this.doubtful = false
    this.now = time
    if (this.pending.length === 0) {
      // Two network cards, or two queues of one card, may deliver a reply just before its command.
      this.earlyTime = time
      if (this.early.length + bytes.length <= earliestReplies) this.early.push(bytes)
      else this.restart()
      return
    }
    this.replies.push(bytes)
    while (this.pending.length > 0 && !this.replies.empty) {
      const step = this.replies.next(this.pending[0]!.command)
      if (step === 'more') return
      if (step === 'wrong' || !this.settleBy(step)) {
        this.restart()
        return
      }
    }
    if (this.pending.length === 0) this.replies.reset()
  }

  private replyEarly(time: number): void {
    const bytes = this.early.take(this.early.length)
    if (this.pending.length > 0 && Math.abs(time - this.earlyTime) <= earliest) this.reply(bytes, time)
    else this.counts.strayBytes += bytes.length
  }

  gap(_direction: 'request' | 'reply', _length: number, time: number): void {
    if (this.over) return
    this.now = time
    this.restart()
  }

  end(time: number, how: ConnectionEnd = 'closed'): void {
    this.now = time
    for (const exchange of this.pending.splice(0)) {
      const unanswered = how === 'closed' || (how === 'cut' && time - exchange.time >= patience)
      this.settle(exchange, unanswered ? (exchange.command.quiet ? [] : null) : undefined)
    }
    this.over = true
  }

  private begun(command: Command): void {
    const exchange: CommandExchange = { time: this.now, command, reply: undefined, settled: false }
    this.counts.exchanges++
    if (command.shape === 'endless') {
      this.counts.endless++
      this.over = true
      this.giveUpPending()
      return
    }
    if (!command.unrecorded) this.began(exchange)
    if (command.shape === 'none') this.settle(exchange, [])
    else if (this.pending.length >= mostPending) this.restart()
    else this.pending.push(exchange)
  }

  /** @returns false when the reply belongs to no pending command */
  private settleBy(reply: ReadReply): boolean {
    const index = this.indexOf(reply)
    if (index < 0) return false
    // Quiet commands before it had no reply.
    for (const earlier of this.pending.splice(0, index))
      this.settle(earlier, earlier.command.quiet ? (earlier.reply ?? []) : undefined)
    const [exchange] = this.pending
    const { command } = exchange!
    const parts = exchange!.reply ? [...exchange!.reply, ...reply.parts] : reply.parts
    const { header } = reply
    const another =
      header !== undefined &&
      ((command.quietGets && isQuietGet(header.opcode)) ||
        (command.shape === 'packets' && header.status === 0 && header.keyLength > 0))
    if (another) exchange!.reply = parts
    else this.settle(this.pending.shift()!, parts)
    return true
  }

  private indexOf({ header, word, flags }: ReadReply): number {
    if (header)
      return this.pending.findIndex(
        ({ command: { opcode, opaque, quietGets } }) =>
          (quietGets && isQuietGet(header.opcode)) || (opcode === header.opcode && opaque === header.opaque),
      )
    const first = this.pending[0]!.command
    if (first.protocol !== 'meta' || !first.quiet) return 0
    if (word === 'MN') return this.pending.findIndex(({ command }) => command.verb === 'mn')
    const named = this.pending.findIndex(
      ({ command: { token, returnedKey } }) =>
        (token !== undefined && flags?.includes(`O${token}`)) ||
        (returnedKey !== undefined && flags?.includes(`k${returnedKey}`)),
    )
    return Math.max(0, named)
  }

  private settle(exchange: CommandExchange, reply: readonly Part[] | null | undefined): void {
    if (reply === undefined) this.counts.unknownReplies++
    exchange.reply = reply
    exchange.settled = true
    if (!exchange.command.unrecorded) this.settledOne(exchange)
  }

  private giveUpPending(): void {
    for (const exchange of this.pending.splice(0)) this.settle(exchange, undefined)
  }

  private restart(): void {
    this.counts.restarts++
    this.synchronous = false
    this.doubtful = true
    this.requests.reset()
    this.replies.reset()
    this.early.clear()
    this.giveUpPending()
  }
}
