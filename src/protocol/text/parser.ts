/**
 * Incremental parser of the text protocol: any chunk boundary, length-driven (data blocks are never
 * scanned). The frames that were put on the wire say which reply comes next.
 */

import { isAscii } from 'node:buffer'
import type { Bytes } from '../../ground/bytes.js'
import { notAskedFor, type ParserLimits, type Sink, UnintelligibleReply } from '../protocol.js'
import { Fifo, type Request, type RetrievalRequest } from '../requests.js'
import { Statistics } from '../statistics.js'
import type { Item, ItemsReply, LineReply } from '../wire.js'
import { configHeader, END, type ItemHeader, lineReply, STORED, valueHeader } from './lines.js'
import { sliceText, startsWith, ValueScan } from './scan.js'

/** One expected reply, for one or more requests. */
export type Frame =
  | { readonly shape: 'line' }
  /** One multi-key get that several requests of one key each share. */
  | { readonly shape: 'shared'; readonly requests: readonly RetrievalRequest[] }
  /** One get of many keys, from one index to another, by one request. The end of the last part ends the request. */
  | {
      readonly shape: 'items'
      readonly request: RetrievalRequest
      readonly from: number
      readonly to: number
    }
  /** Commands without a reply, which a server may nevertheless answer if it refuses them. */
  | { readonly shape: 'silent'; readonly kinds: ReadonlySet<Request['kind']> }
  | { readonly shape: 'stats' }
  /** A CONFIG block up to END. */
  | { readonly shape: 'config' }

const EMPTY = Buffer.alloc(0)
const CR = 13
const LF = 10
const STORED_LINE = Buffer.from('STORED\r\n')
const END_LINE = Buffer.from('END\r\n')
/** A miss; also a hit whose item has been passed to its receiver. */
const NONE: ItemsReply = { type: 'items', items: [], end: END }
/** Data blocks are grown as they arrive from this size on, so that a header alone cannot claim memory. */
const CLAIM = 1 << 20

/** Error lines that memcached sends only for some kinds of commands. */
const restrictedErrors: readonly (readonly [line: RegExp, kinds: readonly Request['kind'][]])[] = [
  [/^CLIENT_ERROR (cannot increment or decrement|invalid numeric delta)/, ['arithmetic']],
  [/^(SERVER_ERROR (object too large|out of memory storing)|CLIENT_ERROR bad data chunk)/, ['store']],
  [/^CLIENT_ERROR bad command line format\. {2}Usage: delete/, ['delete']],
  [/^CLIENT_ERROR invalid exptime/, ['touch', 'flush_all']],
]

/** Whether an error line can belong to one of the commands without a reply. */
function mayBelongTo(sent: ReadonlySet<Request['kind']>, line: Bytes): boolean {
  return restrictedErrors.every(([words, kinds]) => !words.test(line) || kinds.some((kind) => sent.has(kind)))
}

export class TextParser {
  private readonly frames = new Fifo<Frame>()
  /** Kinds of the commands without a reply that were sent since the last frame. */
  private silent: Set<Request['kind']> | undefined = undefined
  /** An incomplete line. */
  private rest: Buffer | undefined = undefined
  /** Keys of the first frame that have been passed. */
  private asked = 0
  /** The request that the arriving item answers, and the index of its key in it. */
  private request: RetrievalRequest | undefined = undefined
  private index = 0
  private items: Item[] = []
  /** The first error that ended a part of the first frame's request. */
  private partError: LineReply | undefined = undefined
  private readonly stats = new Statistics()
  /** The last item of a shared get is an answer only when something follows it. */
  private held: ItemsReply | undefined = undefined
  private readonly scan = new ValueScan()
  /** Length of the data block that is being received; −1 when there is none. */
  private length = -1
  private flags = 0
  private cas: bigint | undefined = undefined
  /** The block becomes text, so that its bytes need not be kept. */
  private textual = false
  private block: Buffer | undefined = undefined
  private filled = 0
  /** For blocks that become text and come in pieces; used again and again. */
  private scratch = EMPTY
  /** Whether the current chunk is ASCII: checked once for all texts in it, at the first one. */
  private ascii: boolean | undefined = undefined

  constructor(
    private readonly sink: Sink,
    private readonly limits: ParserLimits,
  ) {}

