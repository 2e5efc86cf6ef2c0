/** Keys that are sampled, and keys that are replaced by hashes. */
import { createHmac } from 'node:crypto'
import type { Bytes } from '../ground/bytes.js'
import { crc32 } from '../hashing/index.js'

/** The tracer's rule (python/memshim_tracer.py), so that both record the same keys. */
export function isSampled(sample: number, key: Bytes): boolean {
  return sample >= 1 || crc32(Buffer.from(key, 'latin1')) < sample * 2 ** 32
}

/** The least number of hexadecimal digits of a hashed key: 64 bits, so that keys stay different. */
const shortestHash = 16

/**
 * A hash in hexadecimal, as long as the key if that has 16 bytes or more. Nothing else of the
 * key is kept: neither its prefix nor its characters nor its place among the servers.
 */
export function keyHasher(secret: string): (key: Bytes) => Bytes {
  const known = new Map<Bytes, Bytes>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const digest = createHmac('sha256', secret).update(Buffer.from(key, 'latin1')).digest('hex')
    const length = Math.max(shortestHash, key.length)
    const hash = digest.repeat(Math.ceil(length / digest.length)).slice(0, length)
    if (known.size >= remembered) known.clear()
    known.set(key, hash)
    return hash
  }
}

const remembered = 100_000
