/** Bytes that arrived, read by line or by count. Every single wait has the timeout anew. Source: docs/reference/python-memcached.md#5. */
import type { Bytes } from '../../ground/bytes.js'

export type Ending = 'closed' | 'reset' | 'timeout'

export class Inbox {
  private buffer: Buffer = Buffer.alloc(0)
  private wake: (() => void) | undefined
  /** Why nothing more will arrive. */
  broken: Ending | undefined

  add(chunk: Buffer): void {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk])
    this.wake?.()
  }

  end(how: Ending): void {
    this.broken ??= how
    this.wake?.()
  }

  /** Without its CRLF; a lone line feed ends no line. @throws 'closed', 'reset' or 'timeout' (rejection) */
  async line(timeout: number): Promise<Bytes> {
    for (;;) {
      const end = this.buffer.indexOf('\r\n')
      if (end >= 0) {
        const line = this.buffer.toString('latin1', 0, end)
        this.buffer = this.buffer.subarray(end + 2)
        return line
      }
      await this.more(timeout)
    }
  }

  /** @throws as line */
  async bytes(count: number, timeout: number): Promise<Buffer> {
    while (this.buffer.length < count) await this.more(timeout)
    const data = Buffer.from(this.buffer.subarray(0, count))
    this.buffer = this.buffer.subarray(count)
    return data
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
