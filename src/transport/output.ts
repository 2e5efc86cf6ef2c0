/** Joins what leaves together: command lines and small data blocks in one string, large data blocks as they are. */
import type { Writable } from 'node:stream'
import type { Output } from '../protocol/protocol.js'
import type { Bytes } from '../protocol/wire.js'

/** Data blocks up to this many bytes are joined; larger ones are written without being copied. */
const JOIN_LIMIT = 8 * 1024

export class SocketOutput implements Output {
  private joined: Bytes = ''

  constructor(private readonly socket: Writable) {}

  text(bytes: Bytes): void {
    this.joined += bytes
  }

  data(bytes: Uint8Array): void {
    if (bytes.length <= JOIN_LIMIT) {
      this.joined += latin1(bytes)
      return
    }
    this.socket.cork()
    if (this.joined !== '') this.socket.write(this.joined, 'latin1')
    this.joined = ''
    this.socket.write(bytes)
    this.socket.uncork()
  }

  /** Hands over what is joined. */
  flush(): void {
    if (this.joined === '') return
    const { joined } = this
    this.joined = ''
    this.socket.write(joined, 'latin1')
  }
}

function latin1(bytes: Uint8Array): Bytes {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('latin1')
}
