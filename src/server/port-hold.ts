/** Keeps the port of a server while it is down, so that no other program gets the port. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** The time to wait for another program that has just got the port, in milliseconds. */
const PATIENCE = 5000

/**
 * A port that refuses connections and that the system gives to no other program. A connection between two sockets of this process is bound to it:
 * a bound port is not free, and a port on which no program listens refuses connections. A server of this or another process can listen on the
 * port again if it sets SO_REUSEADDR, as Node.js and memcached do. The sockets do not keep the process
 * running.
 */
export class PortHold {
  private socket: Socket | undefined

  private constructor(
    private readonly address: string,
    private readonly other: Server,
  ) {}

  /**
   * Prepares a hold, so that `take` can hold a port immediately after its server has ended.
   * @param address an IP address of this machine
   */
  static async prepare(address: string): Promise<PortHold> {
    const other = createServer((socket) => void socket.unref().on('error', () => {}))
    other.listen(0, address)
    await once(other, 'listening')
    return new PortHold(address, other.unref())
  }

  /**
   * The promise is fulfilled when the port is held.
   * @param port 0: any free port
   * @returns the port
   * @throws the system's error if another program has the port and keeps it for five seconds
   */
  async take(port: number): Promise<number> {
    const { port: otherPort } = this.other.address() as { port: number }
    const deadline = performance.now() + PATIENCE
    try {
      for (;;) {
        const socket = connect({
          host: this.address,
          port: otherPort,
          localAddress: this.address,
          localPort: port,
        })
        this.socket = socket
        try {
          await once(socket, 'connect')
          socket.unref().on('error', () => {})
          return socket.localPort!
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          if (code !== 'EADDRINUSE' || performance.now() > deadline) throw error
          await sleep(5)
        }
      }
    } finally {
      this.other.close()
    }
  }

  release(): void {
    this.other.close()
    this.socket?.resetAndDestroy()
  }
}
