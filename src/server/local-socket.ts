/**
 * Two ends of a connection inside this process, with as much of `net.Socket` as clients and servers use: what one end writes, the other
 * end reads before the next turn of the event loop, and the system is not asked. Only for servers without faults: nothing is ever kept back or half sent.
 */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

type Written = (error?: Error | null) => void

class LocalSocket extends EventEmitter {
  peer: LocalSocket | undefined
  /** Always: what is written is read at once. */
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
    // A piece is copied: a sender may use its buffer again, and a store's bytes belong to the store.
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

  /** After the caller, so that an answer never comes while a request is being written. */
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

  /** The other end reads everything that was written before it sees the end. */
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
  /** Nothing here ever waits. */
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

/** @returns the client's end, whose `connect` comes in the next turn, and the server's */
export function localPair(): { readonly client: Socket; readonly server: Socket } {
  const [client, server] = [new LocalSocket(), new LocalSocket()]
  client.peer = server
  server.peer = client
  process.nextTick(() => {
    if (!client.destroyed) client.emit('connect')
  })
  return { client: client as unknown as Socket, server: server as unknown as Socket }
}
