/** Cuts the bytes of a server into replies, each read as the answer to the pending command. */

import { ByteQueue } from '../../ground/byte-queue.js'
import {
  headerLength,
  opcodeOf,
  type PacketHeader,
  packetHeader,
  packetParts,
  replyMagic,
} from './binary-packets.js'
import { type Command, longestKept, longestLine, longestReplyKept } from './command.js'
import { type Part, plain } from './parts.js'

/** `more`: not complete yet. `wrong`: it cannot be the answer. */
export type ReplyStep = 'more' | 'wrong' | ReadReply

export interface ReadReply {
  readonly parts: readonly Part[]
  /** Of a packet. */
  readonly header?: PacketHeader
  /** First word of the last line. */
  readonly word?: string
  /** Meta: the words after the first one. */
  readonly flags?: readonly string[]
}

const errors: ReadonlySet<string> = new Set(['ERROR', 'CLIENT_ERROR', 'SERVER_ERROR'])
const itemEnds: ReadonlySet<string> = new Set(['END', ...errors])
const lineEnds: ReadonlySet<string> = new Set(['END', 'OK', 'RESET', ...errors])
const storeAnswers = ['STORED', 'NOT_STORED', 'EXISTS', 'NOT_FOUND']
const lineAnswers: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [
    ...['set', 'add', 'replace', 'append', 'prepend', 'cas'].map((verb) => [verb, storeAnswers] as const),
    ['delete', ['DELETED', 'NOT_FOUND']] as const,
    ['touch', ['TOUCHED', 'NOT_FOUND']] as const,
    ['flush_all', ['OK']] as const,
    ['version', ['VERSION']] as const,
  ].map(([verb, words]) => [verb, new Set([...words, ...errors])]),
)

interface Block {
  readonly whole: number
  readonly value: number
  readonly flags: number
  left: number
}

export class ReplyReader {
  private readonly queue = new ByteQueue()
  private parts: Part[] = []
  private kept = 0
  private block: Block | undefined
  private packet: { readonly header: PacketHeader; readonly front: readonly Part[] } | undefined
  private metaFlags: readonly string[] = []

  push(chunk: Buffer): void {
    this.queue.push(chunk)
  }

  get empty(): boolean {
    return this.queue.length === 0 && this.parts.length === 0 && this.block === undefined
  }

  reset(): void {
    this.queue.clear()
    this.begin()
  }

  /** @param command the pending command; in the binary protocol any of them, because packets are matched by their opcode */
  next(command: Command): ReplyStep {
    if (command.protocol === 'binary') return this.nextPacket()
    for (;;) {
      if (this.block) {
        if (!this.readBlock(this.block)) return 'more'
        if (command.shape === 'meta') return this.finished({ word: 'VA', flags: this.metaFlags })
        continue
      }
      const end = this.queue.lineEnd()
      if (end < 0) return this.queue.length > longestLine ? 'wrong' : 'more'
      if (end > longestLine) return 'wrong'
      const line = this.queue.take(end + 1)
      const words = line.toString('latin1', 0, Math.min(end, 2048)).trim().split(/ +/)
      const step = this.line(command, line, words)
      if (step !== 'on') return step
    }
  }

  private line(command: Command, line: Buffer, words: readonly string[]): 'on' | 'wrong' | ReadReply {
    const [word = '', ...rest] = words
    switch (command.shape) {
      case 'items':
        if (word === 'VALUE') return this.valueLine(line, rest)
        this.parts.push(plain(line))
        return itemEnds.has(word) ? this.finished({ word }) : 'wrong'
      case 'lines':
        this.parts.push(plain(line))
        if (this.parts.length > 100_000) return 'wrong'
        return lineEnds.has(word) ? this.finished({ word }) : 'on'
      case 'meta': {
        if (word === 'VA') return this.metaValue(line, rest)
        this.parts.push(plain(line))
        return /^[A-Z]{2}$/.test(word) || errors.has(word) ? this.finished({ word, flags: rest }) : 'wrong'
      }
      default: {
        this.parts.push(plain(line))
        const { verb } = command
        const counts = verb === 'incr' || verb === 'decr'
        const fits = counts
          ? /^\d+$/.test(word) || word === 'NOT_FOUND' || errors.has(word)
          : (lineAnswers.get(verb)?.has(word) ?? true)
        return fits ? this.finished({ word }) : 'wrong'
      }
    }
  }

