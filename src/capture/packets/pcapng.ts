/** The block format that Wireshark writes by default. Source: IETF draft-ietf-opsawg-pcapng. */
import type { ByteQueue } from '../../ground/byte-queue.js'
import type { CaptureError } from './errors.js'
import { type FormatReader, longestPacket, type Packet } from './packet.js'

/** Block type of a section header, which is the same in both byte orders. */
export const sectionHeader = 0x0a0d0d0a
const interfaceBlock = 1
const oldPacketBlock = 2
const simplePacketBlock = 3
const enhancedPacketBlock = 6
/** The longest block in bytes. Blocks of kinds that are not needed may be longer: they are skipped. */
const longestBlock = longestPacket + 64 * 1024
const mostInterfaces = 4096

interface Interface {
  readonly linkType: number
  readonly snapLength: number
  /** Parts of a second. */
  readonly unit: number
  /** Seconds. */
  readonly offset: number
}

export class PcapngReader implements FormatReader {
  private littleEndian = true
  private interfaces: Interface[] = []
  owed = 0

  constructor(private readonly fail: (problem: string) => CaptureError) {}

  read(queue: ByteQueue, packet: (packet: Packet) => void): void {
    for (;;) {
      if (this.owed > 0) {
        const passed = Math.min(this.owed, queue.length)
        queue.skip(passed)
        this.owed -= passed
        if (this.owed > 0) return
      }
      const start = queue.peek(12)
      if (start === undefined) return
      if (start.readUInt32BE(0) === sectionHeader) this.section(start.readUInt32BE(8))
      const type = this.word(start, 0)
      const length = this.word(start, 4)
      if (length < 12 || length % 4 !== 0)
        throw this.fail(`a block claims ${length} bytes, which no block has: the file is damaged here`)
      const needed =
        type === interfaceBlock ||
        type === oldPacketBlock ||
        type === simplePacketBlock ||
        type === enhancedPacketBlock
      if (!needed) {
        this.owed = length
        continue
      }
      if (length > longestBlock)
        throw this.fail(`a block claims ${length} bytes, more than ${longestBlock}: the file is damaged here`)
      if (queue.length < length) return
      const block = queue.take(length)
      if (this.word(block, length - 4) !== length)
        throw this.fail(`a block says ${length} bytes first and ${this.word(block, length - 4)} at its end`)
      const body = block.subarray(8, length - 4)
      if (type === interfaceBlock) this.addInterface(body)
      else packet(this.packet(type, body))
    }
  }

  private section(order: number): void {
    if (order !== 0x1a2b3c4d && order !== 0x4d3c2b1a)
      throw this.fail(`a section's byte order is 0x${order.toString(16)}: the file is damaged here`)
    this.littleEndian = order === 0x4d3c2b1a
    this.interfaces = []
  }

  private addInterface(body: Buffer): void {
    if (body.length < 8) throw this.fail('an interface description is too short')
    if (this.interfaces.length >= mostInterfaces) throw this.fail(`more than ${mostInterfaces} interfaces`)
    let unit = 1e6
    let offset = 0
    for (let at = 8; at + 4 <= body.length; ) {
      const code = this.half(body, at)
      const length = this.half(body, at + 2)
      if (code === 0 || at + 4 + length > body.length) break
      const value = body.subarray(at + 4, at + 4 + length)
      if (code === 9 && length >= 1) unit = value[0]! & 0x80 ? 2 ** (value[0]! & 0x7f) : 10 ** value[0]!
      if (code === 14 && length >= 8)
        offset = Number(this.littleEndian ? value.readBigInt64LE(0) : value.readBigInt64BE(0))
      at += 4 + length + ((4 - (length % 4)) % 4)
    }
    this.interfaces.push({ linkType: this.half(body, 0), snapLength: this.word(body, 4), unit, offset })
  }

  private packet(type: number, body: Buffer): Packet {
    const simple = type === simplePacketBlock
    const header = simple ? 4 : 20
    if (body.length < header) throw this.fail('a packet block is too short')
    const index = simple ? 0 : type === oldPacketBlock ? this.half(body, 0) : this.word(body, 0)
    const from = this.interfaces[index]
    if (from === undefined) throw this.fail(`a packet names interface ${index}, which no block describes`)
    const length = this.word(body, simple ? 0 : 16)
    const limit = from.snapLength > 0 ? Math.min(length, from.snapLength) : length
    const captured = simple ? Math.min(limit, body.length - header) : this.word(body, 12)
    if (captured > body.length - header)
      throw this.fail(`a packet claims ${captured} bytes in a block with ${body.length - header}`)
    const ticks = simple ? 0 : this.word(body, 4) * 2 ** 32 + this.word(body, 8)
    return {
      time: simple ? 0 : ticks / from.unit + from.offset,
      linkType: from.linkType,
      data: body.subarray(header, header + captured),
      length: Math.max(length, captured),
    }
  }

  private word(bytes: Buffer, at: number): number {
    return this.littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  }

  private half(bytes: Buffer, at: number): number {
    return this.littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  }
}
