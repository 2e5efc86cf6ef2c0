/** Bytes that arrive in chunks and are taken from the front. Each byte is copied at most once. */
const lineFeed = 0x0a

export class ByteQueue {
  private chunks: Buffer[] = []
  /** Bytes in which no line feed was found. */
  private searched = 0
  length = 0

  /** The chunk must not change afterwards. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.chunks.push(chunk)
    this.length += chunk.length
  }

  /** The byte at this position; undefined behind the end. */
  at(index: number): number | undefined {
    let before = 0
    for (const chunk of this.chunks) {
      if (index < before + chunk.length) return chunk[index - before]
      before += chunk.length
    }
    return undefined
  }

  /** Position of the first line feed; −1 when there is none yet. */
  lineEnd(): number {
    let before = 0
    for (const chunk of this.chunks) {
      if (before + chunk.length > this.searched) {
        const found = chunk.indexOf(lineFeed, Math.max(0, this.searched - before))
        if (found >= 0) return before + found
      }
      before += chunk.length
    }
    this.searched = this.length
    return -1
  }

  /** The first bytes, which stay in the queue; undefined when there are fewer. */
  peek(length: number): Buffer | undefined {
    if (length > this.length) return undefined
    this.join(length)
    return (this.chunks[0] ?? Buffer.alloc(0)).subarray(0, length)
  }

  /** At most as many bytes as there are. */
  take(length: number): Buffer {
    const count = Math.min(length, this.length)
    this.join(count)
    const first = this.chunks[0] ?? Buffer.alloc(0)
    this.skip(count)
    return first.subarray(0, count)
  }

  skip(length: number): void {
    let left = Math.min(length, this.length)
    this.length -= left
    this.searched = Math.max(0, this.searched - left)
    let whole = 0
    while (left > 0 && this.chunks[whole]!.length <= left) left -= this.chunks[whole++]!.length
    if (whole > 0) this.chunks.splice(0, whole)
    if (left > 0) this.chunks[0] = this.chunks[0]!.subarray(left)
  }

  clear(): void {
    this.chunks = []
    this.length = 0
    this.searched = 0
  }

  /** Makes the first bytes one chunk. */
  private join(length: number): void {
    if (length === 0 || this.chunks[0]!.length >= length) return
    let count = 0
    let total = 0
    while (total < length) total += this.chunks[count++]!.length
    this.chunks.splice(0, count, Buffer.concat(this.chunks.slice(0, count), total))
  }
}
