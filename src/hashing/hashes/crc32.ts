/** CRC-32 as in zlib, and the 15 bits of it that memcached clients place keys by. Source: docs/reference/placement.md#1, docs/reference/python-memcached.md#6.1. */
const TABLE = new Int32Array(256)
for (let n = 0; n < 256; n++) {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  TABLE[n] = c
}

/** CRC-32 of the bytes of a key (one character per byte), unsigned 32 bit, as zlib's. */
export function crc32(bytes: Uint8Array, end: number = bytes.length): number {
  let c = -1
  for (let i = 0; i < end; i++) c = TABLE[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8)
  return ~c >>> 0
}

/** libmemcached's `crc`, and python-memcached's hash from 1.60 on. */
export function crc(bytes: Uint8Array, end?: number): number {
  return (crc32(bytes, end) >>> 16) & 0x7fff
}
