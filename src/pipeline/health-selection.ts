/**
 * Which server an operation goes to, and what its failure means: libmemcached's placement with its health state machine.
 * Sources: docs/reference/pylibmc.md#10, docs/reference/placement.md#2.
 */

import type { Bytes } from '../ground/bytes.js'
import {
  type Continuum,
  isContinuum,
  type PlacedServer,
  type Placement,
  type PlacementSettings,
  placement,
  sortServers,
} from '../hashing/index.js'
import { AuthenticationFailure } from '../protocol/protocol.js'
import { addressName, type ServerAddress } from '../transport/address.js'
import { closeWhenDropped } from '../transport/dropped.js'
import { TransportError, type TransportErrorKind } from '../transport/errors.js'
import type { Exchange, ExchangeOptions } from '../transport/types.js'
import { errorFor, type MemcachedError, SomeErrors } from './errors.js'
import { Health, type HealthSettings } from './health.js'
import { MAX_KEY_LENGTH } from './keys.js'
import { TOUCH_FAILED } from './replies.js'
import type { Operation, Selection, Server, ServerSpec } from './slots.js'
import { tellUnconnected } from './tracing.js'

/** What steers the selection; read anew for every operation, since behaviors change at run time. */
export interface SelectionSettings {
  readonly health: HealthSettings
  /** Put before the key when it is hashed (`_hash_with_prefix_key` with a namespace). */
  readonly hashPrefix: Bytes
  /** The binary protocol: libmemcached words a refused connection otherwise. */
  readonly binary?: boolean
  /** No time is given to connect. */
  readonly instant?: boolean
}

/** How keys are laid out over the servers: libmemcached's distributions here, python-memcached's buckets in compat. */
export interface Arrangement {
  /** Failed servers can be left out of it. */
  readonly ejects: boolean
  /** @param kept a continuum to go on with */
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
  /** There is a socket, but one that could not be connected: the next operation finds it so, and closes it. */
  unconnected: boolean
}

const AUTH_FAILURE = 41
/** libmemcached's return codes for what the transport reports. */
const codes: Record<TransportErrorKind, number> = {
  lookup: 2,
  connect: 3,
  'connect-timeout': 31,
  closed: 3,
  reset: 3,
  timeout: 31,
  unintelligible: 7,
  authentication: AUTH_FAILURE,
  aborted: 3,
  overload: 17,
  internal: 1,
}
const FAILURE = 1
const WRITE_ERROR = 5
const SYSTEM_ERROR = 26
const UNIX_SOCKET_ERROR = 27
const LONGEST_PATH = 108
const SERVER_DEAD = 35
const SERVER_DOWN = 47
const TOUCH_UNSENT = 'WRITE FAILURE, Error occcured while writing touch command to server'
const texts: Readonly<Record<number, string>> = {
  [SERVER_DEAD]: 'SERVER IS MARKED DEAD',
  [SERVER_DOWN]: 'SERVER HAS FAILED AND IS DISABLED UNTIL TIMED RETRY',
}

/** What the C library calls the common system errors. */
const strerror: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ENOENT: 'No such file or directory',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ECONNRESET: 'Connection reset by peer',
  ENOTCONN: 'Transport endpoint is not connected',
  EACCES: 'Permission denied',
  ENOTFOUND: 'Name or service not known',
  EAI_AGAIN: 'Temporary failure in name resolution',
}

/** No connection came about: these count as failures of the server. */
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
    const placed = specs.map((spec) => ({ ...spec, ...hostAndPort(spec) }))
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

  /** A behavior changed the placement. @param relay false when only keys are hashed otherwise: the continuum stays */
  rearrange(arrangement: Arrangement, relay: boolean): void {
    this.arrangement = arrangement
    const { continuum } = this.layout
    if (relay || !continuum || !arrangement.ejects) this.rebuild()
    else this.layout = arrangement.lay(this.servers, undefined, continuum)
  }

  place(key: Bytes): number {
    const { hashPrefix } = this.settings()
    if (hashPrefix === '') return this.layout.place(key)
    // Too long together, they are not hashed at all; and they are joined as C strings.
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
    // An open connection is used whatever its history.
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
      tellUnconnected(server, operation, error)
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
      if (operation === 'touch') return unusable(WRITE_ERROR, server, operation, key, error)
    }
    return errorOf(error, server, operation, key, this.settings())
  }

  /** What libmemcached adds to the message of a failed retry; a text retrieval words it anew. */
  private retried({ name }: Server, operation: Operation): string {
    return RETRIEVALS.has(operation) && !this.settings().binary ? '' : `, ${name}`
  }

  disconnectAll(): void {
    for (const server of this.servers) {
      server.exchange.close()
      server.health.closed()
      server.unconnected = false
    }
  }

  /** Lays the continuum anew over the servers that are not out. When all are out, the old one stays. */
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

