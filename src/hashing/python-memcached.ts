/**
 * python-memcached's placement: CRC-32 rules, buckets by weight, and the chain of re-hashes that finds another server
 * when one is dead. Source: docs/reference/python-memcached.md#6.
 */

import { named, shown } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import { crc, crc32 } from './hashes/crc32.js'
import { hashKey } from './hashes/hashes.js'

/**
 * `raw` = the whole CRC-32 (≤ 1.44, and useOldServerHashFunction on Python 3), `raw-signed` = the same on Python 2,
 * `masked-one` = 15 bits with zero made one (1.45–1.59), `masked` = 15 bits (≥ 1.60).
 */
export type PythonMemcachedHash = 'raw' | 'raw-signed' | 'masked-one' | 'masked'

/** The hash that a tuple key brings. Python writes a bool as `True` or `False` where it hashes on. */
export type KeyHash = bigint | boolean

/** The number of servers that are tried for one operation. */
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
  /** The number of buckets: the sum of the weights. 0 when every weight is below 1. */
  readonly buckets: number
  /** Indexes of the servers that have a bucket, in order. */
  readonly selectable: readonly number[]
  /** Server index for a hash. Undefined without buckets. */
  index(hash: bigint): number | undefined
  /** Server index for a key: that of its hash. Undefined without buckets. */
  place(key: Bytes): number | undefined
  /** The hash to try when probe number `probe` (0…9) of `hash` found no server. */
  rehash(hash: KeyHash, probe: number): bigint
}

/**
 * Buckets, computed once. There is no list of them, so that memory does not depend on the weights.
 * @param weights one per server; integers, below 1 = never selected
 * @throws TypeError when weights are not a list of integers, RangeError when they add up to more than 2^53 − 1 or the rule is unknown
 */
export function pythonMemcachedPlacement(
  weights: readonly number[],
  rule: PythonMemcachedHash,
): PythonMemcachedPlacement {
  const hash = named('rule', rules, rule)
  const ends = bucketEnds(weights)
  const buckets = ends.at(-1) ?? 0
  const count = BigInt(buckets)
  return {
    buckets,
    selectable: [...weights.keys()].filter((index) => weights[index]! > 0),
    hash: (key) => BigInt(hashKey(hash, key)),
    index(value) {
      if (count === 0n) return undefined
      const rest = value % count
      // Python's modulo: the result has the sign of the divisor.
      return serverOf(ends, Number(rest < 0n ? rest + count : rest))
    },
    place(key) {
      if (buckets < 2) return buckets === 0 ? undefined : serverOf(ends, 0)
      const rest = hashKey(hash, key) % buckets
      return serverOf(ends, rest < 0 ? rest + buckets : rest)
    },
    rehash: (value, probe) => BigInt(hashKey(hash, `${inPython(value)}${probe}`)),
  }
}

function inPython(hash: KeyHash): string {
  if (typeof hash === 'bigint') return String(hash)
  return hash ? 'True' : 'False'
}

/** For each server, the number of buckets of it and of the servers before it. */
function bucketEnds(weights: readonly number[]): readonly number[] {
  if (!Array.isArray(weights)) throw new TypeError('weights is not a list of integers')
  let sum = 0
  return weights.map((weight, index) => {
    if (!Number.isInteger(weight))
      throw new TypeError(`weights[${index}] is ${shown(weight)}, not an integer`)
    sum += Math.max(0, weight)
    if (sum > Number.MAX_SAFE_INTEGER)
      throw new RangeError(`weights add up to more than ${Number.MAX_SAFE_INTEGER} at weights[${index}]`)
    return sum
  })
}

/** The first server whose buckets end after `bucket`. */
function serverOf(ends: readonly number[], bucket: number): number {
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle]! > bucket) high = middle
    else low = middle + 1
  }
  return low
}
