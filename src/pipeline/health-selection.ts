/**
 * Selects the server of an operation and handles its failures: libmemcached's placement with its health state machine.
 * Sources: docs/reference/pylibmc.md#10, docs/reference/placement.md#2.
 */
import type { Bytes } from '../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../ground/limits.js'
import {
  type Continuum,
  isContinuum,
  type PlacedServer,
  type Placement,
  type PlacementSettings,
  placement,
  sortServers,
} from '../hashing/index.js'
import { addressName, hostAndPort } from '../transport/address.js'
import { closeWhenDropped } from '../transport/dropped.js'
import { TransportError, type TransportErrorKind } from '../transport/errors.js'
import type { Exchange, ExchangeOptions } from '../transport/types.js'
import type { MemcachedError } from './failures/errors.js'
import {
  type ConnectingFacts,
  errorOf,
  isPathTooLong,
  SERVER_DEAD,
  SERVER_DOWN,
  unusable,
  WRITE_ERROR,
} from './failures/transport-failures.js'
import { Health, type HealthSettings } from './health.js'
import { type Operation, operations } from './operations.js'
import type { Selection, Server, ServerSpec } from './slots.js'
import { publishUnconnected } from './tracing.js'

/** Settings of the selection, read for every operation, because behaviors may change. */
export interface SelectionSettings extends ConnectingFacts {
  readonly health: HealthSettings
  /** Prefix of the key for hashing (`_hash_with_prefix_key`: the namespace, which may be empty); undefined: only the key is hashed. */
  readonly hashPrefix: Bytes | undefined
}

/** The distribution of keys over the servers: libmemcached's distributions, or python-memcached's buckets in compat. */
export interface Arrangement {
  /** Failed servers can be left out of it. */
  readonly ejects: boolean
  /** @param kept a continuum to keep */
  lay(servers: readonly PlacedServer[], live?: readonly number[], kept?: Continuum): Placement
}

export function libmemcachedArrangement(settings: PlacementSettings): Arrangement {
  return {
    ejects: isContinuum(settings.distribution),
    lay: (servers, live, kept) => placement(servers, settings, live, kept),
  }
}

interface PooledServer extends Server, PlacedServer {
  /** Changes when the hosts are sorted later. */
  index: number
  readonly health: Health
  /** There is a socket that could not be connected: the next operation detects that, and closes it. */
  unconnected: boolean
}

/** Failures to connect, which count as failures of the server. */
const unsent: ReadonlySet<TransportErrorKind> = new Set([
  'connect', 'lookup', 'connect-timeout', 'authentication',
]) // biome-ignore format: one list

export class HealthSelection implements Selection {
  servers: readonly PooledServer[]
  private layout: Placement
  /** Whole seconds at which ejected servers may come back; 0 = none is out. */
  private nextRebuild = 0

  constructor(
    specs: readonly ServerSpec[],
    private arrangement: Arrangement,
    sort: boolean,
    connect: (spec: ServerSpec) => Exchange,
    private readonly settings: () => SelectionSettings,
    /** Seconds. */
    private readonly now: () => number,
  ) {
    const placed = specs.map((spec) => ({ ...spec, ...hostAndPort(spec.address) }))
    this.servers = (sort ? sortServers(placed) : placed).map((spec, index) => ({
      index,
      address: spec.address,
      name: addressName(spec.address),
      host: spec.host,
      port: spec.port,
      weight: spec.weight,
      exchange: connect(spec),
      health: new Health(),
      unconnected: false,
    }))
    this.layout = arrangement.lay(this.servers)
    closeWhenDropped(
      this,
      this.servers.map(({ exchange }) => exchange),
    )
  }

  /** `_sort_hosts` was switched on later: the servers have new positions from here on. */
  sort(): void {
    this.servers = sortServers(this.servers)
    for (const [index, server] of this.servers.entries()) server.index = index
    this.rebuild()
  }

  /** A behavior changed the placement. @param relay false when only the hash of keys changes: the continuum stays */
  rearrange(arrangement: Arrangement, relay: boolean): void {
    this.arrangement = arrangement
    const { continuum } = this.layout
    if (relay || !continuum || !arrangement.ejects) this.rebuild()
    else this.layout = arrangement.lay(this.servers, undefined, continuum)
  }

