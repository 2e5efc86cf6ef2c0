/** Strict UTF-8 for stored text, as Python's `str.encode` and `bytes.decode`. */
import { isAscii as isAsciiBytes } from 'node:buffer'
import { UnicodeDecodeError, UnicodeEncodeError } from './errors.js'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const LONE_SURROGATE = /\p{Surrogate}/u

/** Every other character takes more bytes than it has units. */
export const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length

export const areAscii = (bytes: Uint8Array): boolean => isAsciiBytes(bytes)

/** As UTF-8; ASCII as it is. @throws UnicodeEncodeError for lone surrogates */
export function writeText(text: string): Uint8Array | string {
  return isAscii(text) ? text : encodeText(text)
}

/** @throws UnicodeEncodeError for lone surrogates */
export function encodeText(text: string): Buffer {
  if (LONE_SURROGATE.test(text))
    throw new UnicodeEncodeError("'utf-8' codec can't encode a lone surrogate: surrogates not allowed")
  return Buffer.from(text)
}

/** @throws UnicodeDecodeError */
export function decodeText(data: Buffer): string {
  try {
    return decoder.decode(data)
  } catch (cause) {
    throw new UnicodeDecodeError("'utf-8' codec can't decode the value: invalid bytes", { cause })
  }
}
