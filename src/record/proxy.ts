/**
 * Records as a transparent proxy: every byte is forwarded unchanged, in both directions. The recording works on a copy; when it
 * cannot keep up, it loses commands and the traffic is not affected.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import type { ConversationSink } from '../capture/index.js'
import { addressName, type ServerAddress } from '../transport/address.js'
import { checkConnecting } from '../transport/connection-options.js'
import type { Tls } from '../transport/socket.js'
import { Recording } from './recording.js'
import { checkSettings, RecordError, type RecordSettings } from './settings.js'
import { type RecordSummary, summaryOf } from './summary.js'

/** One server behind the proxy. */
export interface ProxyRoute {
  /** The address that clients connect to. Port 0: the system chooses one. */
  readonly listen: ServerAddress
  /** The memcached itself. */
  readonly upstream: ServerAddress
}

export interface ProxySettings extends RecordSettings {
  readonly routes: readonly ProxyRoute[]
  /** TLS to the servers; the clients connect to the proxy without TLS. */
  readonly tls?: Tls
}

export interface RecordingProxy {
  /** The addresses on which the routes listen, in their order. */
  readonly addresses: readonly ServerAddress[]
  /** Ends all connections and the recording. @throws RecordError (rejection) when a file could not be written */
  close(): Promise<RecordSummary>
}

/** The largest number of bytes that wait to be recorded. Beyond that commands are lost, and counted. */
const mostBehind = 64 * 1024 * 1024
/** The memory that a chunk takes in addition to its bytes. */
const chunkOverhead = 256
/** Milliseconds without traffic after which the waiting bytes are recorded, and the longest time for which such a pause is awaited. */
const pause = { milliseconds: 5, longest: 500 }
/** Bytes from which on the recording no longer waits for a pause. */
const pressing = 1024 * 1024
/** Milliseconds between two checks for commands without a reply. */
const sweep = 1000

interface Taken {
  readonly sink: ConversationSink
  readonly direction: 'request' | 'reply' | 'end'
  readonly bytes: Buffer | undefined
  readonly time: number
}

/**
 * Starts a proxy for each route.
 * @throws RecordError (rejection) for settings, for a route that cannot listen, and for a file that cannot be written
 */
export async function recordProxy(settings: ProxySettings): Promise<RecordingProxy> {
  checkSettings(settings, ['routes', 'tls'])
  checkConnecting(settings)
  const { routes } = settings
  if (!Array.isArray(routes) || routes.length === 0) throw new RecordError('routes: name at least one')
  const names = routes.map(({ upstream }) => addressName(upstream))
  const recording = new Recording({ ...settings, servers: settings.servers ?? names }, 'proxy')
  await recording.files.check()
  const tap = new Tap(recording)
  const sockets = new Set<Socket>()
  const servers: Server[] = []
  try {
    for (const [index, route] of routes.entries()) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
        joined(
          client,
          route.upstream,
          settings.tls,
          sockets,
          (address) => recording.conversation({ address }, names[index]!, true),
          tap,
        ),
      )
      servers.push(server)
      await listening(server, route.listen)
    }
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
  return {
    addresses: servers.map((server, index) => boundAddress(server, routes[index]!.listen)),
    async close() {
      for (const server of servers) server.close()
      for (const socket of sockets) socket.destroy()
      await tap.end()
      return summaryOf(recording, 'proxy', settings, {
        'bytes that were not recorded because the recording was behind': tap.lost,
      })
    },
  }
}

/** Passes bytes between two sockets. An end, a reset or a refusal on one side is repeated on the other. */
function joined(
  client: Socket,
  address: ServerAddress,
  tls: Tls | undefined,
  sockets: Set<Socket>,
  open: (client: string) => ConversationSink,
  tap: Tap,
): void {
  const upstream = opened(address, tls)
  const sink = open(client.remoteAddress ?? 'unix')
  let ended = false
  const over = () => {
    if (!ended) tap.push(sink, 'end', undefined)
    ended = true
  }
  pass(client, upstream, (bytes) => tap.push(sink, 'request', bytes))
  pass(upstream, client, (bytes) => tap.push(sink, 'reply', bytes))
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(socket)
    socket.on('error', () => {
      // A client must see a failing server as it would without the proxy: at once, and as a reset.
      if (other === client) client.resetAndDestroy()
      else other.destroy()
    })
    socket.on('close', () => {
      sockets.delete(socket)
      over()
      if (!other.destroyed && !socket.readableEnded) other.destroy()
    })
  }
}