  place(key: Bytes): number {
    const { hashPrefix } = this.settings()
    if (hashPrefix === undefined || this.servers.length === 1) return this.layout.place(key)
    // If they are too long together, nothing is hashed; and they are joined as C strings.
    if (hashPrefix.length + key.length > MAX_KEY_LENGTH) return this.layout.at(0)
    return this.layout.place(hashPrefix + upToNul(key))
  }

  locate(key: Bytes): Server {
    if (this.nextRebuild > 0 && this.settings().health.eject && Math.floor(this.now()) > this.nextRebuild)
      this.rebuild()
    return this.servers[this.place(key)]!
  }

  pick(key: Bytes, operation: Operation): Server {
    const server = this.locate(key)
    this.admit(server, operation, key)
    return server
  }

  admit(server: Server, operation: Operation, key?: Bytes): void {
    // An open connection is used, also after earlier failures of the server.
    if (server.exchange.state !== 'idle') return
    const pooled = this.servers[server.index]!
    if (pooled.unconnected) {
      pooled.unconnected = false
      pooled.health.closed()
      throw errorOf(notConnected(server), server, operation, key, this.settings())
    }
    const admission = pooled.health.admit(this.now(), this.settings().health)
    if (admission === 'go') return
    if (admission === 'dead') this.rebuild()
    throw unusable(admission === 'dead' ? SERVER_DEAD : SERVER_DOWN, server, operation, key)
  }

  async connect(
    server: Server,
    operation: Operation,
    options: ExchangeOptions,
    call: object,
    key?: Bytes,
  ): Promise<void> {
    if (server.exchange.state === 'ready') return
    try {
      await server.exchange.connect(options)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      publishUnconnected(server, operation, error)
      throw this.failed(server, error, operation, key, call)
    }
    this.succeeded(server)
  }

  letGo(server: Server): void {
    server.exchange.close(false)
    this.servers[server.index]!.health.closed()
  }

  succeeded(server: Server): void {
    const { health } = this.servers[server.index]!
    if (health.marked) health.connected()
  }

  failed(
    server: Server,
    error: TransportError,
    operation: Operation,
    key: Bytes | undefined,
    call?: object,
  ): MemcachedError {
    // Nothing was tried, and nothing is known of the server.
    const untried = error.kind === 'overload' || (error.kind === 'timeout' && !error.sent)
    if (untried) return errorOf(error, server, operation, key, this.settings())
    const pooled = this.servers[server.index]!
    if (!unsent.has(error.kind)) {
      if (error.kind !== 'aborted') pooled.health.connected()
    } else {
      if (isPathTooLong(server.address)) pooled.unconnected = true
      if (pooled.health.failed(this.now(), this.settings().health, call))
        return unusable(SERVER_DOWN, server, operation, key, error, this.retried(server, operation))
      if (operations[operation].unsent) return unusable(WRITE_ERROR, server, operation, key, error)
    }
    return errorOf(error, server, operation, key, this.settings())
  }

  /** libmemcached's addition to the message of a failed retry; a text retrieval has its own message. */
  private retried({ name }: Server, operation: Operation): string {
    return operations[operation].retrieves && !this.settings().binary ? '' : `, ${name}`
  }

  disconnectAll(): void {
    for (const server of this.servers) {
      server.exchange.close()
      server.health.closed()
      server.unconnected = false
    }
  }

  /** Computes the continuum again for the servers that are not ejected. When all are ejected, the old one stays. */
  private rebuild(): void {
    const { eject } = this.settings().health
    let live = this.servers.map(({ index }) => index)
    if (eject && this.arrangement.ejects) {
      const now = this.now()
      this.nextRebuild = 0
      const out = this.servers.filter(({ health }) => health.isOut(now))
      if (out.length > 0) this.nextRebuild = Math.min(...out.map(({ health }) => health.nextRetry))
      if (out.length === this.servers.length) return
      live = live.filter((index) => !out.some((server) => server.index === index))
    }
    this.layout = this.arrangement.lay(this.servers, live)
  }
}

/** The bytes after a NUL are copied as NULs. */
function upToNul(key: Bytes): Bytes {
  const nul = key.indexOf('\0')
  return nul < 0 ? key : key.slice(0, nul).padEnd(key.length, '\0')
}

function notConnected({ name }: Server): TransportError {
  return new TransportError('reset', name, 'the socket is not connected', { sending: true, code: 'ENOTCONN' })
}
