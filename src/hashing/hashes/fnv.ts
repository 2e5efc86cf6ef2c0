/** The Fowler–Noll–Vo family as libmemcached computes it: bytes are sign-extended. Source: docs/reference/placement.md#1. */
const PRIME_32 = 16777619
const OFFSET_32 = 2166136261

const signed = (byte: number): number => (byte << 24) >> 24

export function fnv1_32(bytes: Uint8Array, end: number = bytes.length): number {
  let h = OFFSET_32 | 0
  for (let i = 0; i < end; i++) h = Math.imul(h, PRIME_32) ^ signed(bytes[i]!)
  return h >>> 0
}

export function fnv1a_32(bytes: Uint8Array, end: number = bytes.length): number {
  let h = OFFSET_32 | 0
  for (let i = 0; i < end; i++) h = Math.imul(h ^ signed(bytes[i]!), PRIME_32)
  return h >>> 0
}

/** Named for 64 bits, but the state is 32 bits wide: low half of the offset, low half of the prime. */
export function fnv1a_64(bytes: Uint8Array, end: number = bytes.length): number {
  let h = 0x84222325 | 0
  for (let i = 0; i < end; i++) h = Math.imul(h ^ signed(bytes[i]!), 0x1b3)
  return h >>> 0
}

/**
 * 64-bit FNV-1, truncated to 32 bits. A product's low half depends on the low halves only, and xor mixes no bit
 * upwards, so 32 bits of state are enough: the prime 0x100000001b3 has the low half 0x1b3.
 */
export function fnv1_64(bytes: Uint8Array, end: number = bytes.length): number {
  let h = 0x84222325 | 0
  for (let i = 0; i < end; i++) h = Math.imul(h, 0x1b3) ^ signed(bytes[i]!)
  return h >>> 0
}
