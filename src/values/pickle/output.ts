/** The bytes of a pickle under construction, with protocol 4's frames as CPython's C pickler lays them. */
import { op } from './opcodes.js'

const FRAME_SIZE_TARGET = 64 * 1024
const FRAME_SIZE_MIN = 4
const FRAME_HEADER_SIZE = 9

export class PickleOutput {
  private bytes = Buffer.allocUnsafe(256)
  private length = 0
  /** Where the open frame's header is; −1 = no frame is open. */
  private frameStart = -1
  private framing = false

  startFraming(): void {
    this.framing = true
  }

  byte(value: number): void {
    // reserve() may replace the buffer, so it comes first.
    const at = this.reserve(1)
    this.bytes[at] = value
  }

  /** An opcode with a one-byte argument. */
  byteArgument(opcode: number, argument: number): void {
    const at = this.reserve(2)
    this.bytes[at] = opcode
    this.bytes[at + 1] = argument
  }

  /** An opcode with a four-byte little-endian argument. */
  wordArgument(opcode: number, argument: number): void {
    const at = this.reserve(5)
    this.bytes[at] = opcode
    this.bytes.writeInt32LE(argument | 0, at + 1)
  }

  /** An opcode with a two-byte little-endian argument. */
  shortArgument(opcode: number, argument: number): void {
    const at = this.reserve(3)
    this.bytes[at] = opcode
    this.bytes.writeUInt16LE(argument, at + 1)
  }

  double(opcode: number, value: number): void {
    const at = this.reserve(9)
    this.bytes[at] = opcode
    this.bytes.writeDoubleBE(value, at + 1)
  }

  /** Text with one character per byte. */
  text(latin1: string): void {
    const at = this.reserve(latin1.length)
    this.bytes.write(latin1, at, 'latin1')
  }

  raw(data: Uint8Array): void {
    const at = this.reserve(data.length)
    this.bytes.set(data, at)
  }

  /** Header and payload of a string or bytes object; payloads of a frame's size and more stay outside of frames. */
  payload(header: Uint8Array, data: Uint8Array): void {
    const bypass = data.length >= FRAME_SIZE_TARGET
    const { framing } = this
    if (bypass) {
      this.closeFrame()
      this.framing = false
    }
    this.raw(header)
    this.raw(data)
    this.framing = framing
  }

  /** After each object: a frame that has reached its size is closed. */
  boundary(): void {
    if (this.frameStart >= 0 && this.length - this.frameStart - FRAME_HEADER_SIZE >= FRAME_SIZE_TARGET)
      this.closeFrame()
  }

  finish(): Buffer {
    this.closeFrame()
    return this.bytes.subarray(0, this.length)
  }

  private closeFrame(): void {
    const start = this.frameStart
    if (start < 0) return
    this.frameStart = -1
    const size = this.length - start - FRAME_HEADER_SIZE
    if (size >= FRAME_SIZE_MIN) {
      this.bytes[start] = op.FRAME
      this.bytes.writeBigUInt64LE(BigInt(size), start + 1)
    } else {
      this.bytes.copyWithin(start, start + FRAME_HEADER_SIZE, this.length)
      this.length -= FRAME_HEADER_SIZE
    }
  }

  private reserve(count: number): number {
    if (this.framing && this.frameStart < 0) {
      this.frameStart = this.length
      this.grow(FRAME_HEADER_SIZE)
    }
    const at = this.length
    this.grow(count)
    return at
  }

  private grow(count: number): void {
    this.length += count
    if (this.length <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length))
    this.bytes.copy(grown)
    this.bytes = grown
  }
}
