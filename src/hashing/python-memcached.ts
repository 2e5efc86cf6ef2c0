/**
 * python-memcached's placement: CRC-32 rules, buckets by weight, and the chain of re-hashes that finds another server
 * when one is dead. Source: docs/reference/python-memcached.md#6.
 */
import type { Bytes } from '../ground/bytes.js'
import { crc, crc32 } from './crc32.js'
import { hashKey } from './hashes.js'

/**
 * `raw` = the whole CRC-32 (≤ 1.44, and useOldServerHashFunction on Python 3), `raw-signed` = the same on Python 2,
 * `masked-one` = 15 bits with zero made one (1.45–1.59), `masked` = 15 bits (≥ 1.60).
 */
export type PythonMemcachedHash = 'raw' | 'raw-signed' | 'masked-one' | 'masked'

/** How many servers are tried for one operation. */
export const SERVER_RETRIES = 10

const rules: Record<PythonMemcachedHash, (bytes: Uint8Array, end?: number) => number> = {
  raw: crc32,
  'raw-signed': (bytes, end) => crc32(bytes, end) | 0,
  'masked-one': (bytes, end) => crc(bytes, end) || 1,
  masked: crc,
}

/** python-memcached's buckets: a server as often as its weight says, chosen by crc32 (docs/reference/python-memcached.md#6). */
export interface PythonMemcachedPlacement {
  /** The hash of a key, as an integer of any sign (tuple keys bring their own). */
  hash(key: Bytes): bigint
  /** Bucket list: server indexes, each repeated by its weight. Empty when every weight is below 1. */
  readonly buckets: readonly number[]
  /** Server index for a hash. Undefined without buckets. */
  index(hash: bigint): number | undefined
  /** Server index for a key: that of its hash. Undefined without buckets. */
  place(key: Bytes): number | undefined
  /** The hash to try when probe number `probe` (0…9) of `hash` found no server. */
  rehash(hash: bigint, probe: number): bigint
}

/** Buckets, laid once. @param weights one per server; integers, below 1 = never selected */
export function pythonMemcachedPlacement(
  weights: readonly number[],
  rule: PythonMemcachedHash,
): PythonMemcachedPlacement {
  const hash = rules[rule]
  const buckets = weights.flatMap((weight, index) => Array<number>(Math.max(0, weight)).fill(index))
  const count = BigInt(buckets.length)
  return {
    buckets,
    hash: (key) => BigInt(hashKey(hash, key)),
    index(value) {
      if (count === 0n) return undefined
      const rest = value % count
      // Python's modulo: the result has the sign of the divisor.
      return buckets[Number(rest < 0n ? rest + count : rest)]
    },
    place(key) {
      if (buckets.length < 2) return buckets[0]
      const rest = hashKey(hash, key) % buckets.length
      return buckets[rest < 0 ? rest + buckets.length : rest]
    },
    rehash: (value, probe) => BigInt(hashKey(hash, `${value}${probe}`)),
  }
}
