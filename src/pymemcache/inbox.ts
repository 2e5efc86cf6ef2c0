/** Arrived bytes that have not been read, read by line or by count. No I/O. */
import type { Bytes } from '../ground/bytes.js'

const EMPTY = Buffer.alloc(0)
const CRLF = '\r\n'

export class Inbox {
  private parts: Buffer[] = []
  private size = 0

  /** @param chunk only read until `keep` is called */
  add(chunk: Buffer): void {
    this.parts.push(chunk)
    this.size += chunk.length
  }

  get length(): number {
    return this.size
  }

  /** Copies the remaining bytes, so that the chunk can be used again. */
  keep(): void {
    const last = this.parts.at(-1)
    if (last) this.parts[this.parts.length - 1] = Buffer.from(last)
  }

  clear(): void {
    this.parts = []
    this.size = 0
  }

  /** A line without its CRLF, if it is complete. A line feed alone does not end a line. */
  line(): Bytes | undefined {
    return this.until(CRLF)
  }

  /** Everything before the first `end`, which is taken as well. */
  until(end: Bytes): Bytes | undefined {
    const joined = this.joined()
    const at = joined.indexOf(end, 0, 'latin1')
    if (at < 0) return undefined
    const text = joined.toString('latin1', 0, at)
    this.rest(joined.subarray(at + end.length))
    return text
  }

  /** A copy of this number of bytes. */
  bytes(count: number): Buffer | undefined {
    if (this.size < count) return undefined
    const joined = this.joined()
    this.rest(joined.subarray(count))
    return Buffer.from(joined.subarray(0, count))
  }

  private joined(): Buffer {
    if (this.parts.length > 1) this.parts = [Buffer.concat(this.parts)]
    return this.parts[0] ?? EMPTY
  }

  private rest(left: Buffer): void {
    this.parts = left.length === 0 ? [] : [left]
    this.size = left.length
  }
}
