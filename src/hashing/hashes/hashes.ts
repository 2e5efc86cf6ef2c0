/** Every key hash by pylibmc's name, and hashing of wire keys without allocating. Source: docs/reference/placement.md#1, docs/reference/pylibmc.md#1. */
import type { Bytes } from '../../ground/bytes.js'
import { crc } from './crc32.js'
import { fnv1_32, fnv1_64, fnv1a_32, fnv1a_64 } from './fnv.js'
import { jenkins } from './jenkins.js'
import { md5 } from './md5.js'
import { murmur, murmur3 } from './murmur.js'
import { oneAtATime } from './one-at-a-time.js'

/** Key bytes (the first `end` of them) → unsigned 32-bit digest. */
export type KeyHash = (bytes: Uint8Array, end?: number) => number

/**
 * `murmur3` has no name in pylibmc, only libmemcached's number 10. `hsieh` is missing as in normal builds of libmemcached,
 * which refuse it (error 38).
 */
export const hashes = {
  default: oneAtATime,
  md5,
  crc,
  fnv1_64,
  fnv1a_64,
  fnv1_32,
  fnv1a_32,
  murmur,
  jenkins,
  murmur3,
} as const satisfies Record<string, KeyHash>

/** pylibmc's names of hash functions, and `murmur3`. */
export type HashName = keyof typeof hashes

let scratch = Buffer.allocUnsafe(512)

/** Hashes a wire key through one reused buffer. */
export function hashKey(hash: KeyHash, key: Bytes): number {
  if (key.length > scratch.length) scratch = Buffer.allocUnsafe(key.length * 2)
  return hash(scratch, scratch.write(key, 0, 'latin1'))
}
