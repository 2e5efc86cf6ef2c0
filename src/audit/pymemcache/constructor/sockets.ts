/** Sockets of a replay whose options Python refuses when it uses them. Source: docs/reference/pymemcache.md#9.2. */
import { connect as connectPlain, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { addressName, type ServerAddress } from '../../../transport/address.js'
import { type Connect, refusedSocket } from '../../../transport/socket.js'

/** The effect of an option on every connection that a client opens. */
export interface SocketEffect {
  /** Opening a connection raises. @returns undefined for a server that the option does not concern @param isUnix the application's server is a Unix socket */
  opening?(isUnix: boolean): Error | undefined
  /** A call that waits for a reply raises; its command has been sent. */
  readonly reading?: Error
}

/** Opens connections with these effects. @param connect default: over the network @param unixServers addresses that stand for Unix sockets */
export function withEffects(
  connect: Connect | undefined,
  effects: readonly SocketEffect[],
  unixServers: ReadonlySet<string>,
): Connect {
  return (address) => {
    for (const effect of effects) {
      const error = effect.opening?.(unixServers.has(addressName(address)))
      if (error) return refusedSocket(error)
    }
    const reading = effects.find((effect) => effect.reading)?.reading
    const socket = connect?.(address) ?? plain(address)
    return reading ? (new UnreadableSocket(socket, reading) as unknown as Socket) : socket
  }
}

function plain(address: ServerAddress): Socket {
  return address.transport === 'unix'
    ? connectPlain(address.path)
    : connectPlain({ host: address.host, port: address.port })
}

/** A connection that takes requests and fails at the first reply. */
class UnreadableSocket extends Duplex {
  constructor(
    private readonly inner: Duplex,
    error: Error,
  ) {
    super()
    inner.once('connect', () => this.emit('connect'))
    inner.once('data', () => this.destroy(error))
    inner.once('error', (cause) => this.destroy(cause))
    inner.once('close', () => this.destroy())
  }

  setTimeout(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
    this.inner.write(chunk, encoding, done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.inner.destroy()
    done(error)
  }
}
