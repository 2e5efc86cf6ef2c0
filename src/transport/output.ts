/**
 * Joins bytes that are sent together. Short pieces become one string, which V8 joins without copying them; longer ones are copied once, into
 * a send buffer that is used again; large bytes are written without a copy.
 */
import type { Writable } from 'node:stream'
import type { Bytes } from '../ground/bytes.js'
import type { Output } from '../protocol/protocol.js'

/** Text up to this length is joined as a string. Longer joined strings cost V8 more than copying the pieces, and are garbage afterwards. */
const SHORT_TEXT = 640
/** The same for bytes, which become text first. */
const SHORT_BYTES = 128
/** A joined string up to this length is written without a buffer: Node copies it on its stack. */
const JOINED = 16 * 1024
/** Bytes up to this length are copied, longer ones written without. */
const COPIED = 32 * 1024
const BUFFER = 128 * 1024
/** Buffers kept for later: as many as a connection under pressure uses in turn. */
const KEPT = 8

export class SocketOutput implements Output {
  private joined: Bytes = ''
  private buffer: SendBuffer | undefined = undefined
  private used = 0
  private readonly kept: SendBuffer[] = []

  constructor(private readonly socket: Writable) {}

  text(bytes: Bytes): void {
    this.joined += bytes
  }

  data(bytes: Uint8Array | Bytes): void {
    const { length } = bytes
    if (typeof bytes === 'string') {
      if (length <= SHORT_TEXT) this.joined += bytes
      else if (length > BUFFER) this.past(bytes)
      else {
        const at = this.room(length)
        this.buffer!.bytes.write(bytes, at, length, 'latin1')
      }
    } else if (length <= SHORT_BYTES) this.joined += latin1(bytes)
    else if (length > COPIED) this.past(bytes)
    else {
      const at = this.room(length)
      this.buffer!.bytes.set(bytes, at)
    }
  }

  /** Writes the joined bytes. */
  flush(): void {
    if (this.used === 0 && this.joined.length <= JOINED) {
      if (this.joined === '') return
      const { joined } = this
      this.joined = ''
      this.socket.write(joined, 'latin1')
      return
    }
    this.spill()
    this.send()
  }

  /** Writes bytes that are too large for the buffer. */
  private past(bytes: Uint8Array | Bytes): void {
    this.socket.cork()
    this.flush()
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1')
    else this.socket.write(bytes)
    this.socket.uncork()
  }

  /** The position in the buffer for so many bytes, at most a buffer full, after all earlier bytes. */
  private room(length: number): number {
    this.spill()
    if (this.used + length > BUFFER) this.send()
    this.buffer ??= this.kept.pop() ?? new SendBuffer(this.kept)
    const at = this.used
    this.used += length
    return at
  }

  private spill(): void {
    let { joined } = this
    if (joined === '') return
    this.joined = ''
    for (; joined.length > BUFFER; joined = joined.slice(BUFFER)) this.copyText(joined.slice(0, BUFFER))
    this.copyText(joined)
  }

  private copyText(text: Bytes): void {
    const at = this.room(text.length)
    this.buffer!.bytes.write(text, at, text.length, 'latin1')
  }

  private send(): void {
    const { buffer, used, socket } = this
    if (!buffer || used === 0) return
    this.used = 0
    buffer.lent++
    socket.write(buffer.bytes.subarray(0, used), buffer.written)
    // The system accepted the bytes at once, so that the buffer is free; otherwise it is free when it has been written.
    if (socket.writableLength === 0) return
    buffer.away = true
    this.buffer = undefined
  }
}

class SendBuffer {
  readonly bytes = Buffer.allocUnsafeSlow(BUFFER)
  /** Writes whose callback has not come. */
  lent = 0
  away = false
  readonly written: () => void

  constructor(kept: SendBuffer[]) {
    this.written = () => {
      this.lent--
      if (this.lent > 0 || !this.away) return
      this.away = false
      if (kept.length < KEPT) kept.push(this)
    }
  }
}

function latin1(bytes: Uint8Array): Bytes {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('latin1')
}
