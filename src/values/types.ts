/**
 * The shapes shared by everything that turns values into items and back.
 * Source: docs/reference/pylibmc.md#4, docs/reference/python-memcached.md#9.
 */

/** Flag bits that pylibmc and python-memcached agree on. */
export const FLAG_PICKLE = 1
/** Flag bit of a bool or short integer (docs/reference/pylibmc.md#4.1). */
export const FLAG_INTEGER = 2
/** Flag bit of an integer (docs/reference/pylibmc.md#4.1). */
export const FLAG_LONG = 4
/** Flag bit of a compressed payload (docs/reference/pylibmc.md#4.1). */
export const FLAG_ZLIB = 8
/** Flag bit of text (docs/reference/pylibmc.md#4.1). */
export const FLAG_TEXT = 16

/** A value as a server stores it. */
export interface EncodedValue {
  /** Unsigned 32 bit. */
  readonly flags: number
  readonly data: Uint8Array
}

/** An encoded value to send: text of only ASCII is its own bytes. */
export interface Payload {
  /** Unsigned 32 bit. */
  readonly flags: number
  readonly data: Uint8Array | string
}

/** When to compress. Lengths in bytes after serializing. */
export interface CompressionRequest {
  /** 0 = never; its exact comparison (`>=` or `>`) belongs to the encoding. */
  readonly minCompressLen: number
  /** −1..9; −1 is 6. Only pylibmc's encoding knows it. */
  readonly compressLevel?: number
}

/**
 * How values become flags and bytes: one plain named object per library and version range.
 * `encode` and `decode` are pure and synchronous.
 */
export interface ValueEncoding {
  /** e.g. `'pylibmc'`, `'python-memcached-1.59'`. */
  readonly name: string
  /** @throws ValueEncodeError when the value has no representation (nothing was sent). */
  encode(value: unknown, compression?: CompressionRequest): EncodedValue
  /** The same for writing: a value of only ASCII may be text, and is not converted to bytes. Absent = `encode`. */
  write?(value: unknown, compression?: CompressionRequest): Payload
  /** Items with exactly these flags are their UTF-8 text and nothing else. Absent = none are. */
  readonly textFlags?: number | undefined
  /** @throws ValueDecodeError when flags or payload cannot be read. */
  decode(flags: number, data: Buffer): unknown
}
