/** Bob Jenkins' lookup3 (`hashlittle`) with libmemcached's initial value 13. Source: docs/reference/placement.md#1. */
const INITIAL = 13

const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k))

export function jenkins(bytes: Uint8Array, end: number = bytes.length): number {
  let a = (0xdeadbeef + end + INITIAL) | 0
  let b = a
  let c = a
  let i = 0
  for (; end - i > 12; i += 12) {
    a = (a + word(bytes, i, end)) | 0
    b = (b + word(bytes, i + 4, end)) | 0
    c = (c + word(bytes, i + 8, end)) | 0
    a = ((a - c) ^ rotate(c, 4)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 6)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 8)) | 0
    b = (b + a) | 0
    a = ((a - c) ^ rotate(c, 16)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 19)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 4)) | 0
    b = (b + a) | 0
  }
  if (i === end) return c >>> 0
  a = (a + word(bytes, i, end)) | 0
  b = (b + word(bytes, i + 4, end)) | 0
  c = (c + word(bytes, i + 8, end)) | 0
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  c = ((c ^ b) - rotate(b, 24)) | 0
  return c >>> 0
}

/** Little-endian word; bytes past the end count as zero. */
function word(bytes: Uint8Array, i: number, end: number): number {
  let w = 0
  for (let k = Math.min(i + 4, end) - 1; k >= i; k--) w |= bytes[k]! << ((k - i) * 8)
  return w
}
