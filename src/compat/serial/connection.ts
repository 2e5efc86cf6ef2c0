/**
 * A connection that reads as python-memcached does: a fixed number of lines for each command, with any content. Lines that a reply leaves over
 * answer the next command. Only for the switch `desynchronisation`. Source: docs/reference/python-memcached.md#5, #10.1, #13.1, #14.
 */
import { connect as connectPlain, type Socket } from 'node:net'
import type { Bytes } from '../../ground/bytes.js'
import type { ItemTaker, Request, RetrievalRequest, StatsRequest } from '../../protocol/requests.js'
import { Statistics } from '../../protocol/statistics.js'
import { lineReply } from '../../protocol/text/lines.js'
import { checkText, encodeText } from '../../protocol/text/text.js'
import { HANDED_OVER, type Item, type Reply } from '../../protocol/wire.js'
import { IndexError, KeyError, ValueError } from '../../python/errors.js'
import type { Rules } from '../../rules/index.js'
import { addressName, type ServerAddress } from '../../transport/address.js'
import { TransportError, type TransportErrorKind } from '../../transport/errors.js'
import { type Connect, peerOf } from '../../transport/socket.js'
import type { Exchange, ExchangeOptions, Peer, Receiver } from '../../transport/types.js'
import { miscounted, notANumber } from '../policies/wording.js'
import { ENDLESS, type Ending, Inbox } from './inbox.js'
import { unpacked } from './unsafe-keys.js'

/** The largest number of timeouts that a reply may take, because the timeout limits every single wait; in python-memcached there is no limit. */
const MOST_WAITS = 100

/** The differences between versions. */
export interface Reading {
  readonly rules: Rules
  readonly decode: (item: Item, operation: 'get' | 'getMulti') => unknown
}

/** A request whose reply python-memcached fails to read. */
export interface UnreadRequest extends StatsRequest {
  readonly unread: boolean
}

function plain(address: ServerAddress): Socket {
  if (address.transport === 'unix') return connectPlain({ path: address.path })
  return connectPlain({ host: address.host, port: address.port, family: address.family ?? 0 })
}

export class SerialConnection implements Exchange {
  readonly name: string
  private socket: Socket | undefined = undefined
  private connected = false
  /** The connection failed before everything was sent. */
  private sending = false
  private opening: Promise<void> | undefined = undefined
  private inbox = new Inbox()
  /** Ends when everything written before has been read. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    readonly address: ServerAddress,
    private readonly reading: Reading,
    private readonly connection?: Connect,
  ) {
    this.name = addressName(address)
  }

  get state(): 'idle' | 'connecting' | 'ready' {
    if (this.connected) return 'ready'
    return this.opening ? 'connecting' : 'idle'
  }

  get peer(): Peer | undefined {
    return peerOf(this.socket)
  }

  exchange(request: Request, options?: ExchangeOptions): Promise<Reply>
  exchange<T>(request: Request, options: ExchangeOptions | undefined, receiver: Receiver<T>): Promise<T>
  async exchange<T>(request: Request, options?: ExchangeOptions, receiver?: Receiver<T>): Promise<T | Reply> {
    let reply: Reply
    try {
      reply = await this.ask(request, options?.timeout ?? 3000)
    } catch (error) {
      if (receiver && error instanceof TransportError) return receiver.failed(error)
      throw error
    }
    return receiver ? receiver.reply(reply) : reply
  }

  private async ask(request: Request, timeout: number): Promise<Reply> {
    // Keys have been checked by the key rule; the other parts of the line are checked here.
    if (request.kind !== 'retrieval' && request.kind !== 'store') checkText(request)
    if (!this.connected) await this.connect({ timeout })
    const { socket, inbox } = this
    if (inbox.broken)
      throw this.error(inbox.broken, 'the connection was lost while it was idle', inbox.broken === 'reset')
    socket!.cork()
    encodeText(request, {
      text: (bytes) => socket!.write(unpacked(bytes), 'latin1'),
      data: (bytes) => (typeof bytes === 'string' ? socket!.write(bytes, 'latin1') : socket!.write(bytes)),
    })
    socket!.uncork()
    if (request.noreply || ('unread' in request && request.unread)) return HANDED_OVER
    const reply = this.turn.then(() => this.read(request, inbox, timeout))
    this.turn = reply.catch(() => {})
    return reply
  }

  connect(options?: ExchangeOptions): Promise<void> {
    if (this.connected) return Promise.resolve()
    this.opening ??= this.open(options?.timeout ?? 3000).finally(() => {
      this.opening = undefined
    })
    return this.opening
  }

  private open(timeout: number): Promise<void> {
    const { address } = this
    const inbox = new Inbox()
    return new Promise((resolve, reject) => {
      const socket = this.connection?.(address) ?? plain(address)
      // Only pending requests keep the process running, by the timers of their deadlines.
      socket.unref()
      const timer = setTimeout(() => fail('connect-timeout', 'timed out'), timeout)
      const fail = (kind: TransportErrorKind, message: string): void => {
        clearTimeout(timer)
        socket.destroy()
        reject(this.error(kind, message))
      }
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (socket.readyState === 'opening' || !this.connected) {
          fail(error.syscall === 'getaddrinfo' ? 'lookup' : 'connect', error.message)
        }
        inbox.end('reset')
      })
      socket.once('connect', () => {
        clearTimeout(timer)
        this.socket = socket
        this.inbox = inbox
        this.connected = true
        this.sending = false
        this.turn = Promise.resolve()
        resolve()
      })
      socket.on('data', (chunk) => inbox.add(chunk as Buffer))
      socket.on('end', () => inbox.end('closed'))
      socket.on('close', () => inbox.end('closed'))
    })
  }

  private async read(request: Request, inbox: Inbox, timeout: number): Promise<Reply> {
    const ends = performance.now() + timeout * MOST_WAITS
    const line = async (): Promise<Bytes> => {
      if (performance.now() > ends) return this.failed('timeout')
      return inbox.line(timeout).catch(this.failed)
    }
    if (request.kind === 'stats') return this.readStats(line)
    if (request.kind !== 'retrieval') {
      const text = await line()
      // Only the exact word counts.
      const stored = request.kind !== 'store' || text === 'STORED' || !text.startsWith('STORED')
      return stored ? lineReply(text) : { type: 'line', status: 'unknown', line: text }
    }
    if (request.multi && request.taker) return this.readMany(request, request.taker, line, inbox, timeout)
    return this.readOne(request, line, inbox, timeout)
  }

  /** Reads one line, its value if it has one, and one more line: neither key nor END are checked. */
  private async readOne(
    { verb, taker }: RetrievalRequest,
    line: () => Promise<Bytes>,
    inbox: Inbox,
    timeout: number,
  ): Promise<Reply> {
    const first = await line()
    if (!first.startsWith('VALUE')) return { type: 'items', items: [], end: lineReply(first) }
    const item = await this.readItem(first, verb === 'gets' ? 5 : 4, inbox, timeout)
    if (!this.leavesEnd(item)) await line()
    taker?.item(0, item.flags, item.cas, item.data)
    return { type: 'items', items: taker ? [] : [item], end: lineReply('END') }
  }

