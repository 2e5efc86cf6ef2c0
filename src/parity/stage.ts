/** The stage of a scenario: servers, each behind a fault proxy. */
import { connect } from 'node:net'
import { EmbeddedServer, FaultProxy, parseFault } from '../server/index.js'
import { endMemcached, spawnMemcached, versionOfBinary } from './memcached.js'
import { type Scenario, type Step, wireBytes } from './scenario.js'

/** The servers of a scenario. */
export interface Stage {
  readonly addresses: readonly string[]
  fault(step: Step): Promise<void>
  raw(step: Step): Promise<void>
  /** Advances the clock of servers with their own clock by the seconds that the scenario sleeps; no real time passes. */
  pass?(seconds: number): void
  /** Factor for the clients' timeouts of the scenario, because the servers are real processes on a busy machine. */
  readonly patience?: number
}

/** A server without faults. */
export interface PlainServer {
  /** `host:port` */
  readonly address: string
  readonly port: number
  stop(): Promise<void>
}

/** Starts servers of one kind. */
export interface ServerKind {
  /** The displayed name, e.g. `memcached 1.6.18`. */
  readonly name: string
  readonly version: string
  /** @param args memcached's arguments */
  start(args: readonly string[]): Promise<PlainServer>
}

/** @throws Error when the binary does not run or is not a memcached */
export function realServers(binary: string): ServerKind {
  const version = versionOfBinary(binary)
  return {
    name: `memcached ${version}`,
    version,
    async start(args) {
      // One thread, so that commands of a closed connection are processed before later commands of another connection.
      const { child, port } = await spawnMemcached(binary, { args: ['-t', '1', ...args] })
      return { address: `127.0.0.1:${port}`, port, stop: () => endMemcached(child) }
    },
  }
}

/** memshim's own server, which answers as this version of memcached does. */
export function embeddedServers(version: string): ServerKind {
  return {
    name: `memshim's embedded server (as memcached ${version})`,
    version,
    async start(args) {
      const server = new EmbeddedServer({ version, evict: !args.includes('-M') })
      await server.start()
      return { address: server.address, port: server.port, stop: () => server.stop() }
    },
  }
}

/** A stage that records the traffic of its proxies. */
export interface RecordedStage extends Stage {
  /** All bytes that the client sent to each server, one character per byte, without `quit`. */
  sent(): readonly string[]
  stop(): Promise<void>
}

/**
 * @param startProxy default: on any free port
 * @throws errors of starting a server
 */
export async function proxiedStage(
  scenario: Scenario,
  kind: Pick<ServerKind, 'start'>,
): Promise<RecordedStage> {
  const servers: PlainServer[] = []
  const proxies: FaultProxy[] = []
  const sent: string[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(proxies.map((proxy) => proxy.stop()))
    await Promise.all(servers.map((server) => server.stop()))
  }
  try {
    for (let index = 0; index < scenario.servers; index++) {
      const server = await kind.start(scenario.memcached ?? [])
      servers.push(server)
      sent.push('')
      const record = (exchange: { readonly sent: string }): void => {
        if (!isQuit(exchange.sent)) sent[index] += exchange.sent
      }
      proxies.push(await new FaultProxy({ target: server.address, record }).start())
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    addresses: proxies.map(({ address }) => address),
    fault: async (step) => {
      await proxies[step.server ?? 0]!.fault(parseFault({ server: 0, later: 'answered', ...step }))
    },
    raw: (step) => sendRaw(servers[step.server ?? 0]!.port, wireBytes(step.raw ?? '')),
    sent: () => sent,
    stop,
  }
}

/** Sends bytes to the server without the client and waits until the server has processed them. */
export async function sendRaw(port: number, bytes: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let seen = ''
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1')
      if (seen.includes('VERSION')) socket.end()
    })
    socket.on('close', () => resolve())
    socket.write(Buffer.from(`${bytes}version\r\n`, 'latin1'))
  })
}

const isQuit = (bytes: string): boolean => bytes.startsWith('quit\r\n') || bytes.startsWith('\x80\x07')
