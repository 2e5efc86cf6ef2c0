/** python-memcached's key rule. Source: spec/python-memcached §8, §6.3. */
import type { Bytes } from '../protocol/wire.js'
import { IndexError, UnicodeEncodeError } from '../python/errors.js'
import { bytesRepr } from '../python/repr.js'
import type { Operation } from '../strict/index.js'
import { prefixBytes, pylibmcKey } from '../strict/keys.js'
import { PyFloat, PyTuple } from '../values/index.js'
import { raises } from './divergence.js'
import type { Emulation } from './emulation.js'
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

const MULTI: ReadonlySet<Operation> = new Set(['getMulti', 'setMulti', 'deleteMulti'])

/** Keys by the `keys` switch. */
export class Keys {
  private readonly limits: KeyLimits

  constructor(private readonly emulation: Emulation) {
    this.limits = { maxLength: emulation.serverMaxKeyLength, check: emulation.checkKeys }
  }

  /** @throws python-memcached's key errors, or pylibmc's when the switch is off */
  one(key: unknown, operation: Operation, prefix: Bytes = ''): HashedKey {
    if (!this.emulation.on('keys')) return { wire: pylibmcKey(key, operation, prefix, 'unbroken') }
    const plain = typeof key === 'string' || key instanceof Uint8Array
    try {
      const hashed = MULTI.has(operation) ? multiKey(key, prefix, this.limits) : singleKey(key, this.limits)
      if (!plain) this.announce(key, operation, hashed.wire, 'takes it')
      return hashed
    } catch (error) {
      this.announce(key, operation, plain ? String(key) : '', raises(error))
      throw error
    }
  }

  prefix(prefix: unknown, operation: Operation): Bytes {
    if (this.emulation.on('keys')) return multiPrefix(prefix, this.limits)
    return prefixBytes(prefix, operation)
  }

  check(key: unknown, extra: number): void {
    const bytes =
      key === null || key === undefined ? null : key instanceof Uint8Array ? encoded(key) : undefined
    checkKey(bytes, extra, this.limits, key)
  }

  /** Only where pylibmc does otherwise with this key. */
  private announce(key: unknown, operation: Operation, wire: Bytes, compat: string): void {
    if (!this.emulation.announcer.active) return
    let strict = 'takes it'
    try {
      if (pylibmcKey(key, operation, '', 'unbroken') === '') strict = 'False'
    } catch (error) {
      strict = raises(error)
    }
    if (strict !== compat) this.emulation.announcer.announce('keys', { operation, key: wire, compat, strict })
  }
}
