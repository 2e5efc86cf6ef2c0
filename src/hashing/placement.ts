/**
 * libmemcached's distributions: digest → server index. Points are precomputed; a key costs one hash and one binary
 * search. Source: docs/reference/placement.md#2.
 */

import { named, shown } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import { type HashName, hashes, hashKey, type KeyHash } from './hashes/hashes.js'
import { md5Words } from './hashes/md5.js'

/** pylibmc's names, blanks included. */
export type Distribution =
  | 'modula'
  | 'random'
  | 'consistent'
  | 'consistent ketama'
  | 'consistent ketama spy'
  | 'consistent weighted'
  | 'virtual bucket'

/** libmemcached's method for a digest under each distribution. */
const methods = {
  modula: 'modula',
  random: 'random',
  consistent: 'continuum',
  'consistent ketama': 'continuum',
  'consistent ketama spy': 'continuum',
  'consistent weighted': 'continuum',
  'virtual bucket': 'virtual bucket',
} as const satisfies Record<Distribution, string>

/** The index of a server is kept in 16 bits. */
const MOST_SERVERS = 65_535
/** As libmemcached keeps a weight: 32 bits without sign. */
const LARGEST_WEIGHT = 2 ** 32 - 1

/** The facts of a server that decide placement: host (or path of a Unix socket), port, weight. */
export interface PlacedServer {
  /** Host name or address as given (no brackets); the path of a Unix socket. */
  readonly host: string
  /** 0 for Unix sockets. */
  readonly port: number
  /** 1 when none was given; 0 counts as 1; a whole number up to 2^32 − 1. */
  readonly weight: number
}

/** The behaviors that decide placement (docs/reference/placement.md#2). */
export interface PlacementSettings {
  readonly hash: HashName
  readonly distribution: Distribution
  /** libmemcached's internal flag. `weightedFlag` has the behaviors that set it. */
  readonly weighted: boolean
}

/** Keys to server indexes, without I/O. */
export interface Placement {
  /** 0-based server index. */
  place(key: Bytes): number
  /** 0-based server index of a digest. */
  at(digest: number): number
  /** The continuum of consistent distributions. */
  readonly continuum?: Continuum | undefined
}

/** Sorted points with their servers. */
export interface Continuum {
  readonly values: Uint32Array
  readonly indexes: Uint16Array
}

const POINTS_PER_SERVER = 100
const POINTS_PER_SERVER_KETAMA = 160
const DEFAULT_PORT = 11211

/**
 * Lays servers out as libmemcached does: the index of the server for a key, 0-based.
 * @param live when given, only these indexes take part in a continuum (ejected servers are left out); modula and
 *   random always use all servers.
 * @param kept a continuum to keep: libmemcached does not compute it again when only the hash of keys changes
 * @throws RangeError without servers or with more than 65,535, for an unknown hash or distribution, and for indexes in `live` that
 *   no server has; TypeError for a server that is no `PlacedServer`
 */
export function placement(
  servers: readonly PlacedServer[],
  settings: PlacementSettings,
  live: readonly number[] = Array.from(servers ?? [], (_, index) => index),
  kept?: Continuum,
): Placement {
  checkServers(servers)
  const hash = named<KeyHash>('hash', hashes, settings?.hash)
  const method = named('distribution', methods, settings.distribution)
  const count = servers.length
  const stray = live.findIndex((index) => !(Number.isInteger(index) && index >= 0 && index < count))
  if (stray >= 0) throw new RangeError(`live[${stray}] is ${shown(live[stray])}, not the index of a server`)
  if (count === 1) return { place: () => 0, at: () => 0 }
  const placed = (at: (digest: number) => number, points?: Continuum): Placement => ({
    place: (key) => at(hashKey(hash, key)),
    at,
    continuum: points,
  })
  switch (method) {
    case 'modula':
      return placed((digest) => digest % count)
    case 'virtual bucket':
      // pylibmc cannot set a bucket map, and without one libmemcached does this.
      return placed((digest) => digest & (count - 1))
    case 'random':
      return placed(() => Math.floor(Math.random() * count))
    default: {
      const points = kept ?? continuum(servers, live, settings)
      const { values, indexes } = points
      if (values.length === 0) return placed(() => 0, points)
      return placed((digest) => indexes[firstAtLeast(values, digest)]!, points)
    }
  }
}

