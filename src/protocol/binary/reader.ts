/** Cuts the binary protocol's reply frames out of chunks: any chunk boundary, one copy of each body. No I/O. */

import type { Bytes } from '../../ground/bytes.js'
import { type ParserLimits, UnintelligibleReply } from '../protocol.js'

const HEADER = 24
const MAGIC = 0x81
/** Bodies are grown as they arrive from this size on, so that a header alone cannot claim memory. */
const CLAIM = 1 << 20

export class ReplyFrame {
  constructor(
    private readonly header: Buffer,
    private readonly body: Buffer,
  ) {}

  get code(): number {
    return this.header[1]!
  }

  get status(): number {
    return this.header.readUInt16BE(6)
  }

  /** The 16 bits of the opaque field that number the request. */
  get sequence(): number {
    return this.header.readUInt16BE(12)
  }

  cas(): bigint {
    return this.header.readBigUInt64BE(16)
  }

  private get keyStart(): number {
    return this.header[4]!
  }

  private get keyEnd(): number {
    return this.keyStart + this.header.readUInt16BE(2)
  }

  get extras(): Buffer {
    return this.body.subarray(0, this.keyStart)
  }

  get key(): Bytes {
    return this.body.toString('latin1', this.keyStart, this.keyEnd)
  }

  /** Owned by the receiver. */
  get value(): Buffer {
    return this.body.subarray(this.keyEnd)
  }

  text(): Bytes {
    return this.value.toString('latin1')
  }
}

export class FrameReader {
  private header = Buffer.allocUnsafe(HEADER)
  /** Bytes of the header that have come; the body is awaited once it is whole. */
  private filled = 0
  private body: Buffer | undefined = undefined
  private length = 0
  private received = 0

  constructor(
    private readonly limits: ParserLimits,
    private readonly take: (frame: ReplyFrame) => void,
  ) {}

  /** A header has come whose body has not come whole. */
  get announced(): boolean {
    return this.body !== undefined
  }

  /** @throws UnintelligibleReply */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) at = this.body === undefined ? this.head(chunk, at) : this.fill(chunk, at)
  }

  private head(chunk: Buffer, at: number): number {
    const used = Math.min(HEADER - this.filled, chunk.length - at)
    chunk.copy(this.header, this.filled, at, at + used)
    this.filled += used
    if (this.header[0] !== MAGIC)
      throw new UnintelligibleReply(`reply begins with 0x${this.header[0]!.toString(16)}, not 0x81`)
    if (this.filled < HEADER) return at + used
    const length = this.header.readUInt32BE(8)
    const keyEnd = this.header[4]! + this.header.readUInt16BE(2)
    if (length < keyEnd || length > this.limits.maxData + keyEnd)
      throw new UnintelligibleReply(`reply claims a body of ${length} bytes with ${keyEnd} of extras and key`)
    this.length = length
    this.received = 0
    this.body = Buffer.allocUnsafe(Math.min(length, CLAIM))
    if (length === 0) this.whole(this.body)
    return at + used
  }

  private fill(chunk: Buffer, at: number): number {
    let body = this.body!
    const used = Math.min(chunk.length - at, this.length - this.received)
    if (this.received + used > body.length) {
      const grown = Buffer.allocUnsafe(Math.min(this.length, Math.max(body.length * 2, this.received + used)))
      body.copy(grown, 0, 0, this.received)
      this.body = body = grown
    }
    chunk.copy(body, this.received, at, at + used)
    this.received += used
    if (this.received === this.length) this.whole(body)
    return at + used
  }

  private whole(body: Buffer): void {
    const { header } = this
    this.header = Buffer.allocUnsafe(HEADER)
    this.filled = 0
    this.body = undefined
    this.take(new ReplyFrame(header, body))
  }
}