/** What follows a NUL is copied as NULs. */
function upToNul(key: Bytes): Bytes {
  const nul = key.indexOf('\0')
  return nul < 0 ? key : key.slice(0, nul).padEnd(key.length, '\0')
}

/** The exception for a transport failure, whatever the state of the server. */
export function errorOf(
  error: TransportError,
  server: Server,
  operation: Operation,
  key: Bytes | undefined,
  { binary = false, instant = false }: Pick<SelectionSettings, 'binary' | 'instant'> = {},
): MemcachedError {
  if (error.kind === 'reset' && error.sending && operation === 'touch')
    return unusable(WRITE_ERROR, server, operation, key, error)
  const { address } = server
  const unopened = error.kind === 'connect' && address.transport === 'unix'
  const refused = error.cause instanceof AuthenticationFailure ? error.cause.code : undefined
  const system = unopened ? (isPathTooLong(address) ? UNIX_SOCKET_ERROR : SYSTEM_ERROR) : undefined
  // Both send by memcached_mget.
  const mget = operation === 'gets' || operation === 'getMulti'
  const unwritten = error.kind === 'reset' && error.sending && mget
  const lost = binary ? SomeErrors.retcode : FAILURE
  const code = system ?? refused ?? (unwritten ? lost : codes[error.kind])
  return errorFor(code, operation, text(error, operation, binary, instant), {
    key,
    server: server.name,
    cause: error,
  })
}

/** For a socket's address (bytes, with C's NUL at the end). */
const isPathTooLong = (address: ServerAddress): boolean =>
  address.transport === 'unix' && Buffer.byteLength(address.path) >= LONGEST_PATH

function notConnected({ name }: Server): TransportError {
  return new TransportError('reset', name, 'the socket is not connected', { sending: true, code: 'ENOTCONN' })
}

function hostAndPort({ address }: ServerSpec): { host: string; port: number } {
  return address.transport === 'unix'
    ? { host: address.path, port: 0 }
    : { host: address.host, port: address.port }
}

/** touch knows only WriteError for a server it cannot use (docs/reference/pylibmc.md#10, 7). */
function unusable(
  code: number,
  server: Server,
  operation: Operation,
  key?: Bytes,
  cause?: Error,
  more = '',
): MemcachedError {
  const facts = { key, server: server.name, cause }
  if (operation === 'touch') return errorFor(WRITE_ERROR, operation, TOUCH_UNSENT, facts)
  return errorFor(code, operation, `${texts[code]}${more}`, facts)
}

const RETRIEVALS: ReadonlySet<Operation> = new Set(['get', 'gets', 'getMulti'])

/** What libmemcached says of it, by the way each of its functions has of reading replies. */
function text(error: TransportError, operation: Operation, binary: boolean, instant: boolean): string {
  // A text retrieval words anew what kept it from connecting.
  const asIs = binary || !RETRIEVALS.has(operation)
  const reading = operation === 'touch' ? `, ${TOUCH_FAILED}` : undefined
  switch (error.kind) {
    case 'lookup':
      return `getaddrinfo() or getnameinfo() HOSTNAME LOOKUP FAILURE${asIs ? `, ${systemError(error)}` : ''}`
    case 'connect':
      return asIs ? `CONNECTION FAILURE(${systemError(error)})` : 'CONNECTION FAILURE'
    case 'connect-timeout':
      return `A TIMEOUT OCCURRED${asIs ? `, ${instant ? 'timeout was set to zero' : 'time out'}` : ''}`
    case 'timeout':
      return `A TIMEOUT OCCURRED${reading ?? ', time out'}`
    case 'closed':
      return `CONNECTION FAILURE${reading ?? ', ::rec() returned zero, server has disconnected'}`
    case 'reset':
      return `CONNECTION FAILURE${reading ?? `(${systemError(error)})`}`
    case 'internal':
      return `FAILURE, ${error.message}`
    case 'overload':
      return `MEMORY ALLOCATION FAILURE, ${error.message}`
    case 'aborted':
      return 'CONNECTION FAILURE, closed by this client'
    case 'authentication':
      return error.message
    case 'unintelligible':
      return `UNKNOWN READ FAILURE${reading ?? (binary ? '' : `, ${error.message}`)}`
  }
}

function systemError(error: TransportError): string {
  return strerror[error.code ?? ''] ?? error.message
}
