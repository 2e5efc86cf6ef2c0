/**
 * MurmurHash2 and MurmurHash3 (x86, 32 bit) by Austin Appleby, with the seeds libmemcached and pymemcache use.
 * Source: docs/reference/placement.md#1, #3.
 */
const M = 0x5bd1e995

/** libmemcached's `murmur`: MurmurHash2 seeded with `0xdeadbeef × length`. */
export function murmur(bytes: Uint8Array, end: number = bytes.length): number {
  let h = Math.imul(0xdeadbeef, end) ^ end
  let i = 0
  for (; end - i >= 4; i += 4) {
    let k = word(bytes, i)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  if (i < end) h = Math.imul(h ^ tail(bytes, i, end), M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return (h ^ (h >>> 15)) >>> 0
}

/** MurmurHash3 of 32 bits over the bytes of a key, unsigned, as pymemcache's rendezvous uses it. */
export function murmur3_32(bytes: Uint8Array, end: number = bytes.length, seed = 0): number {
  let h = seed
  let i = 0
  for (; end - i >= 4; i += 4) {
    h ^= scramble(word(bytes, i))
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
  }
  if (i < end) h ^= scramble(tail(bytes, i, end))
  h ^= end
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** libmemcached's hash number 10: MurmurHash3 seeded with `0xdeadbeef × length`. */
export function murmur3(bytes: Uint8Array, end: number = bytes.length): number {
  return murmur3_32(bytes, end, Math.imul(0xdeadbeef, end))
}

function scramble(k: number): number {
  const c = Math.imul(k, 0xcc9e2d51)
  return Math.imul((c << 15) | (c >>> 17), 0x1b873593)
}

function word(bytes: Uint8Array, i: number): number {
  return bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
}

/** One to three bytes as one little-endian word. */
function tail(bytes: Uint8Array, from: number, end: number): number {
  let k = 0
  for (let i = end - 1; i >= from; i--) k = (k << 8) | bytes[i]!
  return k
}
