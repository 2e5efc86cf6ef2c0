/**
 * The application's order of servers, from the keys that each server was asked for. Under a placement by position the n-th server
 * has the keys with index n. Source of the placements: docs/reference/placement.md#2, docs/reference/python-memcached.md#6.
 */
import type { Bytes } from '../ground/bytes.js'
import {
  constructorSettings,
  type PlacementBehaviors,
  placement,
  pythonMemcachedPlacement,
} from '../hashing/index.js'

export interface OrderFound {
  /** Name of the placement, as `memshim where` calls it. */
  readonly placement: string
  /** Servers in the application's order. */
  readonly servers: readonly string[]
  /** The number of keys, and the part of them that is on the server of the placement. */
  readonly keys: number
  readonly agreement: number
}

const mostKeys = 20_000
const fewestKeys = 20
const leastAgreement = 0.95

export function serverOrder() {
  const seen = new Map<Bytes, number>()
  return {
    add(key: Bytes, server: number): void {
      if (seen.size < mostKeys && !seen.has(key)) seen.set(key, server)
    },
    /** @returns undefined when there are too few keys, or no placement by position explains them */
    result(servers: readonly string[]): OrderFound | undefined {
      if (servers.length < 2 || seen.size < fewestKeys * servers.length) return undefined
      const found = rules(servers.length).map(([name, place]) => explained(name, place, servers, seen))
      const best = found.reduce((a, b) => (b.agreement > a.agreement ? b : a))
      return best.agreement >= leastAgreement ? best : undefined
    },
  }
}

type Place = (key: Bytes) => number | undefined

function rules(count: number): readonly (readonly [string, Place])[] {
  const weights = Array.from({ length: count }, () => 1)
  const named = weights.map((_, i) => ({ host: `s${i}`, port: 11211, weight: 1 }))
  const memcache = (rule: 'raw' | 'masked-one' | 'masked'): Place => {
    const buckets = pythonMemcachedPlacement(weights, rule)
    return (key) => buckets.index(buckets.hash(key))
  }
  const pylibmc = (behaviors: PlacementBehaviors): Place => {
    const placed = placement(named, constructorSettings(behaviors, named))
    return (key) => placed.place(key)
  }
  return [
    ['python-memcached', memcache('masked')],
    ['python-memcached-1.59', memcache('masked-one')],
    ['python-memcached-1.44', memcache('raw')],
    ['pylibmc', pylibmc({})],
  ]
}

function explained(
  name: string,
  place: Place,
  servers: readonly string[],
  seen: ReadonlyMap<Bytes, number>,
): OrderFound {
  const tally = servers.map(() => servers.map(() => 0))
  for (const [key, server] of seen) {
    const index = place(key)
    const row = index === undefined ? undefined : tally[index]
    if (row?.[server] !== undefined) row[server]!++
  }
  const order: number[] = []
  let right = 0
  for (const row of tally) {
    const most = row.reduce(
      (best, count, i) => (count > (row[best] ?? 0) && !order.includes(i) ? i : best),
      -1,
    )
    const chosen = most >= 0 ? most : servers.findIndex((_, i) => !order.includes(i))
    order.push(chosen)
    right += row[chosen] ?? 0
  }
  return {
    placement: name,
    servers: order.map((index) => servers[index]!),
    keys: seen.size,
    agreement: right / seen.size,
  }
}
