/**
 * The constructor of pymemcache: what it makes of an application's call as it is, and the client that a team would write instead. Source:
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
import { signatureOf } from '../../rules/signatures.js'
import { versionAtLeast } from '../../rules/version.js'
import type { Connect } from '../../transport/socket.js'
import type { Library } from '../methods/python-signatures.js'
import type { TracedServer } from '../traces/trace.js'
import type { PymemcacheClient } from './calls.js'
import { clientOptionsOf, type TargetOptions } from './options.js'

/**
 * What `pymemcache.Client` makes of the arguments of another library's constructor: a list of servers where it takes one.
 * @throws TypeError for a keyword that it does not have; ValueError for the list, from 4.0 on in the constructor, before in every call, where two servers are a host and a port (socket.gaierror)
 */
export function checkUnchangedPymemcache(
  library: Library,
  servers: readonly TracedServer[],
  kwargs: Readonly<Record<string, unknown>>,
): void {
  const { parameters } = signatureOf('pymemcache', library.version, '__init__')!
  for (const name of Object.keys(kwargs))
    if (!parameters.includes(name))
      throw new TypeError(`Client.__init__() got an unexpected keyword argument '${name}'`)
  const list = `[${servers.map((server) => (typeof server === 'string' ? `'${server}'` : `('${server[0]}', ${server[1]})`)).join(', ')}]`
  if (versionAtLeast(library.version, '4.0.0')) throw new ValueError(`Unknown server provided: ${list}`)
  if (servers.length === 2) throw new SocketError('socket.gaierror', '[Errno -2] Name or service not known')
  throw new ValueError(`the first call of the client takes ${list} for one host and port`)
}

/** What a replay adds. */
export interface PymemcacheReplay {
  readonly now?: (() => number) | undefined
  /** Longest that an operation may take, in milliseconds; pymemcache itself waits for good. */
  readonly longestWait?: number | undefined
  /** Reaches servers inside this process. */
  readonly connect?: Connect | undefined
  /** In place of the target's. */
  readonly serde?: Serde | undefined
}

/** Server of the application by the name that placement knows, and where it is in the replay. */
export interface ReplayServer {
  readonly name: string
  readonly address: string
}

/** A client for one server, a pool where the options say so, a HashClient for several. */
export function pymemcacheClient(
  servers: readonly ReplayServer[],
  target: TargetOptions,
  { now, longestWait, connect, serde }: PymemcacheReplay,
): PymemcacheClient {
  const {
    class: chosen,
    usePooling = false,
    retryAttempts,
    retryTimeout,
    deadTimeout,
    ...given
  } = clientOptionsOf(target)
  const wait = longestWait === undefined ? undefined : longestWait / 1000
  const timeout = shorter(given.timeout, wait)
  const connectTimeout = shorter(given.connectTimeout, wait)
  const options: HashClientOptions = {
    ...given,
    timeout,
    connectTimeout,
    connect,
    ...(serde ? { serde } : {}),
    addresses: Object.fromEntries(servers.map(({ name, address }) => [name, address])),
  }
  const [only] = servers
  if (servers.length === 1 && only && chosen !== 'HashClient')
    return usePooling || chosen === 'PooledClient'
      ? new PooledClient(only.name, { ...options, ...(now ? { now } : {}) })
      : new Client(only.name, options)
  return new HashClient(
    servers.map(({ name }) => name),
    {
      ...options,
      usePooling,
      ...(retryAttempts === undefined ? {} : { retryAttempts }),
      ...(retryTimeout === undefined ? {} : { retryTimeout }),
      ...(deadTimeout === undefined ? {} : { deadTimeout }),
      ...(now ? { now } : {}),
    },
  )
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
