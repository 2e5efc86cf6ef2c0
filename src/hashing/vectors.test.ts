/** Digests and placements from the real libraries: libhashkit, pylibmc, python-memcached, pymemcache. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { applyBehaviors, constructorSettings, type PlacementBehaviors, sortServers } from './behaviors.js'
import { type HashName, hashes } from './hashes/hashes.js'
import { murmur3_32 } from './hashes/murmur.js'
import { type PlacedServer, placement } from './placement.js'
import { type PythonMemcachedHash, pythonMemcachedPlacement, SERVER_RETRIES } from './python-memcached.js'
import { rendezvous } from './rendezvous.js'

const load = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/vectors/${name}`, import.meta.url), 'utf8'))
const hashing = load('hashing-public.json')
const placements = load('placement-public.json')
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const wire = (hex: string) => bytes(hex).toString('latin1')

describe('digests', () => {
  const names = Object.keys(hashing.hashes).filter((name) => hashing.hashes[name])
  test.each<string>(names)('%s equals libhashkit', (name) => {
    for (const [hex, digest] of hashing.hashes[name])
      expect([hex, hashes[name as HashName](bytes(hex))]).toEqual([hex, digest])
  })
  test.each<string>(placements.digests.map((row: { hash: string }) => row.hash))(
    '%s equals the second set',
    (name) => {
      const { keysHex, digests } = placements.digests.find((row: { hash: string }) => row.hash === name)
      expect(keysHex.map((hex: string) => hashes[name as HashName](bytes(hex)))).toEqual(digests)
    },
  )
  test("murmur3_32 equals pymemcache's", () => {
    for (const [hex, digest] of hashing.murmur3_32) {
      const text = bytes(hex).toString('utf8')
      const low = Uint8Array.from(text, (character) => character.codePointAt(0)! & 0xff)
      expect(murmur3_32(low)).toBe(digest)
    }
  })
})

interface Row {
  readonly id?: string
  readonly client: string
  readonly version?: string | undefined
  readonly hashFunction?: string
  readonly behaviors: PlacementBehaviors & Record<string, unknown>
  readonly servers: unknown[]
  readonly then?: unknown[]
  readonly dead?: number[]
  readonly removed?: string[]
  readonly nodes?: string[]
  readonly keyType?: string
  readonly keysHex: string[]
  readonly serverIndex: (number | null)[]
  readonly serversAfter?: PlacedServer[]
}

/** Splits a pylibmc spec of the first vector set. */
function parsed(spec: string): PlacedServer {
  if (spec.startsWith('/')) return { host: spec, port: 0, weight: 1 }
  const match = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?(?::(\d+))?$/.exec(spec)!
  return { host: match[1] ?? match[2]!, port: Number(match[3] ?? 11211), weight: Number(match[4] ?? 1) }
}

describe('libmemcached placement', () => {
  const rows: Row[] = placements.placements.filter((row: Row) => row.client === 'pylibmc')
  test.each(rows.map((row, i) => [i, JSON.stringify(row.behaviors), row] as const))(
    'set 1 row %i: %s',
    (_, __, row) => {
      const given = row.servers.map((spec) => parsed(spec as string))
      const servers = row.behaviors._sort_hosts ? sortServers(given) : given
      const { place } = placement(servers, constructorSettings(row.behaviors, servers))
      expect(row.keysHex.map((hex) => place(wire(hex)))).toEqual(row.serverIndex)
    },
  )

  // Left out: clones, sequences and namespaces of clients (test/differential/values/placement-steps.test.ts), and bucket maps
  // that only the C interface can set.
  const beyond = /^(clone-[1289]|sequence-5|namespace-[23567]|virtual-bucket-[678]|ejected-11)$/
  const second: Row[] = hashing.placements.filter(
    (row: Row) => row.client === 'libmemcached' && !beyond.test(row.id!),
  )
  test.each(second.map((row) => [row.id, JSON.stringify(row.behaviors), row] as const))(
    'set 2 %s: %s',
    (_, __, row) => {
      expect(placed(row)).toEqual(row.serverIndex)
    },
  )
})

interface PlacementStep {
  readonly set?: PlacementBehaviors & { readonly _sort_hosts?: number }
  readonly clone?: boolean
  readonly ejected?: readonly number[]
}

function placed(row: Row): (number | null)[] {
  let servers = row.servers as PlacedServer[]
  if (row.behaviors._sort_hosts) servers = sortServers(servers)
  let settings = constructorSettings(row.behaviors, servers)
  let live: number[] | undefined
  for (const step of (row.then ?? []) as PlacementStep[]) {
    if (step.set) {
      settings = applyBehaviors(settings, step.set)
      if (step.set._sort_hosts) servers = sortServers(servers)
    }
    if (step.ejected) {
      const { ejected } = step
      live = servers.map((_, index) => index).filter((index) => !ejected.includes(index))
    }
  }
  const { place } = placement(servers, settings, live)
  const prefix = row.behaviors._hash_with_prefix_key ? String(row.behaviors.namespace ?? '') : ''
  return row.keysHex.map((hex) => place(prefix + wire(hex)))
}

describe('python-memcached placement', () => {
  const all: Row[] = [...placements.placements, ...hashing.placements]
  const rows = all.filter((row) => row.client === 'python-memcached')
  test.each(rows.map((row, i) => [i, row.version, row] as const))('row %i, %s', (_, version, row) => {
    const weights = row.servers.map((server) =>
      typeof server === 'string'
        ? 1
        : Array.isArray(server)
          ? Number(server[1])
          : (server as PlacedServer).weight,
    )
    const newest: PythonMemcachedHash = version === '1.59' ? 'masked-one' : 'masked'
    const rule = row.hashFunction === undefined || row.hashFunction === 'default' ? newest : 'raw'
    const { hash, index, rehash } = pythonMemcachedPlacement(weights, rule)
    const dead = new Set(row.dead)
    const find = (start: bigint): number | null => {
      let value = start
      for (let probe = 0; probe < SERVER_RETRIES; probe++) {
        const server = index(value)
        if (server === undefined) return null
        if (!dead.has(server)) return server
        value = rehash(value, probe)
      }
      return null
    }
    // A tuple key brings its own hash.
    const keys = row.keysHex as unknown as (string | [number, string])[]
    expect(keys.map((key) => find(typeof key === 'string' ? hash(wire(key)) : BigInt(key[0])))).toEqual(
      row.serverIndex,
    )
  })
})

describe('pymemcache placement', () => {
  const rows: Row[] = hashing.placements.filter((row: Row) => row.client === 'pymemcache')
  test.each(rows.map((row) => [row.id, row] as const))('%s', (_, row) => {
    const left = row.nodes!.filter(
      (node, index) => !(row.removed ?? []).some((gone) => gone === node || Number(gone) === index),
    )
    const found = row.keysHex.map((hex) => {
      const key = row.keyType === 'text' ? bytes(hex).toString('utf8') : pythonBytes(bytes(hex))
      const node = left[rendezvous(left, key)!]
      return row.nodes!.indexOf(node!)
    })
    expect(found).toEqual(row.serverIndex)
  })
})

/** Python's representation of a bytes object. */
function pythonBytes(value: Buffer): string {
  const quote = value.includes(39) && !value.includes(34) ? '"' : "'"
  const escapes: Record<number, string> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' }
  const body = [...value].map((byte) => {
    const escaped = escapes[byte] ?? (String.fromCharCode(byte) === quote ? `\\${quote}` : undefined)
    if (escaped) return escaped
    return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `b${quote}${body.join('')}${quote}`
}
