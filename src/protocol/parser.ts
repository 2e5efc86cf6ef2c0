/**
 * Incremental parser of text protocol replies: no I/O, any chunk boundary, length-driven (data blocks are never
 * scanned). The caller says which shape it expects next; replies come out in that order.
 */
import type { Bytes, Item, LineReply, LineStatus, Reply, ReplyShape } from './wire.js'

export interface ParserLimits {
  /** Longest reply line in bytes. */
  readonly maxLine: number
  /** Longest data block in bytes. */
  readonly maxData: number
}

/** memcached's items are at most 1 GiB (`-I`); its lines stay far below 64 KiB. */
export const DEFAULT_LIMITS: ParserLimits = { maxLine: 65_536, maxData: 1_073_741_824 }

/** Bytes that cannot be a reply; nothing after them can be trusted. */
export class UnintelligibleReply extends Error {
  override readonly name = 'UnintelligibleReply'
}

const CR = 13
const LF = 10
const EMPTY = Buffer.alloc(0)
const STATUSES: readonly LineStatus[] = [
  'STORED', 'NOT_STORED', 'EXISTS', 'NOT_FOUND', 'DELETED', 'TOUCHED', 'OK', 'RESET', 'END', 'VERSION',
  'ERROR', 'CLIENT_ERROR', 'SERVER_ERROR',
] // biome-ignore format: one list

const BY_WORD = new Map<string, LineStatus>(STATUSES.map((status) => [status, status]))

/** What a reply line says, by its first word. */
export function lineReply(line: Bytes): LineReply {
  const blank = line.indexOf(' ')
  const first = blank < 0 ? line : line.slice(0, blank)
  const status = BY_WORD.get(first) ?? (/^\d+ *$/.test(line) ? 'NUMBER' : 'unknown')
  return { type: 'line', status, line }
}

export interface ReplySource {
  /** Shape of the oldest unanswered request, or undefined when nothing is expected. */
  shape(): ReplyShape | undefined
  /** Keys the oldest unanswered request asked for, when a reply may name no other. */
  keys(): readonly Bytes[] | undefined
  /** Takes the reply to the oldest unanswered request. */
  reply(reply: Reply): void
}

export class ReplyParser {
  private buffered: Buffer = EMPTY
  private items: Item[] = []
  private stats: [Bytes, Bytes][] = []
  private asked = 0
  /** Header of the data block being received, and the part of it that has arrived. */
  private header: { key: Bytes; flags: number; cas: bigint | undefined; length: number } | undefined
  private block: Buffer | undefined
  private filled = 0

  constructor(
    private readonly source: ReplySource,
    private readonly limits: ParserLimits = DEFAULT_LIMITS,
  ) {}

  /**
   * Consumes a chunk. It is only read during the call; values are copied out of it.
   * @throws UnintelligibleReply; the parser must not be used afterwards
   */
  push(chunk: Buffer): void {
    let input = this.buffered.length > 0 ? Buffer.concat([this.buffered, chunk]) : chunk
    this.buffered = EMPTY
    while (input.length > 0) {
      const used = this.header ? this.data(input) : this.line(input)
      if (used === 0) break
      input = input.subarray(used)
    }
    if (input.length > 0) this.buffered = Buffer.from(input)
  }

  private line(input: Buffer): number {
    const end = input.indexOf(LF)
    if ((end < 0 ? input.length : end) > this.limits.maxLine) {
      throw new UnintelligibleReply(`reply line longer than ${this.limits.maxLine} bytes`)
    }
    if (end < 0) return 0
    // A bare LF ends a line too, as it does for libmemcached (spec/pylibmc §7.1).
    const text = input.toString('latin1', 0, end > 0 && input[end - 1] === CR ? end - 1 : end)
    this.take(text)
    return end + 1
  }

  private take(text: Bytes): void {
    const shape = this.source.shape()
    if (shape === undefined || shape === 'none') {
      throw new UnintelligibleReply(`unexpected reply ${JSON.stringify(text.slice(0, 80))}`)
    }
    if (shape === 'items' && text.startsWith('VALUE ')) {
      this.startItem(text)
    } else if (shape === 'items') {
      const items = this.items
      this.items = []
      this.asked = 0
      this.source.reply({ type: 'items', items, end: lineReply(text) })
    } else if (shape === 'stats' && /^(STAT|ITEM|PREFIX) /.test(text)) {
      const [, name = '', value = ''] = /^[^ ]+ ([^ ]*) ?(.*)$/.exec(text) ?? []
      this.stats.push([name, value])
    } else if (shape === 'stats') {
      const stats = this.stats
      this.stats = []
      this.source.reply({ type: 'stats', stats, end: lineReply(text) })
    } else {
      this.source.reply(lineReply(text))
    }
  }

  private startItem(text: Bytes): void {
    // Only the space separates: \s would also match the byte 0xa0 of a UTF-8 key.
    const match = /^VALUE ([^ ]+) (\d{1,10}) (\d{1,10})(?: (\d{1,20}))? ?$/.exec(text)
    const length = Number(match?.[3])
    if (!match || length > this.limits.maxData) {
      throw new UnintelligibleReply(`bad item header ${JSON.stringify(text.slice(0, 300))}`)
    }
    const key = match[1] as Bytes
    this.checkKey(key)
    const cas = match[4] === undefined ? undefined : BigInt(match[4])
    this.header = { key, flags: Number(match[2]) >>> 0, cas, length }
    // Grown as bytes arrive when large, so that a header alone cannot claim memory.
    this.block = Buffer.allocUnsafe(Math.min(length + 2, 1 << 20))
    this.filled = 0
  }

  /** memcached answers in the order of the request and only leaves misses out. */
  private checkKey(key: Bytes): void {
    const keys = this.source.keys()
    if (!keys) return
    const at = keys.indexOf(key, this.asked)
    if (at < 0)
      throw new UnintelligibleReply(`reply names key ${JSON.stringify(key)}, which was not asked for`)
    this.asked = at + 1
  }

  private data(input: Buffer): number {
    const header = this.header!
    let block = this.block!
    const total = header.length + 2
    const used = Math.min(input.length, total - this.filled)
    if (this.filled + used > block.length) {
      const grown = Buffer.allocUnsafe(Math.min(total, Math.max(block.length * 2, this.filled + used)))
      block.copy(grown, 0, 0, this.filled)
      this.block = block = grown
    }
    input.copy(block, this.filled, 0, used)
    this.filled += used
    if (this.filled === total) {
      if (block[header.length] !== CR || block[header.length + 1] !== LF) {
        throw new UnintelligibleReply(
          `data block of ${JSON.stringify(header.key)} does not end where its length says`,
        )
      }
      const { key, flags, cas } = header
      this.items.push({ key, flags, cas, data: block.subarray(0, header.length) })
      this.header = this.block = undefined
    }
    return used
  }
}
