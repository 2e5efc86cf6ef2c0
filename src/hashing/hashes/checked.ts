/**
 * The hash functions of the entry point, with checked arguments, because a wrong `end` would never terminate.
 * Source: docs/reference/placement.md#1.
 */
import { checkBytes, shown } from '../../ground/arguments.js'
import * as crc32s from './crc32.js'
import { type HashName, hashKey as hashOf, type KeyHash, hashes as unchecked } from './hashes.js'
import * as murmurs from './murmur.js'

function checked(hash: KeyHash): KeyHash {
  return (bytes, end) => {
    checkBytes('bytes', bytes)
    if (end !== undefined && !(Number.isInteger(end) && end >= 0 && end <= bytes.length))
      throw new RangeError(`end is ${shown(end)}, not a number of bytes from 0 to ${bytes.length}`)
    return hash(bytes, end)
  }
}

/**
 * Hash functions by pylibmc's names; `murmur3` has no name there, only libmemcached's number 10, and normal builds of libmemcached
 * refuse `hsieh`. Each takes bytes, and how many of them to hash (default all).
 * They throw TypeError for a value that is not a Uint8Array, RangeError for an `end` beyond it.
 */
export const hashes = Object.fromEntries(
  Object.entries(unchecked).map(([name, hash]) => [name, checked(hash)]),
) as Readonly<Record<HashName, KeyHash>>

/** CRC-32 as libmemcached and python-memcached use it: 15 bits of it. @throws as `hashes` */
export const crc = checked(crc32s.crc)

/** The whole CRC-32, unsigned. @throws as `hashes` */
export const crc32 = checked(crc32s.crc32)

/** MurmurHash3 of 32 bits, unsigned, seed 0: what pymemcache's rendezvous uses. @throws as `hashes` */
export const murmur3_32 = checked(murmurs.murmur3_32)

/**
 * Hashes a wire key (one character per byte, as `wireKey` makes it).
 * @throws TypeError if hash is not a function or key is not text, RangeError if the key has a character above U+00FF
 */
export function hashKey(hash: KeyHash, key: string): number {
  if (typeof hash !== 'function') throw new TypeError(`hash is ${shown(hash)}, not one of the hash functions`)
  if (typeof key !== 'string')
    throw new TypeError(`key is ${shown(key)}, not text with one character per byte`)
  if (/[^\0-\xff]/.test(key))
    throw new RangeError(`key ${shown(key)} holds a character above U+00FF: wireKey() makes bytes of text`)
  return hashOf(hash, key)
}
