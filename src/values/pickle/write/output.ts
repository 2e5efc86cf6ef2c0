/** The bytes of a pickle while it is written, with the frames of protocol 4 at the places where CPython's C pickler puts them. */
import { type BufferMethods, viewOf } from '../../../ground/bytes.js'
import { op } from '../opcodes.js'
import { hasLoneSurrogate, utf8Bytes } from '../text.js'

const FRAME_SIZE_TARGET = 64 * 1024
const FRAME_SIZE_MIN = 4
const FRAME_HEADER_SIZE = 9
/** Results up to this size are copied from one buffer that all picklings use. */
const SCRATCH_SIZE = 64 * 1024
/** A loop copies texts up to this length faster than Node's own function. */
const SHORT_TEXT = 24

/** The shared buffer. It is undefined while a pickling uses it, because persistent ids and converters may start another pickling. */
let scratch: BufferMethods | undefined
/** The methods of the shared buffer. */
let scratchView: DataView | undefined

export class PickleOutput {
  private bytes = scratch ?? (Buffer.allocUnsafeSlow(SCRATCH_SIZE) as BufferMethods)
  private view = scratch === undefined ? viewOf(this.bytes) : scratchView!
  private length = 0
  /** The offset of the open frame's header; −1 = no frame is open. */
  private frameStart = -1

  constructor() {
    scratch = undefined
  }

  /** Opens a frame. CPython opens it only at the next write. Here an empty frame is removed again, so that the bytes are the same. */
  startFraming(): void {
    this.frameStart = this.reserve(FRAME_HEADER_SIZE)
  }

  byte(value: number): void {
    // reserve() may replace the buffer and therefore has to be called first.
    const at = this.reserve(1)
    this.bytes[at] = value
  }

  /** An opcode with a one-byte argument. */
  byteArgument(opcode: number, argument: number): void {
    const at = this.reserve(2)
    this.bytes[at] = opcode
    this.bytes[at + 1] = argument
  }

  /** An opcode with a two-byte little-endian argument. */
  shortArgument(opcode: number, argument: number): void {
    const at = this.reserve(3)
    const { bytes } = this
    bytes[at] = opcode
    bytes[at + 1] = argument & 0xff
    bytes[at + 2] = argument >> 8
  }

  /** An opcode with a four-byte little-endian argument, signed or not. */
  wordArgument(opcode: number, argument: number): void {
    const at = this.reserve(5)
    const { bytes } = this
    bytes[at] = opcode
    bytes[at + 1] = argument & 0xff
    bytes[at + 2] = (argument >>> 8) & 0xff
    bytes[at + 3] = (argument >>> 16) & 0xff
    bytes[at + 4] = (argument >>> 24) & 0xff
  }

  double(opcode: number, value: number): void {
    const at = this.reserve(9)
    this.bytes[at] = opcode
    this.view.setFloat64(at + 1, value)
  }

  /** Text with one character per byte. */
  text(latin1: string): void {
    const { length } = latin1
    const at = this.reserve(length)
    const { bytes } = this
    if (length > SHORT_TEXT) bytes.latin1Write(latin1, at, length)
    else for (let i = 0; i < length; i++) bytes[at + i] = latin1.charCodeAt(i)
  }

  raw(data: Uint8Array): void {
    const at = this.reserve(data.length)
    this.bytes.set(data, at)
  }

  /** Writes a string with its header. @param short whether the protocol has an opcode for less than 256 bytes */
  utf8(text: string, short: boolean): void {
    if (text.length <= SHORT_TEXT && this.shortAscii(text, short)) return
    if (text.length < FRAME_SIZE_TARGET / 3 && this.longText(text, short)) return
    const data = utf8Bytes(text)
    const code1 = short ? op.SHORT_BINUNICODE : undefined
    this.payload(code1, op.BINUNICODE, op.BINUNICODE8, data)
  }

  /** Writes header and payload. A payload of at least a frame's size is written outside of frames. */
  payload(code1: number | undefined, code4: number | undefined, code8: number, data: Uint8Array): void {
    const { length } = data
    const bypass = this.frameStart >= 0 && length >= FRAME_SIZE_TARGET
    if (bypass) this.closeFrame()
    if (code1 !== undefined && length < 256) this.byteArgument(code1, length)
    else if (code4 !== undefined && length <= 0xffffffff) this.wordArgument(code4, length)
    else {
      const at = this.reserve(9)
      this.bytes[at] = code8
      this.bytes.writeBigUInt64LE(BigInt(length), at + 1)
    }
    this.raw(data)
    if (bypass) this.startFraming()
  }

  /** Called before each object. It closes a frame that has reached its size. */
  boundary(): void {
    const start = this.frameStart
    if (start < 0 || this.length - start - FRAME_HEADER_SIZE < FRAME_SIZE_TARGET) return
    this.closeFrame()
    this.startFraming()
  }

  finish(): Buffer {
    this.closeFrame()
    const { bytes, length } = this
    if (bytes.length !== SCRATCH_SIZE) return bytes.subarray(0, length)
    scratch = bytes
    scratchView = this.view
    const result = Buffer.allocUnsafe(length)
    bytes.copy(result, 0, 0, length)
    return result
  }

  /** Writes the text if it is ASCII. */
  private shortAscii(text: string, short: boolean): boolean {
    const { length } = text
    const header = short ? 2 : 5
    const at = this.reserve(length + header)
    const { bytes } = this
    const start = at + header
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) {
        this.length = at
        return false
      }
      bytes[start + i] = code
    }
    bytes[at] = short ? op.SHORT_BINUNICODE : op.BINUNICODE
    bytes[at + 1] = length
    if (!short) {
      bytes[at + 2] = 0
      bytes[at + 3] = 0
      bytes[at + 4] = 0
    }
    return true
  }

  /** Writes the text if it has no lone surrogate. Only then its length in bytes is known. */
  private longText(text: string, short: boolean): boolean {
    const { length } = text
    let header = short && length < 256 ? 2 : 5
    const at = this.reserve(header + 3 * length)
    const { bytes } = this
    const size = bytes.utf8Write(text, at + header, 3 * length)
    if (size !== length && hasLoneSurrogate(text)) {
      this.length = at
      return false
    }
    if (header === 2 && size >= 256) {
      bytes.copyWithin(at + 5, at + 2, at + 2 + size)
      header = 5
    }
    this.length = at
    if (header === 2) this.byteArgument(op.SHORT_BINUNICODE, size)
    else this.wordArgument(op.BINUNICODE, size)
    this.length = at + header + size
    return true
  }

  private closeFrame(): void {
    const start = this.frameStart
    if (start < 0) return
    this.frameStart = -1
    const size = this.length - start - FRAME_HEADER_SIZE
    if (size >= FRAME_SIZE_MIN) {
      this.bytes[start] = op.FRAME
      this.bytes.writeUIntLE(size, start + 1, 6)
      this.bytes.writeUInt16LE(0, start + 7)
    } else {
      this.bytes.copyWithin(start, start + FRAME_HEADER_SIZE, this.length)
      this.length -= FRAME_HEADER_SIZE
    }
  }

  private reserve(count: number): number {
    const at = this.length
    this.length = at + count
    if (this.length > this.bytes.length) this.grow()
    return at
  }

  private grow(): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length)) as BufferMethods
    this.bytes.copy(grown)
    this.bytes = grown
    this.view = viewOf(grown)
  }
}
