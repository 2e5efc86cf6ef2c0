/**
 * The binary protocol as libmemcached speaks it, quiet multi-gets and SASL included (docs/reference/pylibmc.md#2.2, #11.2). Opcode, opaque and
 * key of every reply are checked, which libmemcached leaves out: a reply can then never answer another request.
 */

import {
  AuthenticationFailure,
  type Conversation,
  notAskedFor,
  type Output,
  type ParserLimits,
  type Protocol,
  type Sink,
  UnintelligibleReply,
} from '../protocol.js'
import { Fifo, type Request, type RetrievalRequest } from '../requests.js'
import { Statistics } from '../statistics.js'
import type { Item, LineReply } from '../wire.js'
import { checkBinary, encodeBinary, frame, isQuietStore } from './encode.js'
import { opcode } from './opcodes.js'
import { FrameReader, type ReplyFrame } from './reader.js'
import { refusal, success } from './status.js'

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** One expected reply, or group of replies. */
interface Due {
  readonly request: Request
  /** Opcode and sequence of the reply that ends it. */
  readonly code: number
  readonly sequence: number
  /** Of quiet gets, which are numbered one after another: the number of the next key that may be answered, and that key. */
  quiet?: { sequence: number; index: number }
}

/** Numbers the requests of one server, over all of its connections: 16 bits, from 1. */
class Sequence {
  private last = 0
  next(): number {
    this.last = (this.last + 1) & 0xffff
    return this.last
  }
}

/** One per server: requests are numbered through. */
export function binaryProtocol(credentials?: Credentials): Protocol {
  const sequence = new Sequence()
  return {
    name: 'binary',
    check: checkBinary,
    converse: (sink, limits) => new BinaryConversation(sink, limits, sequence, credentials),
  }
}

const END: LineReply = { type: 'line', status: 'END', line: 'END' }

class BinaryConversation implements Conversation {
  private readonly reader: FrameReader
  private readonly due = new Fifo<Due>()
  private items: Item[] = []
  private readonly stats = new Statistics()
  private failure: LineReply | undefined = undefined
  private authenticating: { readonly sequence: number; readonly out: Output } | undefined

  /** A private field, so that `util.inspect` shows no password. */
  readonly #credentials: Credentials | undefined

  constructor(
    private readonly sink: Sink,
    limits: ParserLimits,
    private readonly sequence: Sequence,
    credentials: Credentials | undefined,
  ) {
    this.#credentials = credentials
    this.reader = new FrameReader(limits, (reply) => this.take(reply))
  }

