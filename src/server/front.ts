/** The listening socket of the embedded server and the fault proxy: start, stop, and the faults of docs/formats.md. */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { checkObject, shown } from '../ground/arguments.js'
import { type Fault, isServerFault, parseFault, type RequestFault } from './fault.js'
import { localPair } from './local-socket.js'
import { PortHold } from './port-hold.js'
import { hangUp } from './session.js'

/** The address of a server: host and port, or the path of a Unix socket. */
export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined
  /** Default 0: a free one. */
  readonly port?: number | undefined
  /** The path of a Unix socket, in place of host and port. */
  readonly path?: string | undefined
}

/**
 * @param further the names of the options besides those of listening
 * @throws TypeError for an unknown option, one of another type, and for a path beside host or port; RangeError for an invalid port
 */
export function checkOptions(options: ListenOptions, further: readonly string[]): void {
  checkObject('options', options)
  const known = ['host', 'port', 'path', ...further]
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new TypeError(`unexpected option ${shown(name)}; there are ${known.join(', ')}`)
  needs(options, 'host', 'string')
  needs(options, 'path', 'string')
  const { host, port, path } = options
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535))
    throw new RangeError(`port is ${shown(port)}, not a whole number from 0 to 65535`)
  if (path !== undefined && (host !== undefined || port !== undefined))
    throw new TypeError('path cannot be combined with host and port')
}

/** @throws TypeError if the option is given with another type */
export function needs<O extends object>(
  options: O,
  name: keyof O & string,
  type: 'string' | 'boolean' | 'function',
): void {
  const value: unknown = options[name]
  if (value !== undefined && typeof value !== type)
    throw new TypeError(`${name} is ${shown(value)}, not a ${type}`)
}

/** A fault without its server index, for a single server. */
export type FaultHere = Fault extends infer F
  ? F extends Fault
    ? Omit<F, 'server'> & { server?: number | undefined }
    : never
  : never

/** The time in which a client of this or another process receives the end of its connection, in milliseconds. */
const timeToHear = 10
/** The turns of the event loop that the end of a connection takes: one side shuts down in the first, the other reads that in the second, and closes in the third. */
const turnsToHear = 4

export class Front {
  readonly sockets = new Set<Socket>()
  private server: Server | undefined
  /** Whether the fault `down` is in effect. */
  private hold: PortHold | undefined
  private goingDown: Promise<void> | undefined
  private faults: { fault: RequestFault; left: number }[] = []
  private port = 0
  private started = false

  constructor(
    private readonly options: ListenOptions,
    private readonly accept: (socket: Socket) => void,
  ) {
    this.port = options.port ?? 0
  }

  get host(): string {
    return this.options.host ?? '127.0.0.1'
  }

  get listeningPort(): number {
    return this.port
  }

  /** `host:port`, `[v6]:port`, or the path of the Unix socket. @throws Error before the first start */
  get address(): string {
    if (!this.started) throw new Error('the server has no address before start()')
    if (this.options.path !== undefined) return this.options.path
    return this.host.includes(':') ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`
  }

  async start(): Promise<void> {
    if (this.goingDown) await this.goingDown
    if (this.server) return
    const server = createServer((socket) => this.welcome(socket))
    this.server = server
    try {
      await this.listen(server)
    } catch (error) {
      this.server = undefined
      throw error
    } finally {
      this.release()
    }
    const address = server.address()
    if (typeof address === 'object' && address) this.port = address.port
    this.started = true
  }

  private async listen(server: Server): Promise<void> {
    const { path } = this.options
    const begun = once(server, 'listening')
    server.listen(path === undefined ? { host: this.host, port: this.port } : { path })
    await begun
  }

  private release(): void {
    this.hold?.release()
    this.hold = undefined
  }

  /** Stops listening but keeps the port. */
  private async goDown(server: Server): Promise<void> {
    this.server = undefined
    const address = server.address()
    if (typeof address !== 'object' || !address) {
      server.close()
      return
    }
    this.hold = await PortHold.prepare(address.address)
    server.close()
    await this.hold.take(address.port)
  }

  /** Opens a connection inside this process and returns the client's end. */
  connect(): Socket {
    const { client, server } = localPair()
    this.welcome(server)
    return client
  }

  private welcome(socket: Socket): void {
    this.sockets.add(socket)
    socket.on('close', () => this.sockets.delete(socket))
    this.accept(socket)
  }

  /** Closes all connections and stops listening. The promise is fulfilled when both are done. */
  async stop(): Promise<void> {
    const { server } = this
    this.server = undefined
    this.faults = []
    if (this.goingDown) await this.goingDown
    this.release()
    const closed = server ? new Promise<void>((resolve) => server.close(() => resolve())) : undefined
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  async fault(fault: FaultHere): Promise<void> {
    const whole = parseFault({ ...fault, server: fault?.server ?? 0 })
    if (!isServerFault(whole)) {
      this.faults.push({ fault: whole, left: whole.count ?? 1 })
      return
    }
    if (whole.fault === 'up') {
      this.faults = []
      await this.start()
      return
    }
    if (whole.fault === 'down' && this.server) {
      this.goingDown = this.goDown(this.server).finally(() => {
        this.goingDown = undefined
      })
      await this.goingDown
    }
    for (const socket of this.sockets) {
      if (whole.fault === 'cut' && whole.then === 'reset') socket.resetAndDestroy()
      else hangUp(socket)
    }
    await new Promise((resolve) => setTimeout(resolve, timeToHear))
    // If this process was stopped meanwhile, a client in it receives the events in the following turns of the event loop.
    for (let turn = 0; turn < turnsToHear; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Called when a request begins. @returns whether the request is left unread, and the fault that applies to it */
  nextUnread(): 'stall' | 'reset' | undefined {
    const [first] = this.faults
    if (first?.fault.fault !== 'unread') return undefined
    this.nextFault()
    return first.fault.then ?? 'stall'
  }

  nextFault(): RequestFault | undefined {
    const [first] = this.faults
    if (!first) return undefined
    if (first.left > 0 && --first.left === 0) this.faults.shift()
    return first.fault
  }
}
