/** Keys by the switches of `switches/keys.ts`. Source: docs/reference/python-memcached.md#8, #6.3. */

import type { Bytes } from '../ground/bytes.js'
import { isPlainKey } from '../protocol/plain-key.js'
import { IndexError, ValueError } from '../python/errors.js'
import { bytesRepr, byteTextRepr } from '../python/repr.js'
import type { Operation } from '../strict/index.js'
import { MAX_KEY_LENGTH, prefixBytes, pylibmcKey } from '../strict/keys.js'
import { PyFloat, PyTuple } from '../values/index.js'
import { raises } from './divergence.js'
import type { Emulation } from './emulation.js'
import { MemcachedKeyNoneError } from './errors.js'
import { checkKey, type KeyLimits, keyBytes } from './key-check.js'
import { smuggled } from './serial/unsafe-keys.js'

/** A key as the operations need it. */
export interface HashedKey {
  readonly wire: Bytes
  /** Brought along by a tuple: chooses the server instead of the key. */
  readonly hash?: bigint
  /** Chooses the server instead of `wire`, where key_encoder was applied once more after the server was chosen. */
  readonly placedAs?: Bytes
  /** The key under which a result is told, where that is not the caller's. */
  readonly shown?: { readonly key: unknown }
}

const MULTI: ReadonlySet<Operation> = new Set(['getMulti', 'setMulti', 'deleteMulti'])

export class Keys {
  private readonly limits: KeyLimits
  private readonly encode: (key: unknown) => unknown
  private readonly encodesTwice: boolean
  /** Keys may hold what breaks out of a command line. */
  private readonly smuggles: boolean
  /** Longest text that every rule takes as it is. */
  private readonly plainLength: number

  constructor(private readonly emulation: Emulation) {
    const { facts, options, on } = emulation
    this.limits = {
      maxLength: emulation.serverMaxKeyLength,
      check: emulation.checkKeys,
      raw: on('desynchronisation'),
      spaces: on('desynchronisation') && facts.spaceKeys,
      newline: on('trailing-newline-keys') && on('desynchronisation') && facts.newlineKeys,
      texts: facts.keyTexts,
    }
    const { newline, check, raw, spaces } = this.limits
    this.smuggles = newline || spaces || (raw && !check)
    const asIs = options.keyEncoder === undefined && !this.smuggles
    this.plainLength = asIs ? Math.min(this.limits.maxLength || MAX_KEY_LENGTH, MAX_KEY_LENGTH) : -1
    this.encode = options.keyEncoder ?? ((key) => key)
    this.encodesTwice = options.keyEncoder !== undefined && on('key-encoder-twice')
  }

  /** @throws python-memcached's key errors, or pylibmc's when the switch is off */
  one(key: unknown, operation: Operation, prefix: Bytes = ''): HashedKey {
    if (prefix === '' && typeof key === 'string' && key.length <= this.plainLength && isPlainKey(key))
      return { wire: key }
    if (!this.emulation.on('keys'))
      return { wire: pylibmcKey(this.encode(key), operation, prefix, 'unbroken') }
    const plain = typeof key === 'string' || key instanceof Uint8Array
    try {
      const hashed = MULTI.has(operation) ? this.many(key, operation, prefix) : this.single(key)
      if (!plain && this.emulation.announcer.active) this.announce(key, operation, hashed.wire, 'takes it')
      return this.smuggles ? { ...hashed, wire: smuggled(hashed.wire) } : hashed
    } catch (error) {
      if (this.emulation.announcer.active)
        this.announce(key, operation, plain ? String(key) : '', raises(error))
      throw error
    }
  }

  /** @throws MemcachedKey…Error, UnicodeEncodeError, TypeError, IndexError (tuples) */
  private single(given: unknown): HashedKey {
    const key = this.encode(given)
    const tuple = asTuple(key)
    if (!tuple) return { wire: checkKey(keyBytes(key), 0, this.limits, key) }
    const [hash, name] = tuple
    if (tuple.length < 2) throw new IndexError('tuple index out of range')
    // Text is encoded on Python 3, and further items are lost on the way.
    const python3 = this.emulation.facts.python === 3
    if (tuple.length > 2 && !(python3 && typeof name === 'string'))
      throw new ValueError(`too many values to unpack${python3 ? ' (expected 2)' : ''}`)
    const wire = checkKey(keyBytes(name), 0, this.limits, name)
    return { wire, hash: tupleHash(hash) }
  }

