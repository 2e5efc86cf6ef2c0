/** Bytes that arrived, read by line or by count. The timeout limits every single wait. Source: docs/reference/python-memcached.md#5. */
import type { Bytes } from '../../ground/bytes.js'

export type Ending = 'closed' | 'reset' | 'timeout'

/** Longest line that is waited for, in bytes. python-memcached waits for any. */
const LONGEST_LINE = 1024 * 1024
/** The name of the failure for an endless line. */
export const ENDLESS = 'endless'

export class Inbox {
  private chunks: Buffer[] = []
  private length = 0
  private wake: (() => void) | undefined
  /** The reason why no more bytes will arrive. */
  broken: Ending | undefined = undefined

  add(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.length += chunk.length
    this.wake?.()
  }

  end(how: Ending): void {
    this.broken ??= how
    this.wake?.()
  }

  /** Without its CRLF; a lone line feed ends no line. @throws 'closed', 'reset', 'timeout' or 'endless' (rejection) */
  async line(timeout: number): Promise<Bytes> {
    for (;;) {
      const buffer = this.joined()
      const end = buffer.indexOf('\r\n')
      if (end >= 0) {
        this.keep(buffer.subarray(end + 2))
        return buffer.toString('latin1', 0, end)
      }
      if (buffer.length > LONGEST_LINE) throw ENDLESS
      await this.more(timeout)
    }
  }

  /** @throws as line */
  async bytes(count: number, timeout: number): Promise<Buffer> {
    while (this.length < count) await this.more(timeout)
    const buffer = this.joined()
    const data = Buffer.from(buffer.subarray(0, count))
    this.keep(buffer.subarray(count))
    return data
  }

  private joined(): Buffer {
    const [first = Buffer.alloc(0), ...others] = this.chunks
    const buffer = others.length === 0 ? first : Buffer.concat(this.chunks, this.length)
    this.keep(buffer)
    return buffer
  }

  private keep(buffer: Buffer): void {
    this.chunks = buffer.length === 0 ? [] : [buffer]
    this.length = buffer.length
  }

  private more(timeout: number): Promise<void> {
    if (this.broken) return Promise.reject(this.broken)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wake = undefined
        reject('timeout')
      }, timeout)
      this.wake = () => {
        clearTimeout(timer)
        this.wake = undefined
        resolve()
      }
    })
  }
}
