/**
 * The constructor of pymemcache: its outcome for an application's unchanged call, and the client that a team would write instead. Source:
 * docs/reference/pymemcache.md#2, #3; measured in fixtures/vectors/calling-forms-pymemcache.json.
 */
import {
  Client,
  HashClient,
  type HashClientOptions,
  PooledClient,
  type Serde,
  SocketError,
} from '../../pymemcache/index.js'
import { ValueError } from '../../python/errors.js'
import { textRepr } from '../../python/repr.js'
import { versionAtLeast } from '../../rules/version.js'
import type { Connect } from '../../transport/socket.js'
import type { Library } from '../methods/python-signatures.js'
import type { Construction, TracedServer } from '../traces/trace.js'
import type { PymemcacheClient } from './calls.js'
import type { Limits } from './constructor/limits.js'
import { unsupportedKeepalive } from './constructor/refusals.js'
import { type SocketEffect, withEffects } from './constructor/sockets.js'
import { clientOptionsOf, type TargetOptions } from './options.js'

/**
 * The outcome of `pymemcache.Client` for the arguments of another library's constructor: several servers instead of one.
 * @param keywords the other arguments, by pymemcache's names
 * @throws ValueError for the servers, TypeError or ValueError for another argument; if the constructor accepts all of them, the exception of the first call: a tuple, and
 * up to 3.5.2 a list, is read as a host and a port (ValueError unless there are two elements, socket.gaierror for two)
 */
export function checkUnchangedPymemcache(
  { version }: Library,
  made: Construction & { readonly servers: readonly TracedServer[] },
  { socket_keepalive: keepalive = null, key_prefix: prefix = '' }: Readonly<Record<string, unknown>>,
): void {
  const newer = versionAtLeast(version, '4.0.0')
  const { servers, container = 'list' } = made
  if (container !== 'tuple' && (newer || container !== 'list'))
    throw new ValueError(
      `${newer ? 'Unsupported server specification' : 'Unknown server provided'}: ${serversRepr(made)}`,
    )
  if (keepalive !== null) throw new ValueError(unsupportedKeepalive)
  if (typeof prefix !== 'string' && !(prefix instanceof Uint8Array))
    throw new TypeError('key_prefix should be bytes.')
  if (servers.length !== 2) {
    const many = servers.length > 2
    throw new ValueError(
      `${many ? 'too many' : 'not enough'} values to unpack (expected 2${many ? '' : `, got ${servers.length}`})`,
    )
  }
  if (typeof servers[0] !== 'string') throw new TypeError('getaddrinfo() argument 1 must be string or None')
  if (typeof servers[1] !== 'string') throw new SocketError('builtins.OSError', 'Int or String expected')
  throw new SocketError('socket.gaierror', '[Errno -8] Servname not supported for ai_socktype')
}

/** The servers as Python's repr shows the argument. */
function serversRepr({
  servers,
  container = 'list',
}: Construction & { readonly servers: readonly TracedServer[] }): string {
  const shown = servers
    .map((server) =>
      typeof server === 'string' ? textRepr(server) : `(${textRepr(server[0])}, ${server[1]})`,
    )
    .join(', ')
  switch (container) {
    case 'list':
      return `[${shown}]`
    case 'set':
      return shown === '' ? 'set()' : `{${shown}}`
    case 'dict':
      return `{${shown}}`
    case 'frozenset':
      return shown === '' ? 'frozenset()' : `frozenset({${shown}})`
    case 'deque':
    case 'dict_keys':
    case 'dict_values':
      return `${container}([${shown}])`
    default:
      return `<${container} object>`
  }
}

/** Settings of a replay. */
export interface PymemcacheReplay {
  readonly now?: (() => number) | undefined
  /** The longest time of an operation, in milliseconds; pymemcache itself waits without a limit. */
  readonly longestWait?: number | undefined
  /** Reaches servers inside this process. */
  readonly connect?: Connect | undefined
  /** Replaces the serde of the target. */
  readonly serde?: Serde | undefined
  readonly sockets?: readonly SocketEffect[] | undefined
  /** Of a traced constructor. */
  readonly limits?: Limits | undefined
}

/** A server of the application by its name in the placement, and its address in the replay. */
export interface ReplayServer {
  readonly name: string
  readonly address: string
}

/** A client for one server, a pool if the options say so, a HashClient for several. */
export function pymemcacheClient(
  servers: readonly ReplayServer[],
  target: TargetOptions,
  { now, longestWait, connect, serde, sockets = [], limits = {} }: PymemcacheReplay,
): PymemcacheClient {
  const {
    class: chosen,
    usePooling = false,
    retryAttempts = limits.retry_attempts,
    retryTimeout = limits.retry_timeout,
    deadTimeout = limits.dead_timeout,
    ...given
  } = clientOptionsOf(target)
  const poolIdleTimeout = limits.pool_idle_timeout
  const isPooled = usePooling || chosen === 'PooledClient'
  const wait = longestWait === undefined ? undefined : longestWait / 1000
  const timeout = shorter(given.timeout, wait)
  const connectTimeout = shorter(given.connectTimeout, wait)
  const options: HashClientOptions = {
    ...given,
    timeout,
    connectTimeout,
    connect: sockets.length > 0 ? withEffects(connect, sockets, unixServers(servers)) : connect,
    ...(serde ? { serde } : {}),
    // A pool does not pass it to its clients.
    ...(isPooled ? { encoding: 'ascii' } : {}),
    addresses: Object.fromEntries(servers.map(({ name, address }) => [name, address])),
  }
  const [only] = servers
  if (servers.length === 1 && only && chosen !== 'HashClient')
    return isPooled
      ? new PooledClient(only.name, { ...options, poolIdleTimeout, now })
      : new Client(only.name, options)
  return new HashClient(
    servers.map(({ name }) => name),
    {
      ...options,
      usePooling,
      retryAttempts,
      retryTimeout,
      deadTimeout,
      poolIdleTimeout,
      now,
    },
  )
}

function unixServers(servers: readonly ReplayServer[]): ReadonlySet<string> {
  return new Set(servers.filter(({ name }) => name.startsWith('/')).map(({ address }) => address))
}

/** Seconds; null is no limit. */
function shorter(seconds: number | null | undefined, most: number | undefined): number | null {
  if (most === undefined) return seconds ?? null
  return Math.min(seconds ?? Number.POSITIVE_INFINITY, most)
}

/** A traced server as pymemcache names it: without weights and families. */
export function serverName(server: string): string {
  return new Client(server.replace(/^inet6?:/, '')).server
}