  /** Anything but None is converted with Python's str(). */
  private many(given: unknown, operation: Operation, prefix: Bytes): HashedKey {
    const key = this.encode(given)
    const tuple = asTuple(key)
    const hash = tuple ? tupleHash(tuple[0]) : undefined
    const name = tuple ? tuple[1] : key
    const once = prefix + this.checkedText(name, key, prefix.length)
    if (!this.encodesTwice) return { wire: once, hash }
    if (operation === 'getMulti')
      return { wire: prefix + this.checkedText(this.encode(name), key, prefix.length), hash, shown: { key } }
    const twice = this.checkedText(this.encode(Buffer.from(once, 'latin1')), key, 0)
    return { wire: twice, hash, placedAs: once }
  }

  private checkedText(name: unknown, given: unknown, extra: number): Bytes {
    const none = name === null || name === undefined
    if (none && this.emulation.facts.python === 3) throw new MemcachedKeyNoneError('Key is None', given)
    const text = typeof name === 'string' || name instanceof Uint8Array ? name : pythonText(name)
    return checkKey(keyBytes(text), extra, this.limits, given)
  }

  /** @throws MemcachedKey…Error; TypeError for anything but text and bytes */
  prefix(prefix: unknown, operation: Operation): Bytes {
    if (!this.emulation.on('keys')) return prefixBytes(prefix, operation)
    if (prefix === undefined || prefix === '') return ''
    if (typeof prefix !== 'string' && !(prefix instanceof Uint8Array)) {
      throw new TypeError(`key_prefix must be text or bytes, not ${prefix === null ? 'None' : typeof prefix}`)
    }
    const bytes = keyBytes(prefix) as Bytes
    return bytes === '' ? '' : checkKey(bytes, 0, this.limits, prefix)
  }

  /** Public `check_key`: validates without encoding. */
  check(key: unknown, extra: number): void {
    const { python } = this.emulation.facts
    if (python === 3 && key === '') {
      if (extra === 0) throw new MemcachedKeyNoneError('Key is empty', key)
      return
    }
    const text = python === 2 && typeof key === 'string'
    const known = key === null || key === undefined || key instanceof Uint8Array || text
    const texts = { ...this.limits.texts, asciiOnly: false }
    checkKey(known ? keyBytes(key) : undefined, extra, { ...this.limits, texts, check: true }, key)
  }

  /** Only where pylibmc does otherwise with this key. */
  private announce(key: unknown, operation: Operation, wire: Bytes, compat: string): void {
    let strict = 'takes it'
    try {
      if (pylibmcKey(key, operation, '', 'unbroken') === '') strict = 'False'
    } catch (error) {
      strict = raises(error)
    }
    if (strict !== compat) this.emulation.announcer.announce('keys', { operation, key: wire, compat, strict })
  }
}

export function asTuple(key: unknown): readonly unknown[] | undefined {
  if (key instanceof PyTuple) return key.items
  return Array.isArray(key) && key.length === 2 && typeof key[0] !== 'string' ? key : undefined
}

/** @throws TypeError unless it is an integer */
function tupleHash(hash: unknown): bigint {
  if (typeof hash === 'bigint') return hash
  if (typeof hash === 'boolean') return hash ? 1n : 0n
  if (typeof hash === 'number' && Number.isInteger(hash)) return BigInt(hash)
  throw new TypeError('the hash of a tuple key must be an integer')
}

/** Python's str() of what applications use for keys. */
function pythonText(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (value instanceof PyFloat)
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value)
  return Array.isArray(value) ? `[${value.map(itemText).join(', ')}]` : String(value)
}

/** Python's repr() of what stands in a list. */
function itemText(value: unknown): string {
  if (typeof value === 'string') return byteTextRepr(value)
  return value instanceof Uint8Array ? bytesRepr(Buffer.from(value).toString('latin1')) : pythonText(value)
}
