/**
 * MD5 (RFC 1321) for key placement: rings of many servers need tens of thousands of digests of short strings, where
 * a call into node:crypto costs far more than the digest. It must not be used for security.
 */

/** Shifts of the four steps of each round. */
const S1 = [7, 12, 17, 22] as const
const S2 = [5, 9, 14, 20] as const
const S3 = [4, 11, 16, 23] as const
const S4 = [6, 10, 15, 21] as const
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0)

/** The digest as four 32-bit words, little-endian as they stand in its bytes. The array is reused by the next call. */
export function md5Words(bytes: Uint8Array, end: number = bytes.length): Int32Array {
  state[0] = 0x67452301
  state[1] = 0xefcdab89 | 0
  state[2] = 0x98badcfe | 0
  state[3] = 0x10325476
  const blocks = ((end + 8) >>> 6) + 1
  for (let n = 0; n < blocks; n++) {
    fill(bytes, n * 64, end)
    if (n === blocks - 1) {
      block[14] = end << 3
      block[15] = end >>> 29
    }
    addBlock()
  }
  return state
}

const state = new Int32Array(4)
const block = new Int32Array(16)

/** Makes words of 64 bytes; behind the end come the byte 0x80, once, and zeros. */
function fill(bytes: Uint8Array, from: number, end: number): void {
  let at = from
  let w = 0
  for (; w < 16 && at + 4 <= end; w++, at += 4)
    block[w] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  for (; w < 16; w++, at += 4) {
    let word = 0
    for (let k = 3; k >= 0; k--)
      word = (word << 8) | (at + k < end ? bytes[at + k]! : at + k === end ? 0x80 : 0)
    block[w] = word
  }
}

function addBlock(): void {
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  // Four steps at a time: the words then change places by their names. `| 0` keeps every sum a 32-bit integer for V8.
  for (let i = 0; i < 16; i += 4) {
    a = (turn((a + ((b & c) | (~b & d)) + block[i]! + SINES[i]!) | 0, S1[0]) + b) | 0
    d = (turn((d + ((a & b) | (~a & c)) + block[i + 1]! + SINES[i + 1]!) | 0, S1[1]) + a) | 0
    c = (turn((c + ((d & a) | (~d & b)) + block[i + 2]! + SINES[i + 2]!) | 0, S1[2]) + d) | 0
    b = (turn((b + ((c & d) | (~c & a)) + block[i + 3]! + SINES[i + 3]!) | 0, S1[3]) + c) | 0
  }
  for (let i = 16, g = 1; i < 32; i += 4, g += 20) {
    a = (turn((a + ((d & b) | (~d & c)) + block[g & 15]! + SINES[i]!) | 0, S2[0]) + b) | 0
    d = (turn((d + ((c & a) | (~c & b)) + block[(g + 5) & 15]! + SINES[i + 1]!) | 0, S2[1]) + a) | 0
    c = (turn((c + ((b & d) | (~b & a)) + block[(g + 10) & 15]! + SINES[i + 2]!) | 0, S2[2]) + d) | 0
    b = (turn((b + ((a & c) | (~a & d)) + block[(g + 15) & 15]! + SINES[i + 3]!) | 0, S2[3]) + c) | 0
  }
  for (let i = 32, g = 5; i < 48; i += 4, g += 12) {
    a = (turn((a + (b ^ c ^ d) + block[g & 15]! + SINES[i]!) | 0, S3[0]) + b) | 0
    d = (turn((d + (a ^ b ^ c) + block[(g + 3) & 15]! + SINES[i + 1]!) | 0, S3[1]) + a) | 0
    c = (turn((c + (d ^ a ^ b) + block[(g + 6) & 15]! + SINES[i + 2]!) | 0, S3[2]) + d) | 0
    b = (turn((b + (c ^ d ^ a) + block[(g + 9) & 15]! + SINES[i + 3]!) | 0, S3[3]) + c) | 0
  }
  for (let i = 48, g = 0; i < 64; i += 4, g += 28) {
    a = (turn((a + (c ^ (b | ~d)) + block[g & 15]! + SINES[i]!) | 0, S4[0]) + b) | 0
    d = (turn((d + (b ^ (a | ~c)) + block[(g + 7) & 15]! + SINES[i + 1]!) | 0, S4[1]) + a) | 0
    c = (turn((c + (a ^ (d | ~b)) + block[(g + 14) & 15]! + SINES[i + 2]!) | 0, S4[2]) + d) | 0
    b = (turn((b + (d ^ (c | ~a)) + block[(g + 21) & 15]! + SINES[i + 3]!) | 0, S4[3]) + c) | 0
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
}

/** Rotates the low 32 bits of a sum to the left. */
function turn(sum: number, bits: number): number {
  return (sum << bits) | (sum >>> (32 - bits))
}

/** libmemcached's `md5`: the first four bytes of the digest, little-endian. */
export function md5(bytes: Uint8Array, end?: number): number {
  return md5Words(bytes, end)[0]! >>> 0
}
