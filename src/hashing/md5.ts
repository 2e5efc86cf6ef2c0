/**
 * MD5 (RFC 1321) for key placement: rings of many servers need tens of thousands of digests of short strings, where
 * a call into node:crypto costs far more than the digest. Not for anything that needs to be secure.
 */
const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)

/** The digest as four 32-bit words, little-endian as they stand in its bytes. The array is reused by the next call. */
export function md5Words(bytes: Uint8Array, end: number = bytes.length): Int32Array {
  state[0] = 0x67452301
  state[1] = 0xefcdab89 | 0
  state[2] = 0x98badcfe | 0
  state[3] = 0x10325476
  const blocks = ((end + 8) >>> 6) + 1
  for (let n = 0; n < blocks; n++) {
    for (let w = 0; w < 16; w++) {
      let word = 0
      for (let k = 3; k >= 0; k--) {
        const at = n * 64 + w * 4 + k
        word = (word << 8) | (at < end ? bytes[at]! : at === end ? 0x80 : 0)
      }
      block[w] = word
    }
    if (n === blocks - 1) {
      block[14] = end << 3
      block[15] = end >>> 29
    }
    round()
  }
  return state
}

const state = new Int32Array(4)
const block = new Int32Array(16)

function round(): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number]
  for (let i = 0; i < 64; i++) {
    let f: number
    let g: number
    if (i < 16) {
      f = (b & c) | (~b & d)
      g = i
    } else if (i < 32) {
      f = (d & b) | (~d & c)
      g = (5 * i + 1) & 15
    } else if (i < 48) {
      f = b ^ c ^ d
      g = (3 * i + 5) & 15
    } else {
      f = c ^ (b | ~d)
      g = (7 * i) & 15
    }
    const sum = (a + f + SINES[i]! + block[g]!) | 0
    const shift = SHIFTS[((i >> 4) << 2) | (i & 3)]!
    a = d
    d = c
    c = b
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
}

/** libmemcached's `md5`: the first four bytes of the digest, little-endian. */
export function md5(bytes: Uint8Array, end?: number): number {
  return md5Words(bytes, end)[0]! >>> 0
}
