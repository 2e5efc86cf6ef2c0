/** python-memcached's key rule. Source: spec/python-memcached §8, §6.3. */
import type { Bytes } from '../protocol/wire.js'
import { IndexError, UnicodeEncodeError } from '../python/errors.js'
import { PyFloat, PyTuple } from '../values/index.js'
import {
  MemcachedKeyCharacterError,
  MemcachedKeyLengthError,
  MemcachedKeyNoneError,
  MemcachedKeyTypeError,
} from './errors.js'

export interface KeyLimits {
  /** Bytes; 0 = no limit. */
  readonly maxLength: number
  /** Off: nothing is validated, except what would break out of the command line. */
  readonly check: boolean
}

/** What may be in a key. A single trailing line feed passes python-memcached's own check and desynchronises it; not here. */
const LEGAL = /^[\x21-\x7e\x80-\xff]+$/
const LONE_SURROGATE = /\p{Surrogate}/u

/** A key with the hash that a tuple brought along. */
export interface HashedKey {
  readonly wire: Bytes
  readonly hash?: bigint
}

/** @throws MemcachedKey…Error, UnicodeEncodeError, TypeError, IndexError (tuples) */
export function singleKey(key: unknown, limits: KeyLimits): HashedKey {
  const tuple = asTuple(key)
  if (!tuple) return { wire: checkKey(encoded(key), 0, limits, key) }
  const [hash, name] = tuple
  if (tuple.length < 2) throw new IndexError('tuple index out of range')
  const wire = checkKey(encoded(name), 0, limits, name)
  return { wire, hash: tupleHash(hash) }
}

/** A key of a multi operation: anything but None is converted with Python's str(). */
export function multiKey(key: unknown, prefix: Bytes, limits: KeyLimits): HashedKey {
  const tuple = asTuple(key)
  const name = tuple ? tuple[1] : key
  if (name === null || name === undefined) throw new MemcachedKeyNoneError('Key is None', key)
  const text = typeof name === 'string' || name instanceof Uint8Array ? name : pythonText(name)
  const own = checkKey(encoded(text), prefix.length, limits, key)
  return { wire: prefix + (own as Bytes), hash: tuple ? tupleHash(tuple[0]) : undefined }
}

/** @throws MemcachedKey…Error; TypeError for anything but text and bytes */
export function multiPrefix(prefix: unknown, limits: KeyLimits): Bytes {
  if (prefix === undefined || prefix === '') return ''
  if (typeof prefix !== 'string' && !(prefix instanceof Uint8Array)) {
    throw new TypeError(`key_prefix must be text or bytes, not ${prefix === null ? 'None' : typeof prefix}`)
  }
  const bytes = encoded(prefix) as Bytes
  return bytes === '' ? '' : checkKey(bytes, 0, limits, prefix)
}

/**
 * Public `check_key`: validates without encoding.
 * @param key bytes as text with one character per byte, or undefined when it is neither text nor bytes
 * @param extra bytes that will be put before it
 */
export function checkKey(
  key: Bytes | undefined | null,
  extra: number,
  limits: KeyLimits,
  given: unknown,
): Bytes {
  if (!limits.check && typeof key === 'string' && LEGAL.test(key)) return key
  if (key === null) throw new MemcachedKeyNoneError('Key is None', given)
  if (key === undefined) throw new MemcachedKeyTypeError('Key must be a binary string', given)
  if (limits.maxLength !== 0 && key.length + extra > limits.maxLength) {
    throw new MemcachedKeyLengthError(`Key length is > ${limits.maxLength}`, given)
  }
  if (!LEGAL.test(key)) {
    throw new MemcachedKeyCharacterError(
      `Control/space characters not allowed (key=${bytesRepr(key)})`,
      given,
    )
  }
  return key
}

/** Text as UTF-8, bytes as they are; null for None, undefined for other types. */
function encoded(key: unknown): Bytes | null | undefined {
  if (key === null || key === undefined) return null
  if (typeof key === 'string') {
    if (LONE_SURROGATE.test(key))
      throw new UnicodeEncodeError("'utf-8' codec can't encode a lone surrogate in the key")
    return Buffer.from(key).toString('latin1')
  }
  return key instanceof Uint8Array ? Buffer.from(key).toString('latin1') : undefined
}

function asTuple(key: unknown): readonly unknown[] | undefined {
  if (key instanceof PyTuple) return key.items
  return Array.isArray(key) && key.length === 2 && typeof key[0] !== 'string' ? key : undefined
}

function tupleHash(hash: unknown): bigint {
  if (typeof hash === 'bigint') return hash
  if (typeof hash === 'boolean') return hash ? 1n : 0n
  if (typeof hash === 'number' && Number.isInteger(hash)) return BigInt(hash)
  throw new TypeError('the hash of a tuple key must be an integer')
}

/** Python's str() of what applications use for keys. */
function pythonText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (value instanceof PyFloat)
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value)
  return String(value)
}

function bytesRepr(key: Bytes): string {
  const quote = key.includes("'") && !key.includes('"') ? '"' : "'"
  const named: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }
  const body = [...key].map((character) => {
    if (character === quote) return `\\${quote}`
    if (named[character]) return named[character]
    const code = character.charCodeAt(0)
    return code >= 0x20 && code < 0x7f ? character : `\\x${code.toString(16).padStart(2, '0')}`
  })
  return `b${quote}${body.join('')}${quote}`
}