  expect(frame: Frame): void {
    if (this.silent) {
      this.frames.push({ shape: 'silent', kinds: this.silent })
      this.silent = undefined
    }
    this.frames.push(frame)
  }

  /** A command without a reply was put on the wire. */
  expectNothing(kind: Request['kind']): void {
    this.silent ??= new Set()
    this.silent.add(kind)
  }

  /** @throws UnintelligibleReply */
  push(chunk: Buffer): void {
    let at = 0
    this.ascii = undefined
    if (this.rest) at = this.finishLine(chunk)
    while (at < chunk.length) {
      if (this.length >= 0) {
        at = this.fill(chunk, at)
        continue
      }
      const next = this.glance(chunk, at)
      if (next > 0) {
        at = next
        continue
      }
      const end = chunk.indexOf(LF, at)
      this.checkLine((end < 0 ? chunk.length : end) - at)
      if (end < 0) {
        this.rest = Buffer.from(chunk.subarray(at))
        return
      }
      // A bare LF ends a line too, as it does for libmemcached (docs/reference/pylibmc.md#7.1).
      this.line(chunk.toString('latin1', at, end > at && chunk[end - 1] === CR ? end - 1 : end))
      at = end + 1
    }
  }

  /** Reads the usual line for the first frame. Returns the start of the next line, 0 for another or an incomplete line. */
  private glance(chunk: Buffer, at: number): number {
    const frame = this.frames.first
    switch (frame?.shape) {
      case 'line':
        if (!startsWith(chunk, at, STORED_LINE)) return 0
        this.done()
        this.sink.reply(STORED)
        return at + STORED_LINE.length
      case 'shared':
      case 'items': {
        if (startsWith(chunk, at, END_LINE)) {
          if (frame.shape === 'shared') this.endShared(frame.requests.length, END)
          else this.endPart(frame, END)
          return at + END_LINE.length
        }
        const { asked, scan } = this
        const key = keyOf(frame, asked)
        if (key === undefined) return 0
        const start = scan.header(chunk, at, key)
        if (start === 0 || scan.length > this.limits.maxData) return 0
        this.begin(frame, asked, scan.flags, undefined, scan.length)
        return start
      }
      default:
        return 0
    }
  }