  greet(out: Output): boolean {
    if (!this.#credentials) return false
    const { username, password } = this.#credentials
    if (username === '' && password === '')
      throw new AuthenticationFailure('user name and password are empty', 40)
    const sequence = this.sequence.next()
    this.authenticating = { sequence, out }
    out.text(frame(opcode.SASL_LIST, sequence, '', ''))
    return true
  }

  write(pending: readonly { readonly request: Request }[], out: Output): void {
    for (const { request } of pending) {
      if (request.kind === 'config' || request.kind === 'written') continue
      if (request.kind === 'retrieval' && request.multi) this.many(request, out)
      else {
        const sequence = this.sequence.next()
        const code = encodeBinary(request, sequence, out)
        if (!request.noreply) this.due.push({ request, code, sequence })
      }
    }
  }

  private many(request: RetrievalRequest, out: Output): void {
    let first: number | undefined
    for (const key of request.keys) {
      const sequence = this.sequence.next()
      first ??= sequence
      out.text(frame(opcode.GETKQ, sequence, '', key))
    }
    const sequence = this.sequence.next()
    out.text(frame(opcode.NOOP, sequence, '', ''))
    const quiet = { sequence: first ?? sequence, index: 0 }
    this.due.push({ request, code: opcode.NOOP, sequence, quiet })
  }

  push(chunk: Buffer): void {
    this.reader.push(chunk)
  }

  get announced(): boolean {
    return this.reader.announced
  }

  quit(out: Output): void {
    out.text(frame(opcode.QUIT, this.sequence.next(), '', ''))
  }

  private take(reply: ReplyFrame): void {
    if (this.authenticating) return this.authenticate(reply)
    const due = this.due.first
    if (!due) {
      if (isQuietStore(reply.code)) return
      throw new UnintelligibleReply(`unexpected reply with opcode 0x${reply.code.toString(16)}`)
    }
    if (due.quiet && reply.code === opcode.GETKQ) return this.collect(reply, due)
    if (reply.code !== due.code || reply.sequence !== due.sequence) {
      if (isQuietStore(reply.code) && reply.code !== due.code) return
      throw new UnintelligibleReply(
        `reply has opcode 0x${reply.code.toString(16)} and opaque ${reply.sequence}, not 0x${due.code.toString(16)} and ${due.sequence}`,
      )
    }
    this.answer(reply, due.request)
  }

  private answer(reply: ReplyFrame, request: Request): void {
    switch (request.kind) {
      case 'retrieval': {
        if (reply.code === opcode.GETK && reply.status === 0) this.give(item(reply, request), request, 0)
        else if (reply.status > 1) this.failure ??= refusal(reply.status, reply.text())
        const { items, failure } = this
        this.items = []
        this.failure = undefined
        this.due.shift()
        return this.sink.reply({ type: 'items', items, end: failure ?? END })
      }
      case 'stats': {
        if (reply.status === 0 && reply.key !== '') {
          this.stats.add(reply.key, reply.text())
          return
        }
        const stats = this.stats.take()
        this.due.shift()
        const end = reply.status === 0 ? END : refusal(reply.status, reply.text())
        return this.sink.reply({ type: 'stats', stats, end })
      }
      case 'written':
      case 'config':
        throw new UnintelligibleReply('reply to a request of the text protocol')
      case 'arithmetic':
        this.due.shift()
        return this.sink.reply(reply.status === 0 ? counter(reply) : refusal(reply.status, reply.text()))
      default:
        this.due.shift()
        this.sink.reply(reply.status === 0 ? success(request.kind) : refusal(reply.status, reply.text()))
    }
  }

  private collect(reply: ReplyFrame, due: Due): void {
    if (reply.status > 1) this.failure ??= refusal(reply.status, reply.text())
    else if (reply.status === 0) {
      const { request } = due
      const quiet = due.quiet!
      // With more keys than numbers, the numbers repeat; misses in between have no reply.
      const index = quiet.index + ((reply.sequence - quiet.sequence) & 0xffff)
      if (request.kind !== 'retrieval' || request.keys[index] !== reply.key) throw notAskedFor(reply.key)
      quiet.index = index + 1
      quiet.sequence = (reply.sequence + 1) & 0xffff
      this.give(item(reply, request), request, index)
    }
  }

  private give(item: Item, { taker }: RetrievalRequest, index: number): void {
    if (taker) taker.item(index, item.flags, item.cas, item.data)
    else this.items.push(item)
  }

  private authenticate(reply: ReplyFrame): void {
    const { sequence, out } = this.authenticating!
    if (reply.sequence !== sequence) throw new UnintelligibleReply('reply to no SASL request')
    if (reply.code === opcode.SASL_LIST) {
      if (reply.status !== 0) throw new AuthenticationFailure('the server knows no SASL', 7)
      if (!reply.text().split(' ').includes('PLAIN'))
        throw new AuthenticationFailure(`the server offers ${reply.text()}, not PLAIN`, 40)
      const { username, password } = this.#credentials!
      // The user name is authorization id and authentication id, as libmemcached sends it.
      const secret = Buffer.from(`${username}\0${username}\0${password}`)
      out.text(frame(opcode.SASL_AUTH, sequence, '', 'PLAIN', secret.length))
      out.data(secret)
      return
    }
    if (reply.status !== 0) throw new AuthenticationFailure(reply.text() || 'Auth failure.', 41)
    this.authenticating = undefined
    this.sink.ready()
  }
}

function item(reply: ReplyFrame, request: RetrievalRequest): Item {
  if (reply.code === opcode.GETK && reply.key !== request.keys[0]) throw notAskedFor(reply.key)
  if (reply.extras.length !== 4)
    throw new UnintelligibleReply(`item with ${reply.extras.length} bytes of flags`)
  return {
    key: reply.key,
    flags: reply.extras.readUInt32BE(0),
    cas: request.verb === 'gets' ? reply.cas() : undefined,
    data: reply.value,
  }
}

function counter(reply: ReplyFrame): LineReply {
  if (reply.value.length !== 8)
    throw new UnintelligibleReply(`counter of ${reply.value.length} bytes instead of 8`)
  return { type: 'line', status: 'NUMBER', line: String(reply.value.readBigUInt64BE(0)) }
}
