/** The keys that pymemcache sends. Source: docs/reference/pymemcache.md#4. */
import type { Bytes } from '../ground/bytes.js'
import { ownBlock } from '../protocol/data-block.js'
import { UnicodeEncodeError } from '../python/errors.js'
import { bytesRepr, textRepr } from '../python/repr.js'
import { encodeText, isAscii } from '../python/text.js'
import { typeName } from '../python/type-name.js'
import { MemcacheIllegalInputError } from './errors.js'

/** Text, or bytes. Both name the same item of a server; a HashClient places them differently. */
export type Key = string | Uint8Array

export interface KeyRule {
  /** Text is sent as UTF-8; otherwise it must be ASCII. */
  readonly allowUnicodeKeys: boolean
  /** Prefix of every key. */
  readonly keyPrefix: Bytes
}

/** Longest key in bytes, with its prefix. */
const MAX_LENGTH = 250
/** The characters at which Python's bytes.split() splits. */
const BLANK = /[ \t\n\r\v\f]/

/**
 * The bytes of a key.
 * @throws MemcacheIllegalInputError for keys that are too long or have a blank or NUL, for text that is not ASCII, and for the empty
 *   key and keys of only blanks, which pymemcache sends and the server takes for another command; TypeError for other types;
 *   UnicodeEncodeError for a lone surrogate with `allowUnicodeKeys`
 */
export function checkKey(key: unknown, { allowUnicodeKeys, keyPrefix }: KeyRule): Bytes {
  const bytes = keyPrefix + keyBytes(key, allowUnicodeKeys)
  if (bytes.length > MAX_LENGTH) throw illegal('Key is too long', bytes)
  if (bytes === '') throw illegal('Key is empty', bytes)
  if (BLANK.test(bytes)) throw illegal('Key contains whitespace', bytes)
  if (bytes.includes('\0')) throw illegal('Key contains null', bytes)
  return bytes
}

function keyBytes(key: unknown, allowUnicodeKeys: boolean): Bytes {
  if (typeof key === 'string') {
    if (isAscii(key)) return key
    if (allowUnicodeKeys) return encodeText(key).toString('latin1')
    throw new MemcacheIllegalInputError(`Non-ASCII key: ${textRepr(key)}`, 'key')
  }
  if (key instanceof Uint8Array) return bytesOf(key)
  throw new TypeError(`a key is text or bytes, not a value of type ${typeName(key)}`)
}

function illegal(problem: string, key: Bytes): MemcacheIllegalInputError {
  return new MemcacheIllegalInputError(`${problem}: ${bytesRepr(key)}`, 'key')
}

/** One character per byte. @throws TypeError when the memory of the bytes was transferred */
export function bytesOf(data: Uint8Array): Bytes {
  const own = ownBlock(data)
  return typeof own === 'string' ? own : Buffer.from(own).toString('latin1')
}

/** The key for a HashClient's placement: text unchanged, bytes as their repr (docs/reference/pymemcache.md#11.1). */
export function placementKey(key: Key): string {
  return typeof key === 'string' ? key : bytesRepr(bytesOf(key))
}

/** Keys that name the same entry of a Python dict. */
export function keyIdentity(key: unknown): string {
  return key instanceof Uint8Array ? `b${bytesOf(key)}` : `s${String(key)}`
}

/** @throws TypeError when it is neither text of ASCII nor bytes */
export function prefixBytes(prefix: unknown): Bytes {
  if (prefix === undefined) return ''
  if (prefix instanceof Uint8Array) return bytesOf(prefix)
  if (typeof prefix !== 'string') throw new TypeError('key_prefix should be bytes.')
  if (!isAscii(prefix)) throw new UnicodeEncodeError(`keyPrefix ${textRepr(prefix)} is not ASCII`)
  return prefix
}
