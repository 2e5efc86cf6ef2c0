/**
 * libmemcached's default hash: Jenkins' one-at-a-time over *signed* bytes. Source: docs/reference/placement.md#1.
 */
export function oneAtATime(bytes: Uint8Array, end: number = bytes.length): number {
  let h = 0
  for (let i = 0; i < end; i++) {
    // A byte from 0x80 on is added as its sign-extended 32-bit value.
    h = (h + ((bytes[i]! << 24) >> 24)) | 0
    h = (h + (h << 10)) | 0
    h ^= h >>> 6
  }
  h = (h + (h << 3)) | 0
  h ^= h >>> 11
  h = (h + (h << 15)) | 0
  return h >>> 0
}