function checkServers(servers: readonly PlacedServer[]): void {
  if (!Array.isArray(servers)) throw new TypeError('servers is not a list')
  if (servers.length === 0) throw new RangeError('placement needs at least one server')
  if (servers.length > MOST_SERVERS)
    throw new RangeError(`${servers.length} servers are more than ${MOST_SERVERS}`)
  for (const [index, server] of servers.entries()) {
    const { host, port, weight } = server ?? {}
    if (typeof host !== 'string') throw new TypeError(`servers[${index}].host is ${shown(host)}, not text`)
    if (!isWhole(port, 65_535))
      throw new TypeError(`servers[${index}].port is ${shown(port)}, not a whole number from 0 to 65535`)
    if (!isWhole(weight, LARGEST_WEIGHT))
      throw new TypeError(
        `servers[${index}].weight is ${shown(weight)}, not a whole number from 0 to ${LARGEST_WEIGHT}`,
      )
  }
}

function isWhole(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
}

/** Index of the first point ≥ digest; past the end, the first point. */
function firstAtLeast(values: Uint32Array, digest: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < digest) low = middle + 1
    else high = middle
  }
  return low === values.length ? 0 : low
}

/** Sorted points (value, server index), ties by index. */
export function continuum(
  servers: readonly PlacedServer[],
  live: readonly number[],
  settings: PlacementSettings,
): Continuum {
  const points: number[] = []
  const add = (value: number, index: number) => {
    // Both fit one exact double, which sorts as a number.
    points.push(value * 65536 + index)
  }
  if (settings.weighted) addWeighted(servers, live, settings.distribution, add)
  else addPlain(servers, live, settings, add)
  const sorted = Float64Array.from(points).sort()
  const values = new Uint32Array(sorted.length)
  const indexes = new Uint16Array(sorted.length)
  for (let i = 0; i < sorted.length; i++) {
    values[i] = Math.floor(sorted[i]! / 65536)
    indexes[i] = sorted[i]! % 65536
  }
  return { values, indexes }
}

type AddPoint = (value: number, index: number) => void

function pointName(server: PlacedServer, distribution: Distribution, i: number): string {
  const host = server.host === '' ? 'localhost' : server.host
  const port = server.port === 0 && !host.startsWith('/') ? DEFAULT_PORT : server.port
  if (distribution === 'consistent ketama spy') return `/${host}:${port}-${i}`
  return port === DEFAULT_PORT ? `${host}-${i}` : `${host}:${port}-${i}`
}

function addPlain(
  servers: readonly PlacedServer[],
  live: readonly number[],
  { hash, distribution }: PlacementSettings,
  add: AddPoint,
): void {
  for (const index of live) {
    for (let i = 0; i < POINTS_PER_SERVER; i++) {
      add(hashKey(hashes[hash], utf8(pointName(servers[index]!, distribution, i))), index)
    }
  }
}

/** Four points from each MD5; the number of strings follows the server's share, in single precision as in C. */
function addWeighted(
  servers: readonly PlacedServer[],
  live: readonly number[],
  distribution: Distribution,
  add: AddPoint,
): void {
  const weight = (index: number): number => servers[index]!.weight || 1
  const total = live.reduce((sum, index) => sum + weight(index), 0)
  const float = Math.fround
  for (const index of live) {
    const share = float(float(weight(index)) / float(total))
    const scaled = float(float(float(share * POINTS_PER_SERVER_KETAMA) / 4) * float(live.length))
    const strings = Math.floor(float(scaled + float(0.0000000001)))
    for (let i = 0; i < strings; i++) {
      const name = Buffer.from(pointName(servers[index]!, distribution, i))
      for (const word of md5Words(name)) add(word >>> 0, index)
    }
  }
}

function utf8(text: string): Bytes {
  return Buffer.from(text).toString('latin1')
}
