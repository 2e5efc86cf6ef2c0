/** Cuts the bytes of a client into commands: text, meta and binary, mixed on one connection as memcached accepts them. */

import { ByteQueue } from '../../ground/byte-queue.js'
import {
  headerLength,
  isQuietGet,
  opcodeOf,
  type PacketHeader,
  packetHeader,
  packetParts,
  requestMagic,
} from './binary-packets.js'
import { type Command, longestKept, longestLine } from './command.js'
import { type Part, plain } from './parts.js'
import { beginsLikeCommand, commandLine } from './text-commands.js'

/** Keys and extras of one packet, bytes. */
const longestPacketHead = 0xffff + 0xff
/** Packets of quiet gets that are one command at most. */
const mostQuietGets = 100_000

/** A value that is being read, with the command that it completes. */
interface Block {
  /** The length with the line break after a text value. */
  readonly whole: number
  readonly value: number
  readonly flags: number
  finish(value: Part, rest: Buffer): void
  /** Bytes of a long one that have still to come. */
  left: number
}

export class RequestReader {
  private readonly queue = new ByteQueue()
  private block: Block | undefined
  private quietGets: Part[] = []
  private quietCount = 0
  private quietOpcode = 0

  constructor(private readonly command: (command: Command) => void) {}

  /** Drops incomplete commands. */
  reset(): void {
    this.queue.clear()
    this.block = undefined
    this.quietGets = []
    this.quietCount = 0
  }

  /** Whether a segment that begins like this probably begins with a command. */
  static beginsHere(bytes: Buffer): boolean {
    return bytes[0] === requestMagic
      ? bytes.length >= headerLength && packetHeader(bytes, requestMagic) !== undefined
      : beginsLikeCommand(bytes)
  }

  /** @returns false when the bytes are not commands: call `reset` and begin again at another segment */
  push(chunk: Buffer): boolean {
    this.queue.push(chunk)
    for (;;) {
      const step = this.block ? this.readBlock(this.block) : this.readHead()
      if (step !== 'done') return step === 'more'
    }
  }

  private readHead(): 'done' | 'more' | 'lost' {
    if (this.queue.length === 0) return 'more'
    return this.queue.at(0) === requestMagic ? this.readPacket() : this.readLine()
  }

  private readLine(): 'done' | 'more' | 'lost' {
    const end = this.queue.lineEnd()
    if (end < 0) return this.queue.length > longestLine ? 'lost' : 'more'
    if (end > longestLine) return 'lost'
    const line = commandLine(this.queue.take(end + 1))
    if (line === undefined) return 'lost'
    const { command, data } = line
    this.endQuietGets()
    if (data === undefined) {
      this.command(command)
      return 'done'
    }
    const { flags, length } = data
    this.block = {
      whole: length + 2,
      value: length,
      flags,
      left: length + 2,
      finish: (value, rest) => this.command({ ...command, parts: [...command.parts, value, plain(rest)] }),
    }
    return 'done'
  }

  private readPacket(): 'done' | 'more' | 'lost' {
    const head = this.queue.peek(headerLength)
    if (head === undefined) return 'more'
    const header = packetHeader(head, requestMagic)
    if (header === undefined) return 'lost'
    const { extrasLength, keyLength, bodyLength } = header
    const front = extrasLength + keyLength
    if (front > longestPacketHead) return 'lost'
    if (this.queue.length < headerLength + front) return 'more'
    this.queue.skip(headerLength)
    const extrasAndKey = this.queue.take(front)
    const value = bodyLength - front
    const flags =
      extrasLength >= 8 && opcodeOf(header.opcode).verb !== 'incr' ? extrasAndKey.readUInt32BE(0) : 0
    if (value === 0) {
      this.packet(header, packetParts(header, head, extrasAndKey, undefined, flags))
      return 'done'
    }
    this.block = {
      whole: value,
      value,
      flags,
      left: value,
      finish: (part) =>
        this.packet(header, [
          ...packetParts({ ...header, bodyLength: front }, head, extrasAndKey, undefined, flags),
          part,
        ]),
    }
    return 'done'
  }

  private readBlock(block: Block): 'done' | 'more' {
    const { whole, value, flags } = block
    if (value <= longestKept) {
      if (this.queue.length < whole) return 'more'
      const bytes = this.queue.take(value)
      this.block = undefined
      block.finish({ kind: 'value', flags, length: value, bytes }, this.queue.take(whole - value))
      return 'done'
    }
    const passed = Math.min(block.left, this.queue.length)
    this.queue.skip(passed)
    block.left -= passed
    if (block.left > 0) return 'more'
    this.block = undefined
    const rest = Buffer.from(whole > value ? '\r\n' : '')
    block.finish({ kind: 'value', flags, length: value, bytes: undefined }, rest)
    return 'done'
  }

  private packet(header: PacketHeader, parts: readonly Part[]): void {
    const { opcode, opaque } = header
    if (isQuietGet(opcode)) {
      this.quietGets.push(...parts)
      this.quietOpcode = opcode
      if (++this.quietCount >= mostQuietGets) this.endQuietGets()
      return
    }
    const { verb, quiet = false, shape = 'packet', unrecorded } = opcodeOf(opcode)
    const command = { protocol: 'binary', verb, shape, quiet, opcode, opaque } as const
    if (this.quietCount > 0 && (verb === 'noop' || verb === 'get')) {
      const before = this.quietGets
      this.quietGets = []
      this.quietCount = 0
      this.command({ ...command, verb: 'get', quietGets: true, parts: [...before, ...parts] })
      return
    }
    this.endQuietGets()
    this.command({ ...command, parts, ...(unrecorded ? { unrecorded } : {}) })
  }

  /** Quiet gets that another command ends. */
  private endQuietGets(): void {
    if (this.quietCount === 0) return
    const parts = this.quietGets
    this.quietGets = []
    this.quietCount = 0
    this.command({
      protocol: 'binary',
      verb: 'get',
      parts,
      shape: 'packet',
      quiet: true,
      quietGets: true,
      opcode: this.quietOpcode,
    })
  }
}
