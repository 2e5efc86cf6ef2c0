/** The servers of one side of an audit: embedded ones on the replay's clock, or real ones behind fault proxies. */
import type { Socket } from 'node:net'
import { EmbeddedServer, type Fault, FaultProxy } from '../../server/index.js'
import { Client } from '../../strict/index.js'
import { addressName, type ServerAddress } from '../../transport/address.js'
import { withDirectSessions } from '../../transport/direct.js'
import { TransportError } from '../../transport/errors.js'
import { type Connect, refusedSocket } from '../../transport/socket.js'
import { AuditOptionsError } from '../options.js'

export interface Fleet {
  /** Opens connections inside this process; absent where the servers are on sockets. */
  readonly connect?: Connect
  /** `host:port`, by server index. */
  readonly addresses: readonly string[]
  fault(fault: Fault): Promise<void>
  /** Closes the sockets to a server; connections fail with this error, until it is undefined. Absent where the servers are on sockets. */
  refuse?(server: number, error: Error | undefined): void
  /** Removes the items of a server, also while it is down. */
  empty(server: number): Promise<void>
  /** Frees the memory of expired items, if the servers are in this process. */
  crawl?(): void
  stop(): Promise<void>
}

/**
 * Fresh, empty servers in this process.
 * @param now seconds @param version of memcached @param faults the trace has some: then the servers are on sockets
 */
export async function embeddedFleet(
  count: number,
  now: () => number,
  version: string,
  faults: boolean,
): Promise<Fleet> {
  const servers = Array.from({ length: count }, () => new EmbeddedServer({ clock: now, version }))
  return faults ? fleetOf(servers, async (server) => servers[server]?.clear()) : localFleet(servers)
}

/** The addresses of servers without sockets, which are never resolved. */
const localHost = (index: number) => `memcached-${index}.local:11211`

function localFleet(servers: readonly EmbeddedServer[]): Fleet {
  const addresses = servers.map((_, index) => localHost(index))
  const indexOf = (address: ServerAddress) => addresses.indexOf(addressName(address))
  const refused = new Map<number, Error>()
  const sockets = servers.map(() => new Set<Socket>())
  return {
    addresses,
    connect: withDirectSessions(
      (address) => {
        const error = refused.get(indexOf(address))
        if (error) return refusedSocket(error)
        const socket = servers[indexOf(address)]!.connect()
        const open = sockets[indexOf(address)]!
        open.add(socket)
        socket.once('close', () => open.delete(socket))
        return socket
      },
      (address) => {
        const error = refused.get(indexOf(address))
        if (error)
          throw new TransportError('connect', addressName(address), error.message, {
            cause: error,
            code: (error as NodeJS.ErrnoException).code,
          })
        return servers[indexOf(address)]!.session()
      },
    ),
    refuse: (server, error) => {
      if (error) {
        refused.set(server, error)
        for (const socket of sockets[server]!) socket.destroy()
      } else refused.delete(server)
    },
    crawl: () => {
      for (const server of servers) server.crawl()
    },
    fault: ({ fault }) => Promise.reject(new Error(`a fault (${fault}) needs servers on sockets`)),
    empty: async (server) => servers[server]?.clear(),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

/**
 * Real servers, emptied, each behind a proxy of this process so that the faults of the trace can be applied.
 * @throws AuditOptionsError for a value that is not an address, and when a server cannot be reached
 */
export async function realFleet(addresses: readonly string[]): Promise<Fleet> {
  const proxies = addresses.map((target) => {
    try {
      return new FaultProxy({ target })
    } catch (error) {
      throw new AuditOptionsError(`servers: ${(error as Error).message}`)
    }
  })
  const flush = async (among: readonly string[]) => {
    const client = new Client(among)
    try {
      await client.flushAll()
    } finally {
      client.disconnectAll()
    }
  }
  try {
    await flush(addresses)
  } catch (error) {
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new AuditOptionsError(`servers ${addresses.join(', ')}: cannot be reached and emptied (${reason})`)
  }
  return fleetOf(proxies, (server) => flush([addresses[server]!]))
}

interface Faulty {
  readonly address: string
  start(): Promise<unknown>
  stop(): Promise<unknown>
  fault(fault: Fault): unknown
}

async function fleetOf(servers: readonly Faulty[], empty: (server: number) => Promise<void>): Promise<Fleet> {
  try {
    await Promise.all(servers.map((server) => server.start()))
  } catch (error) {
    await Promise.allSettled(servers.map((server) => server.stop()))
    throw error
  }
  return {
    addresses: servers.map((server) => server.address),
    fault: async (fault) => {
      const server = servers[fault.server]
      if (!server) throw new RangeError(`fault names server ${fault.server}, but there are ${servers.length}`)
      await server.fault(fault)
    },
    empty,
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}