function opened(address: ServerAddress, tls: Tls | undefined): Socket {
  const target =
    address.transport === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  if (tls === undefined) return connect({ ...target, noDelay: true, allowHalfOpen: true })
  const { servername, ...given } = tls === true ? {} : tls
  const named =
    servername ?? (address.transport === 'tcp' && /[^\d.:]/.test(address.host) ? address.host : '')
  return process.getBuiltinModule('node:tls').connect({ ...target, ...given, servername: named })
}

function pass(from: Socket, to: Socket, copy: (bytes: Buffer) => void): void {
  from.on('data', (bytes: Buffer) => {
    if (!to.write(bytes)) from.pause()
    copy(bytes)
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
}

/**
 * The bytes to record, in the order in which they passed. They are parsed in the pauses of the traffic, or in short slices between
 * two turns of the event loop, so that a reply never waits for the parsing of its request.
 */
class Tap {
  private queue: Taken[] = []
  private bytes = 0
  private pushed = 0
  private running: Promise<void> | undefined
  private readonly timer: NodeJS.Timeout
  private failure: unknown
  private ending = false
  lost = 0

  constructor(private readonly recording: Recording) {
    this.timer = setInterval(() => this.start(), sweep)
    this.timer.unref()
  }

  push(sink: ConversationSink, direction: Taken['direction'], bytes: Buffer | undefined): void {
    const length = bytes?.length ?? 0
    const full = this.bytes + length > mostBehind
    if (full) this.lost += length
    // A connection with a gap begins again at the next command.
    const taken = {
      sink,
      direction,
      bytes: full ? undefined : bytes,
      time: (performance.timeOrigin + performance.now()) / 1000,
    }
    this.queue.push(taken)
    this.bytes += sizeOf(taken)
    this.pushed++
    this.start()
  }

  async end(): Promise<void> {
    clearInterval(this.timer)
    this.ending = true
    while (this.running) await this.running
    await this.slice(Number.POSITIVE_INFINITY)
    await this.recording.end()
    if (this.failure) throw this.failure
  }

  private start(): void {
    this.running ??= this.record()
      .catch((error: unknown) => {
        this.failure ??= error
        this.queue = []
        this.bytes = 0
      })
      .finally(() => {
        this.running = undefined
        if (this.queue.length > 0) this.start()
      })
  }

  private async record(): Promise<void> {
    let more = true
    let seen = -1
    while (more) {
      if (this.pushed === seen) await turn()
      else await this.pauseOfTraffic()
      seen = this.pushed
      // The further the recording is behind, the longer its slices are.
      more = await this.slice(1 + this.bytes / pressing)
    }
  }

  private async pauseOfTraffic(): Promise<void> {
    await turn()
    for (let waited = 0; waited < pause.longest; waited += pause.milliseconds) {
      if (this.ending || this.bytes >= pressing) return
      const before = this.pushed
      await wait(pause.milliseconds)
      if (this.pushed === before) return
    }
  }

  /** Records for about so many milliseconds. @returns whether there is more to record now */
  private async slice(milliseconds: number): Promise<boolean> {
    const until = performance.now() + milliseconds
    let count = 0
    for (const taken of this.queue) {
      if (performance.now() > until) break
      count++
      this.bytes -= sizeOf(taken)
      const { sink, direction, bytes, time } = taken
      if (direction === 'end') sink.end(time)
      else if (bytes === undefined) sink.gap(direction, 0, time)
      else sink[direction](bytes, time)
    }
    this.queue.splice(0, count)
    const unwritten = await this.recording.write(Date.now() / 1000, milliseconds)
    return unwritten || this.queue.length > 0
  }
}

function sizeOf({ bytes }: Taken): number {
  return chunkOverhead + (bytes?.length ?? 0)
}

function listening(server: Server, address: ServerAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new RecordError(`${addressName(address)} cannot be listened on: ${error.code ?? error.message}`),
      ),
    )
    const target =
      address.transport === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
    server.listen(target, resolve)
  })
}

function boundAddress(server: Server, asked: ServerAddress): ServerAddress {
  const bound = server.address()
  if (asked.transport === 'unix' || bound === null || typeof bound === 'string') return asked
  return { ...asked, port: bound.port }
}
