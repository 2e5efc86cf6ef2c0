/**
 * The server of a key under every supported placement. Pure.
 * Source: docs/reference/python-memcached.md#6, docs/reference/placement.md#2 to #3.
 */

import { checkArray, checkMade } from '../ground/arguments.js'
import { bytesRepr } from '../python/repr.js'
import { constructorSettings, type PlacementBehaviors } from './behaviors.js'
import { type PlacedServer, placement } from './placement.js'
import { pythonMemcachedPlacement } from './python-memcached.js'
import { rendezvous } from './rendezvous.js'
import { wireKey } from './wire-key.js'

/** One library's placement on these servers, by its name. */
export interface NamedPlacement {
  /** The name in `--from` and `--to`. */
  readonly name: string
  readonly title: string
  /** Index of the server; undefined if there is none for the key. */
  place(key: string | Uint8Array): number | undefined
}

type Place = NamedPlacement['place']

const memcache =
  (rule: 'raw' | 'masked-one' | 'masked') =>
  (servers: readonly PlacedServer[]): Place => {
    const buckets = pythonMemcachedPlacement(
      servers.map((server) => server.weight),
      rule,
    )
    return (key) => buckets.index(buckets.hash(wireKey(key)))
  }

const pylibmc =
  (behaviors: PlacementBehaviors) =>
  (servers: readonly PlacedServer[]): Place => {
    const placed = placement(servers, constructorSettings(behaviors, servers))
    return (key) => placed.place(wireKey(key))
  }

function hashClient(servers: readonly PlacedServer[]): Place {
  const nodes = servers.map(serverName)
  return (key) => rendezvous(nodes, typeof key === 'string' ? key : bytesRepr(wireKey(key)))
}

const known = [
  { name: 'python-memcached', title: 'python-memcached ≥ 1.60', over: memcache('masked') },
  { name: 'python-memcached-1.59', title: 'python-memcached 1.45–1.59', over: memcache('masked-one') },
  { name: 'python-memcached-1.44', title: 'python-memcached ≤ 1.44', over: memcache('raw') },
  { name: 'pylibmc', title: 'pylibmc, no behaviors', over: pylibmc({}) },
  { name: 'pylibmc-crc', title: 'pylibmc, hash=crc', over: pylibmc({ hash: 'crc' }) },
  { name: 'pylibmc-ketama', title: 'pylibmc, ketama', over: pylibmc({ ketama: true }) },
  {
    name: 'pylibmc-ketama-weighted',
    title: 'pylibmc, ketama_weighted',
    over: pylibmc({ ketama_weighted: true }),
  },
  { name: 'pymemcache', title: 'pymemcache HashClient', over: hashClient },
]

/** All placements over these servers. @throws TypeError for other types */
export function placements(servers: readonly PlacedServer[]): readonly NamedPlacement[] {
  checkArray('servers', servers)
  for (const server of servers) checkMade('a server', server, 'parseServers()', ['host', 'port', 'weight'])
  return known.map(({ name, title, over }) => ({ name, title, place: over(servers) }))
}

/** The values of `--from` and `--to`. */
export const placementNames: readonly string[] = known.map(({ name }) => name)

/** The number of keys that are on another server under the second placement. @throws TypeError for other types */
export function moved(
  keys: readonly (string | Uint8Array)[],
  from: NamedPlacement,
  to: NamedPlacement,
): number {
  checkArray('keys', keys)
  checkMade('from', from, 'placements()', ['place'])
  checkMade('to', to, 'placements()', ['place'])
  return keys.filter((key) => from.place(key) !== to.place(key)).length
}

/** `host:port`, as reports and tables write a server. */
export function serverName(server: PlacedServer): string {
  checkMade('a server', server, 'parseServers()', ['host', 'port'])
  const { host, port } = server
  if (port === 0) return host
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