  /** Completes the line that an earlier chunk began. Returns the start of the next line. */
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
    const frame = this.frames.first
    if (!frame) throw new UnintelligibleReply(`unexpected reply ${JSON.stringify(line.slice(0, 80))}`)
    switch (frame.shape) {
      case 'line':
        this.done()
        return this.sink.reply(lineReply(line))
      case 'shared':
        return line.startsWith('VALUE ')
          ? this.header(frame, valueHeader(line, this.limits.maxData))
          : this.endShared(frame.requests.length, lineReply(line))
      case 'items':
        return line.startsWith('VALUE ')
          ? this.header(frame, valueHeader(line, this.limits.maxData))
          : this.endPart(frame, lineReply(line))
      case 'silent':
        if (/^(ERROR|CLIENT_ERROR|SERVER_ERROR)/.test(line) && mayBelongTo(frame.kinds, line))
          throw new UnintelligibleReply(
            `${JSON.stringify(line.slice(0, 80))} may belong to a command without a reply`,
          )
        this.done()
        return this.line(line)
      case 'config':
        if (line.startsWith('CONFIG ')) return this.header(frame, configHeader(line, this.limits.maxData))
        return this.endItems(lineReply(line))
      case 'stats':
        return this.statistic(line)
    }
  }

  /** The first frame has been answered. */
  private done(): void {
    this.asked = 0
    this.frames.shift()
  }

  private endShared(count: number, end: LineReply): void {
    const { held } = this
    this.held = undefined
    let misses = count - this.asked
    this.done()
    const reply: ItemsReply = end === END ? NONE : { type: 'items', items: [], end }
    if (held) this.sink.reply(end === END ? held : { ...held, end })
    for (; misses > 0; misses--) this.sink.reply(reply)
  }

  private endPart({ request, to }: Frame & { shape: 'items' }, end: LineReply): void {
    if (end !== END) this.partError ??= end
    if (to < request.keys.length) return this.done()
    const first = this.partError ?? end
    this.partError = undefined
    this.endItems(first)
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
      this.stats.add(name, value)
      return
    }
    const stats = this.stats.take()
    this.done()
    this.sink.reply({ type: 'stats', stats, end: lineReply(line) })
  }

  /** memcached answers in the order of the request and only leaves misses out. */
  private header(frame: Frame, { key, flags, cas, length }: ItemHeader): void {
    let index = this.asked
    if (frame.shape === 'shared')
      index = frame.requests.findIndex(({ keys }, i) => i >= index && keys[0] === key)
    else if (frame.shape === 'items') {
      const at = frame.request.keys.indexOf(key, frame.from + index)
      index = at < frame.to ? at - frame.from : -1
    }
    if (index < 0) throw notAskedFor(key)
    this.begin(frame, index, flags, cas, length)
  }

  /** @param index of the key in the frame */
  private begin(frame: Frame, index: number, flags: number, cas: bigint | undefined, length: number): void {
    if (frame.shape === 'shared') this.answerEarlier(index)
    this.asked = index + 1
    this.flags = flags
    this.cas = cas
    this.length = length
    this.filled = 0
    this.block = undefined
    const request = retrievalOf(frame, index)
    this.request = request
    this.index = frame.shape === 'items' ? frame.from + index : 0
    this.textual = request?.taker?.textFlags === flags
  }

  /** Answers the requests of a shared get before the item that has just arrived. An item is an answer only after END or another item. */
  private answerEarlier(index: number): void {
    const { held } = this
    this.held = undefined
    if (held) this.sink.reply(held)
    for (let missed = index - this.asked; missed > 0; missed--) this.sink.reply(NONE)
  }

  /** Reads the available part of the data block. Returns its end. */
  private fill(chunk: Buffer, at: number): number {
    const { length } = this
    const total = length + 2
    let { block } = this
    if (block === undefined && chunk.length - at >= total) {
      // The whole block is in the chunk: at most one copy, and the line break is checked in place.
      this.checkBreak(chunk[at + length], chunk[at + length + 1])
      if (this.textual) this.ascii ??= isAscii(chunk)
      this.whole(chunk, at, false, this.ascii)
      return at + total
    }
    block ??= this.textual ? this.lend(total) : Buffer.allocUnsafe(Math.min(total, CLAIM))
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
      this.whole(block, 0, !this.textual)
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
    const key = this.request?.keys[this.index] ?? ''
    throw new UnintelligibleReply(`data block of ${JSON.stringify(key)} does not end where its length says`)
  }

  /**
   * @param own the bytes may be kept without a copy
   * @param ascii the bytes are known to be ASCII
   */
  private whole(from: Buffer, start: number, own: boolean, ascii?: boolean): void {
    const { length, textual, flags, cas, request, index } = this
    const end = start + length
    this.length = -1
    this.block = undefined
    const text = textual ? sliceText(from, start, end, ascii) : undefined
    const data = text ?? (own ? from.subarray(start, end) : copied(from, start, length))
    this.request = undefined
    if (request?.taker) request.taker.item(index, flags, cas, data)
    else this.items.push({ key: request?.keys[index] ?? 'cluster', flags, cas, data: data as Buffer })
    if (this.frames.first!.shape === 'shared') this.held = this.collected()
  }

  /** The items of one retrieval, unless they were passed to its receiver. */
  private collected(): ItemsReply {
    const { items } = this
    if (items.length === 0) return NONE
    this.items = []
    return { type: 'items', items, end: END }
  }
}

/** The key that may be answered next. */
function keyOf(frame: Frame & { shape: 'shared' | 'items' }, asked: number): Bytes | undefined {
  if (frame.shape === 'shared') return frame.requests[asked]?.keys[0]
  const index = frame.from + asked
  return index < frame.to ? frame.request.keys[index] : undefined
}

function retrievalOf(frame: Frame | undefined, index: number): RetrievalRequest | undefined {
  if (frame?.shape === 'shared') return frame.requests[index]
  return frame?.shape === 'items' ? frame.request : undefined
}

function copied(chunk: Buffer, at: number, length: number): Buffer {
  const data = Buffer.allocUnsafe(length)
  chunk.copy(data, 0, at, at + length)
  return data
}
