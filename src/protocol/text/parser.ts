/**
 * Incremental parser of the text protocol, classic and meta: any chunk boundary, length-driven (data blocks are never
 * scanned). It is told which reply comes next by the frames that were put on the wire.
 */
import { type ParserLimits, type Sink, UnintelligibleReply } from '../protocol.js'
import type { RetrievalRequest } from '../requests.js'
import type { Bytes, Item, ItemsReply, LineReply } from '../wire.js'
import {
  configHeader,
  END,
  type ItemHeader,
  lineReply,
  type MetaWords,
  metaHeader,
  metaReply,
  valueHeader,
} from './lines.js'

type Brief = RetrievalRequest['brief']

/** One reply that is due, for one or more requests. */
export type Frame =
  | { readonly shape: 'line' }
  /** Meta: one line, and what its words mean. */
  | { readonly shape: 'meta'; readonly words: MetaWords }
  /** Meta arithmetic: the new value as a data block. */
  | { readonly shape: 'meta number' }
  /** One multi-key get that several requests of one key each share. */
  | { readonly shape: 'shared'; readonly keys: readonly Bytes[]; readonly brief?: Brief }
  /** One get of many keys by one request. */
  | {
      readonly shape: 'items'
      readonly keys: readonly Bytes[]
      readonly each?: RetrievalRequest['each']
      readonly brief?: Brief
    }
  /** One mg. */
  | { readonly shape: 'item'; readonly key: Bytes; readonly brief?: Brief }
  | { readonly shape: 'stats' }
  /** A CONFIG block up to END. */
  | { readonly shape: 'config' }
  /** Asked by the conversation for itself. */
  | { readonly shape: 'own'; readonly take: (reply: LineReply) => void }

const EMPTY = Buffer.alloc(0)
const CR = 13
const LF = 10
const MISS: ItemsReply = { type: 'items', items: [], end: END }
/** Data blocks are grown as they arrive from this size on, so that a header alone cannot claim memory. */
const CLAIM = 1 << 20

export class TextParser {
  private frames: Frame[] = []
  private first = 0
  /** An incomplete line. */
  private rest: Buffer | undefined
  /** Keys of the first frame that have been passed. */
  private asked = 0
  private items: Item[] = []
  private stats: [Bytes, Bytes][] = []
  /** The data block being received. */
  private header: ItemHeader | undefined
  private block: Buffer | undefined
  private filled = 0
  /** The item being received, and the one that is held back, are read at once: their bytes are lent. */
  private lent = false
  private heldIsLent = false
  /** For blocks that are lent and come in pieces; used again and again. */
  private scratch = EMPTY

  constructor(
    private readonly sink: Sink,
    private readonly limits: ParserLimits,
  ) {}

  expect(frame: Frame): void {
    this.frames.push(frame)
  }

  /** @throws UnintelligibleReply */
  push(chunk: Buffer): void {
    this.consume(chunk)
    // The chunk will be overwritten, and the end of a shared get has not come yet.
    const [held] = this.items
    if (this.heldIsLent && held) this.items = [{ ...held, data: Buffer.from(held.data) }]
    this.heldIsLent = false
  }

  private consume(chunk: Buffer): void {
    let at = 0
    if (this.rest) at = this.finishLine(chunk)
    while (at < chunk.length) {
      if (this.header) {
        at = this.fill(chunk, at)
        continue
      }
      const end = chunk.indexOf(LF, at)
      this.checkLine((end < 0 ? chunk.length : end) - at)
      if (end < 0) {
        this.rest = Buffer.from(chunk.subarray(at))
        return
      }
      // A bare LF ends a line too, as it does for libmemcached (spec/pylibmc §7.1).
      this.line(chunk.toString('latin1', at, end > at && chunk[end - 1] === CR ? end - 1 : end))
      at = end + 1
    }
  }

  /** The line that an earlier chunk began. Returns where the next one starts. */
  private finishLine(chunk: Buffer): number {
    const rest = this.rest!
    const end = chunk.indexOf(LF)
    this.checkLine(rest.length + (end < 0 ? chunk.length : end))
    const joined = Buffer.concat([rest, end < 0 ? chunk : chunk.subarray(0, end)])
    this.rest = end < 0 ? joined : undefined
    if (end < 0) return chunk.length
    this.line(joined.toString('latin1', 0, joined.at(-1) === CR ? joined.length - 1 : joined.length))
    return end + 1
  }

  private checkLine(length: number): void {
    if (length > this.limits.maxLine)
      throw new UnintelligibleReply(`reply line longer than ${this.limits.maxLine} bytes`)
  }

  private line(line: Bytes): void {
    const frame = this.frames[this.first]
    if (!frame) throw new UnintelligibleReply(`unexpected reply ${JSON.stringify(line.slice(0, 80))}`)
    switch (frame.shape) {
      case 'line':
        this.done()
        return this.sink.reply(lineReply(line))
      case 'shared':
        return line.startsWith('VALUE ')
          ? this.begin(valueHeader(line, this.limits.maxData))
          : this.endShared(frame.keys, lineReply(line))
      case 'items':
        if (line.startsWith('VALUE ')) return this.begin(valueHeader(line, this.limits.maxData))
        return this.endItems(lineReply(line))
      case 'item':
        if (line.startsWith('VA ')) return this.begin(metaHeader(line, this.limits.maxData))
        this.done()
        return this.sink.reply(line === 'EN' ? MISS : { type: 'items', items: [], end: lineReply(line) })
      case 'meta':
        this.done()
        return this.sink.reply(metaReply(line, frame.words))
      case 'meta number': {
        const size = /^VA (\d{1,3})(?: |$)/.exec(line)?.[1]
        if (size !== undefined) {
          this.begin({ key: '', flags: 0, cas: undefined, length: Number(size) })
          return
        }
        this.done()
        return this.sink.reply(metaReply(line, { HD: 'unknown' }))
      }
      case 'config':
        if (line.startsWith('CONFIG ')) return this.begin(configHeader(line, this.limits.maxData))
        return this.endItems(lineReply(line))
      case 'stats':
        return this.statistic(line)
      case 'own':
        this.done()
        return frame.take(lineReply(line))
    }
  }

