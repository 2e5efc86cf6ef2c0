/**
 * The types that the value encodings share.
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

/** A value as a server stores it: flags and bytes. */
export interface EncodedValue {
  /** Unsigned 32 bit. */
  readonly flags: number
  readonly data: Uint8Array
}

/** An encoded value to send. ASCII text may be a string. */
export interface Payload {
  /** Unsigned 32 bit. */
  readonly flags: number
  readonly data: Uint8Array | string
}

/** The rules of compression. Lengths are those of the serialized value in bytes. */
export interface CompressionRequest {
  /** The shortest value to compress; 0 = never. The encoding decides between `>=` and `>`. */
  readonly minCompressLen: number
  /** −1..9; −1 is 6. Only pylibmc's encoding uses it. */
  readonly compressLevel?: number
}

/**
 * The conversion of values to flags and bytes: one plain named object per library and version range.
 * `encode` and `decode` are pure and synchronous.
 */
export interface ValueEncoding {
  /** e.g. `'pylibmc'`, `'python-memcached-1.59'`. */
  readonly name: string
  /** @throws ValueEncodeError if the value has no representation; nothing is sent */
  encode(value: unknown, compression?: CompressionRequest): EncodedValue
  /** As `encode`, for sending: the result may be a string if it is ASCII, which saves a conversion to bytes. Absent = `encode`. */
  write?(value: unknown, compression?: CompressionRequest): Payload
  /** The flags of items that are exactly their UTF-8 text. Absent = there are no such flags. */
  readonly textFlags?: number | undefined
  /** @throws ValueDecodeError if flags or payload cannot be read */
  decode(flags: number, data: Buffer): unknown
}