  private valueLine(line: Buffer, [key = '', flags, length]: readonly string[]): 'on' | 'wrong' {
    const count = Number(length)
    if (!Number.isSafeInteger(count) || count < 0 || !/^\d+$/.test(flags ?? '')) return 'wrong'
    const at = 'VALUE '.length
    this.parts.push(
      plain(line.subarray(0, at)),
      { kind: 'key', bytes: line.subarray(at, at + key.length) },
      plain(line.subarray(at + key.length)),
    )
    this.await(count, 2, Number(flags) >>> 0)
    return 'on'
  }

  private metaValue(line: Buffer, [length, ...flags]: readonly string[]): 'on' | 'wrong' {
    const count = Number(length)
    if (!Number.isSafeInteger(count) || count < 0) return 'wrong'
    this.metaFlags = flags
    // Some drafts of 1.6.0 to 1.6.9 write the flags in another order; each still has its letter.
    const key = flags.find((word) => word[0] === 'k')
    const at = key === undefined ? -1 : line.indexOf(` ${key}`, 0, 'latin1')
    if (key === undefined || at < 0) this.parts.push(plain(line))
    else
      this.parts.push(
        plain(line.subarray(0, at + 2)),
        { kind: 'key', bytes: line.subarray(at + 2, at + 1 + key.length) },
        plain(line.subarray(at + 1 + key.length)),
      )
    this.await(count, 2, Number(flags.find((word) => word[0] === 'f')?.slice(1) ?? 0) >>> 0)
    return 'on'
  }

  private nextPacket(): ReplyStep {
    if (this.packet === undefined) {
      const head = this.queue.peek(headerLength)
      if (head === undefined) return 'more'
      const header = packetHeader(head, replyMagic)
      if (header === undefined) return 'wrong'
      const { extrasLength, keyLength, bodyLength, status, opcode } = header
      const front = extrasLength + keyLength
      if (this.queue.length < headerLength + front) return 'more'
      this.queue.skip(headerLength)
      const extrasAndKey = this.queue.take(front)
      const { verb } = opcodeOf(opcode)
      const isValue = status === 0 && (verb === 'get' || verb === 'gat')
      const flags = isValue && extrasLength >= 4 ? extrasAndKey.readUInt32BE(0) : 0
      const parts = packetParts({ ...header, bodyLength: front }, head, extrasAndKey, undefined, flags)
      this.packet = { header, front: parts }
      if (isValue) this.await(bodyLength - front, 0, flags)
      // Texts of errors, counters, statistics.
      else if (bodyLength - front > longestKept) return 'wrong'
      else this.block = { whole: bodyLength - front, value: -1, flags: 0, left: 0 }
    }
    const { block, packet } = this
    if (block) {
      if (block.value < 0) {
        if (this.queue.length < block.whole) return 'more'
        if (block.whole > 0) this.parts.push(plain(this.queue.take(block.whole)))
        this.block = undefined
      } else if (!this.readBlock(block)) return 'more'
    }
    const parts = [...packet.front, ...this.parts]
    this.begin()
    return { parts, header: packet.header }
  }

  private await(value: number, tail: number, flags: number): void {
    this.block = { whole: value + tail, value, flags, left: value + tail }
  }

  /** @returns false when the block is not whole */
  private readBlock(block: Block): boolean {
    const { whole, value, flags } = block
    if (this.kept + value <= longestReplyKept && value <= longestKept) {
      if (this.queue.length < whole) return false
      this.kept += value
      const bytes = this.queue.take(value)
      this.parts.push({ kind: 'value', flags, length: value, bytes })
      if (whole > value) this.parts.push(plain(this.queue.take(whole - value)))
    } else {
      const passed = Math.min(block.left, this.queue.length)
      this.queue.skip(passed)
      block.left -= passed
      if (block.left > 0) return false
      this.parts.push({ kind: 'value', flags, length: value, bytes: undefined })
      if (whole > value) this.parts.push(plain(Buffer.from('\r\n')))
    }
    this.block = undefined
    return true
  }

  private finished(about: Omit<ReadReply, 'parts'>): ReadReply {
    const reply = { parts: this.parts, ...about }
    this.begin()
    return reply
  }

  private begin(): void {
    this.parts = []
    this.kept = 0
    this.block = undefined
    this.packet = undefined
    this.metaFlags = []
  }
}