  /** The first frame has been answered. */
  private done(): void {
    this.asked = 0
    this.first++
    if (this.first === this.frames.length) {
      this.frames = []
      this.first = 0
    } else if (this.first >= 1024) {
      this.frames = this.frames.slice(this.first)
      this.first = 0
    }
  }

  private endShared(keys: readonly Bytes[], end: LineReply): void {
    const { items } = this
    this.items = []
    let misses = keys.length - this.asked
    this.done()
    if (items.length > 0) this.sink.reply({ type: 'items', items, end })
    const reply: ItemsReply = end === END ? MISS : { type: 'items', items: [], end }
    for (; misses > 0; misses--) this.sink.reply(reply)
  }

  private endItems(end: LineReply): void {
    const { items } = this
    this.items = []
    this.done()
    this.sink.reply({ type: 'items', items, end })
  }

  private statistic(line: Bytes): void {
    if (/^(STAT|ITEM|PREFIX) /.test(line)) {
      const [, name = '', value = ''] = /^[^ ]+ ([^ ]*) ?(.*)$/.exec(line) ?? []
      this.stats.push([name, value])
      return
    }
    const { stats } = this
    this.stats = []
    this.done()
    this.sink.reply({ type: 'stats', stats, end: lineReply(line) })
  }

  private begin(header: ItemHeader): void {
    this.header = header
    this.filled = 0
    this.block = undefined
    const frame = this.frames[this.first]!
    this.lent = 'brief' in frame && frame.brief?.(header.flags) === true
    if (frame.shape === 'shared') this.answerEarlier(this.pass(frame.keys, header.key))
    else if (frame.shape === 'items') this.pass(frame.keys, header.key)
    else if (frame.shape === 'item' && frame.key !== header.key) throw foreign(header.key)
  }

  /** Takes what is there of the data block. Returns where it ended. */
  private fill(chunk: Buffer, at: number): number {
    const { length } = this.header!
    const total = length + 2
    let { block } = this
    if (block === undefined && chunk.length - at >= total) {
      // All of it is here: one copy at most, and the line break is looked at where it is.
      this.checkBreak(chunk[at + length], chunk[at + length + 1])
      this.item(this.lent ? chunk.subarray(at, at + length) : copied(chunk, at, length))
      return at + total
    }
    block ??= this.lent ? this.lend(total) : Buffer.allocUnsafe(Math.min(total, CLAIM))
    const used = Math.min(chunk.length - at, total - this.filled)
    if (this.filled + used > block.length) {
      const grown = Buffer.allocUnsafe(Math.min(total, Math.max(block.length * 2, this.filled + used)))
      block.copy(grown, 0, 0, this.filled)
      block = grown
    }
    chunk.copy(block, this.filled, at, at + used)
    this.block = block
    this.filled += used
    if (this.filled === total) {
      this.checkBreak(block[length], block[length + 1])
      this.item(block.subarray(0, length))
    }
    return at + used
  }

  private lend(total: number): Buffer {
    const size = Math.min(total, CLAIM)
    if (this.scratch.length < size) this.scratch = Buffer.allocUnsafe(size)
    return this.scratch
  }

  private checkBreak(first: number | undefined, second: number | undefined): void {
    if (first === CR && second === LF) return
    const { key } = this.header!
    throw new UnintelligibleReply(`data block of ${JSON.stringify(key)} does not end where its length says`)
  }

  private item(data: Buffer): void {
    const { key, flags, cas } = this.header!
    this.header = this.block = undefined
    const frame = this.frames[this.first]!
    if (frame.shape === 'meta number') {
      this.done()
      return this.sink.reply(lineReply(data.toString('latin1')))
    }
    const item: Item = { key, flags, cas, data }
    if (frame.shape === 'items' && frame.each) return frame.each(item)
    if (frame.shape === 'items' || frame.shape === 'shared' || frame.shape === 'config') {
      this.items.push(item)
      this.heldIsLent = this.lent
      return
    }
    this.done()
    this.sink.reply({ type: 'items', items: [item], end: END })
  }

  /** The requests of a shared get before the item that has just come. An item alone is no answer yet: END must follow. */
  private answerEarlier(missed: number): void {
    const { items } = this
    if (items.length > 0) {
      this.items = []
      this.sink.reply({ type: 'items', items, end: END })
    }
    for (let i = 0; i < missed; i++) this.sink.reply(MISS)
  }

  /** memcached answers in the order of the request and only leaves misses out. Returns how many were left out. */
  private pass(keys: readonly Bytes[], key: Bytes): number {
    const at = keys.indexOf(key, this.asked)
    if (at < 0) throw foreign(key)
    const missed = at - this.asked
    this.asked = at + 1
    return missed
  }
}

function copied(chunk: Buffer, at: number, length: number): Buffer {
  const data = Buffer.allocUnsafe(length)
  chunk.copy(data, 0, at, at + length)
  return data
}

function foreign(key: Bytes): UnintelligibleReply {
  return new UnintelligibleReply(`reply names key ${JSON.stringify(key)}, which was not asked for`)
}
