/** python-memcached's key check, with the messages of each version. Pure. Source: docs/reference/python-memcached.md#8.1, #17. */
import type { Bytes } from '../../ground/bytes.js'
import { UnicodeDecodeError, UnicodeEncodeError } from '../../python/errors.js'
import { bytesRepr } from '../../python/repr.js'
import { typeName } from '../../python/type-name.js'
import {
  MemcachedKeyCharacterError,
  MemcachedKeyLengthError,
  MemcachedKeyNoneError,
  MemcachedKeyTypeError,
} from '../errors.js'
import { pythonTruth } from './exptime.js'

/** The messages of a version, see `keyTexts` in its rules. */
interface KeyTexts {
  readonly type: string
  readonly characters: 'bare' | 'with-key'
  readonly falsyIsNone: boolean
  readonly asciiOnly: boolean
}

export interface KeyLimits {
  /** Bytes; 0 = no limit. */
  readonly maxLength: number
  /** Off: only characters that would end the command line are checked. */
  readonly check: boolean
  /** Unchecked keys are sent with every character. */
  readonly raw: boolean
  /** Spaces are accepted. */
  readonly spaces: boolean
  /** One trailing line feed is accepted. */
  readonly newline: boolean
  readonly texts: KeyTexts
}

const LEGAL = /^[\x21-\x7e\x80-\xff]+$/
const LEGAL_WITH_NEWLINE = /^[\x21-\x7e\x80-\xff]+\n?$/
const LEGAL_WITH_SPACES = /^[\x20-\x7e\x80-\xff]+$/
const ASCII = /^[\x00-\x7f]*$/
const NOT_ASCII = /[\x80-\xff]/
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * @param key bytes as text with one character per byte, null for None, undefined when it is neither text nor bytes
 * @param extra length of the prefix in bytes
 * @throws MemcachedKeyNoneError, MemcachedKeyTypeError, MemcachedKeyLengthError, MemcachedKeyCharacterError
 */
export function checkKey(
  key: Bytes | undefined | null,
  extra: number,
  limits: KeyLimits,
  given: unknown,
): Bytes {
  const { texts, maxLength } = limits
  const withoutSpaces = limits.newline ? LEGAL_WITH_NEWLINE : LEGAL
  const legal = limits.spaces ? LEGAL_WITH_SPACES : withoutSpaces
  if (!limits.check) {
    if (typeof key !== 'string')
      throw new TypeError(`a bytes-like object is required, not '${typeName(given)}'`)
    if (limits.raw || legal.test(key)) return key
  }
  if (key === null || (texts.falsyIsNone && isFalsy(key, given)))
    throw new MemcachedKeyNoneError('Key is None', given)
  if (key === undefined) throw new MemcachedKeyTypeError(texts.type, given)
  if (maxLength !== 0 && key.length + extra > maxLength)
    throw new MemcachedKeyLengthError(`Key length is > ${maxLength}`, given)
  if (texts.asciiOnly && NOT_ASCII.test(key))
    throw new UnicodeDecodeError(`'ascii' codec can't decode byte in the key ${bytesRepr(key)}`)
  if (legal.test(key)) return key
  throw new MemcachedKeyCharacterError(
    texts.characters === 'bare'
      ? 'Control characters not allowed'
      : `Control/space characters not allowed (key=${texts.falsyIsNone ? bytesRepr(key).slice(1) : bytesRepr(key)})`,
    given,
  )
}

function isFalsy(key: Bytes | undefined, given: unknown): boolean {
  return key === undefined ? !pythonTruth(given) : key === ''
}

/** Text as UTF-8, bytes as they are; null for None, undefined for other types. @throws UnicodeEncodeError */
export function keyBytes(key: unknown): Bytes | null | undefined {
  if (key === null || key === undefined) return null
  if (typeof key === 'string') {
    if (ASCII.test(key)) return key
    if (LONE_SURROGATE.test(key))
      throw new UnicodeEncodeError("'utf-8' codec can't encode a lone surrogate in the key")
    return Buffer.from(key).toString('latin1')
  }
  return key instanceof Uint8Array ? Buffer.from(key).toString('latin1') : undefined
}
