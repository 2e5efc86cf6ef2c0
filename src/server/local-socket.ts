/**
 * The two ends of a connection inside this process. They have the part of `net.Socket` that clients and servers use. One end reads the bytes that the
 * other writes before the next turn of the event loop, without the operating system. For servers without faults: no byte is delayed, and no write is split.
 */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

type Written = (error?: Error | null) => void

class LocalSocket extends EventEmitter {
  peer: LocalSocket | undefined
  /** Always 0, because the other end reads written bytes at once. */
  readonly writableLength = 0
  readonly remoteAddress = undefined
  readonly remotePort = undefined
  destroyed = false
  private ended = false
  private corked = 0
  private kept: Buffer[] = []
  private handing = false

  get readyState(): 'open' | 'closed' {
    return this.destroyed ? 'closed' : 'open'
  }

  write(piece: Uint8Array | string, encoding?: BufferEncoding | Written, written?: Written): boolean {
    const done = typeof encoding === 'function' ? encoding : written
    // The bytes are copied, because a sender may use its buffer again and a store keeps its bytes.
    this.kept.push(
      typeof piece === 'string'
        ? Buffer.from(piece, typeof encoding === 'string' ? encoding : 'utf8')
        : Buffer.from(piece),
    )
    if (this.corked === 0) this.handOver()
    done?.()
    return true
  }

  cork(): void {
    this.corked++
  }

  uncork(): void {
    if (this.corked > 0 && --this.corked === 0) this.handOver()
  }

  /** Delivers after the caller has finished, so that no answer arrives while a request is being written. */
  private handOver(): void {
    if (this.kept.length === 0 || this.handing) return
    this.handing = true
    process.nextTick(this.deliver)
  }

  private readonly deliver = (): void => {
    this.handing = false
    const [first, ...others] = this.kept
    this.kept = []
    const { peer } = this
    if (!first || !peer || peer.destroyed) return
    peer.emit('data', others.length === 0 ? first : Buffer.concat([first, ...others]))
  }

  /** The other end reads all written bytes before it sees the end. */
  end(done?: () => void): this {
    this.corked = 0
    this.handOver()
    if (!this.ended) {
      this.ended = true
      const { peer } = this
      process.nextTick(() => peer?.hearEnd())
    }
    if (done) process.nextTick(done)
    return this
  }

  private hearEnd(): void {
    if (this.destroyed) return
    this.emit('end')
    this.destroy()
  }

  destroy(): this {
    if (this.destroyed) return this
    this.destroyed = true
    const { peer } = this
    process.nextTick(() => {
      this.emit('close')
      peer?.hearEnd()
    })
    return this
  }

  resetAndDestroy(): this {
    return this.destroy()
  }

  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  /** Has no effect, because no bytes wait to be sent. */
  setTimeout(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  resume(): this {
    return this
  }
  pause(): this {
    return this
  }
}

/** @returns the client's end, which emits `connect` in the next turn of the event loop, and the server's end */
export function localPair(): { readonly client: Socket; readonly server: Socket } {
  const [client, server] = [new LocalSocket(), new LocalSocket()]
  client.peer = server
  server.peer = client
  process.nextTick(() => {
    if (!client.destroyed) client.emit('connect')
  })
  return { client: client as unknown as Socket, server: server as unknown as Socket }
}