  /** Up to 1.47 the line after a value that cannot be read stays unread. */
  private leavesEnd(item: Item): boolean {
    return this.reading.rules.leavesEnd && !this.decodes(item, 'get')
  }

  private decodes(item: Item, operation: 'get' | 'getMulti'): boolean {
    try {
      this.reading.decode(item, operation)
      return true
    } catch {
      return false
    }
  }

  /** A get_multi: read until END, and stop where a value cannot be read. */
  private async readMany(
    { keys }: RetrievalRequest,
    taker: ItemTaker,
    line: () => Promise<Bytes>,
    inbox: Inbox,
    timeout: number,
  ): Promise<Reply> {
    const items = new Map<Bytes, Item>()
    for (let text = await line(); text !== 'END' && text !== ''; text = await line()) {
      if (!text.startsWith('VALUE')) continue
      const item = await this.readItem(text, 4, inbox, timeout)
      // The last one of a key counts, as in a dict.
      items.set(item.key, item)
      if (!keys.includes(item.key)) throw new KeyError(item.key)
      // The receiver gets the same failure; the rest of the reply stays unread.
      if (!this.decodes(item, 'getMulti')) break
    }
    for (const item of items.values()) taker.item(keys.indexOf(item.key), item.flags, item.cas, item.data)
    return { type: 'items', items: [], end: lineReply('END') }
  }

  private async readItem(header: Bytes, fields: 4 | 5, inbox: Inbox, timeout: number): Promise<Item> {
    const words = header.split(' ')
    if (words.length !== fields) throw new ValueError(miscounted(this.reading.rules, fields, words.length))
    const [, key, flags, length, cas] = words as [string, string, string, string, string | undefined]
    const size = Number(length)
    if (!Number.isInteger(size) || !/^\d+$/.test(flags))
      throw new ValueError(notANumber(this.reading.rules, /^\d+$/.test(flags) ? length : flags))
    const data = await inbox.bytes(size + 2, timeout).catch(this.failed)
    return {
      key,
      flags: Number(flags) >>> 0,
      cas: cas === undefined ? undefined : BigInt(cas),
      data: data.subarray(0, size),
    }
  }

  private async readStats(line: () => Promise<Bytes>): Promise<Reply> {
    const stats = new Statistics()
    for (let text = await line(); text.trim() !== 'END' && text !== ''; text = await line()) {
      const [, name, value] = /^[^ ]* ([^ ]*) (.*)$/.exec(text) ?? []
      if (name === undefined || value === undefined) throw new IndexError('list index out of range')
      try {
        stats.add(name, value)
      } catch (error) {
        throw this.unreadable((error as Error).message)
      }
    }
    return { type: 'stats', stats: stats.take(), end: lineReply('END') }
  }

  private readonly failed = (kind: unknown): never => {
    if (kind === ENDLESS) throw this.unreadable('a line without end')
    if (kind !== 'closed' && kind !== 'reset' && kind !== 'timeout') throw kind
    this.sending ||= this.unsent
    throw this.error(kind, kind === 'timeout' ? 'timed out' : 'connection closed in readline()', this.sending)
  }

  /** More than any memcached sends: python-memcached would read without a limit. */
  private unreadable(message: string): TransportError {
    this.drop()
    return this.error('unintelligible', message)
  }

  private get unsent(): boolean {
    return (this.socket?.writableLength ?? 0) > 0
  }

  private error(kind: TransportErrorKind, message: string, sending = false): TransportError {
    const sent = kind !== 'connect' && kind !== 'lookup'
    return new TransportError(kind, this.name, message, { sent, sending })
  }

  /** The pipeline calls this after an invalid reply; python-memcached keeps the connection. `drop` closes it. */
  close(): void {}

  /** Closes at once, as marking the server dead and disconnect_all do; waiting requests fail in the same way. */
  drop(how: Ending = 'closed'): void {
    this.connected = false
    this.sending ||= this.unsent
    this.socket?.destroy()
    this.socket = undefined
    this.inbox.end(how)
  }
}
