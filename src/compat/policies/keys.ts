/** Keys by the switches of `switches/keys.ts`. Source: docs/reference/python-memcached.md#8, #6.3. */

import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { KeyHash } from '../../hashing/python-memcached.js'
import { PLAIN_KEY, prefixBytes, pylibmcKey } from '../../pipeline/keys.js'
import { type Operation, operations } from '../../pipeline/operations.js'
import { IndexError, ValueError } from '../../python/errors.js'
import { typeName } from '../../python/type-name.js'
import { PyTuple } from '../../values/index.js'
import { type Raised, raises } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import { MemcachedKeyNoneError } from '../errors.js'
import { smuggled } from '../serial/unsafe-keys.js'
import { pythonLength, pythonText } from './exptime.js'
import { checkKey, type KeyLimits, keyBytes } from './key-check.js'
import { miscounted } from './wording.js'

/** A key for the operations. */
export interface HashedKey {
  readonly wire: Bytes
  /** The hash of a tuple key, which chooses the server instead of the key. */
  readonly hash?: KeyHash | undefined
  /** Chooses the server instead of `wire`, if key_encoder was applied a second time after the server was chosen. */
  readonly placedAs?: Bytes | undefined
  /** The key under which a result is returned, if that is not the caller's. */
  readonly shown?: { readonly key: unknown } | undefined
}

/** A key of an operation on many keys. python-memcached finds its server before it checks it. */
export interface UncheckedKey extends HashedKey {
  /** @throws MemcachedKey…Error */
  check(): void
}

/** The prefix of every key of an operation on many keys. */
export interface KeyPrefix {
  readonly bytes: Bytes
  /** Raised as soon as there is a key. */
  readonly unusable?: TypeError
}

const unchecked = (): void => {}
/** All of them have one shape, which V8 reads fastest. */
const plain = (wire: Bytes): UncheckedKey => ({
  wire,
  hash: undefined,
  placedAs: undefined,
  shown: undefined,
  check: unchecked,
})
const NO_PREFIX: KeyPrefix = { bytes: '' }

export class Keys {
  private readonly limits: KeyLimits
  private readonly encode: (key: unknown) => unknown
  private readonly encodesTwice: boolean
  /** Keys may contain characters that end a command line. */
  private readonly smuggles: boolean
  /** The longest text that every rule accepts unchanged. */
  private readonly plainLength: number

  /** Names the server of a key, for messages; set when there are servers. */
  serverOf: ((key: Bytes) => string) | undefined

  constructor(private readonly emulation: Emulation) {
    const { rules, options } = emulation
    this.limits = {
      maxLength: emulation.serverMaxKeyLength,
      check: emulation.checkKeys,
      raw: rules.getsOutOfStep,
      spaces: rules.spaceKeys,
      newline: rules.newlineKeys,
      texts: rules.keyTexts,
    }
    const { newline, check, raw, spaces } = this.limits
    this.smuggles = newline || spaces || (raw && !check)
    const asIs = options.keyEncoder === undefined && !this.smuggles
    this.plainLength = asIs ? Math.min(this.limits.maxLength || MAX_KEY_LENGTH, MAX_KEY_LENGTH) : -1
    this.encode = options.keyEncoder ?? ((key) => key)
    this.encodesTwice = options.keyEncoder !== undefined && rules.encodesTwice
  }

  /** @throws python-memcached's key errors, or pylibmc's when the switch is off */
  one(key: unknown, operation: Operation, prefix: KeyPrefix = NO_PREFIX): HashedKey {
    const found = this.unchecked(key, operation, prefix)
    found.check()
    return found
  }

  /** @throws errors that python-memcached raises before it finds a server; all errors if the switch is off */
  unchecked(key: unknown, operation: Operation, prefix: KeyPrefix = NO_PREFIX): UncheckedKey {
    if (typeof key === 'string' && prefix.unusable === undefined) {
      const wire = prefix.bytes + key
      if (key !== '' && wire.length <= this.plainLength && PLAIN_KEY.test(wire)) return plain(wire)
    }
    if (this.emulation.rules.keyCheck !== 'python-memcached')
      return {
        wire: pylibmcKey(this.encode(key), operation, prefix.bytes, 'unbroken', this.serverOf),
        check: unchecked,
      }
    const usual = typeof key === 'string' || key instanceof Uint8Array
    return this.announced(key, operation, usual, () => {
      const hashed = operations[operation].many ? this.many(key, operation, prefix) : this.single(key)
      if (!usual && this.emulation.announcer.active) this.announce(key, operation, hashed.wire, 'takes it')
      const check = () => this.announced(key, operation, usual, hashed.check)
      return this.smuggles ? { ...hashed, wire: smuggled(hashed.wire), check } : { ...hashed, check }
    })
  }

  private announced<T>(key: unknown, operation: Operation, plain: boolean, run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (this.emulation.announcer.active)
        this.announce(key, operation, plain ? String(key) : '', raises(error))
      throw error
    }
  }

  /** @throws MemcachedKey…Error, UnicodeEncodeError, TypeError, IndexError (tuples) */
  private single(given: unknown): UncheckedKey {
    const key = this.encode(given)
    const tuple = asTuple(key)
    if (!tuple) return { wire: checkKey(keyBytes(key), 0, this.limits, key), check: unchecked }
    const [hash, name] = tuple
    if (tuple.length < 2) throw new IndexError('tuple index out of range')
    const wire = checkKey(keyBytes(name), 0, this.limits, name)
    // Text is encoded on Python 3, and further items of the tuple are ignored.
    const python3 = this.emulation.rules.python === 3
    if (tuple.length > 2 && !(python3 && typeof name === 'string'))
      throw new ValueError(miscounted(this.emulation.rules, 2, tuple.length))
    return { wire, hash: tupleHash(hash), check: unchecked }
  }

  /** Anything but None is converted with Python's str(). */
  private many(given: unknown, operation: Operation, prefix: KeyPrefix): UncheckedKey {
    const { rules } = this.emulation
    const key = this.encode(given)
    const tuple = asTuple(key)
    if (tuple && tuple.length !== 2) throw new ValueError(miscounted(rules, 2, tuple.length))
    const name = tuple ? tuple[1] : key
    // From 1.60 on the given value is compared with None, and a tuple is not None.
    const none = (tuple && !rules.tupleOfNoneIsNone ? key : name) ?? null
    const nobody = rules.python === 3 && none === null
    const bare = this.text(name)
    if (prefix.unusable) throw prefix.unusable
    const once = prefix.bytes + bare
    const hash = tuple ? tupleHash(tuple[0]) : undefined
    const check = (text: Bytes, extra: number) => (): void => {
      if (nobody) throw new MemcachedKeyNoneError('Key is None', key)
      checkKey(text, extra, this.limits, key)
    }
    const extra = prefix.bytes.length
    if (!this.encodesTwice) return { wire: once, hash, check: check(bare, extra) }
    if (operation === 'getMulti') {
      const twice = this.text(this.encode(name))
      return { wire: prefix.bytes + twice, hash, shown: { key }, check: check(twice, extra) }
    }
    const twice = this.text(this.encode(Buffer.from(once, 'latin1')))
    return { wire: twice, hash, placedAs: once, check: check(twice, 0) }
  }

  /** Text and bytes unchanged, any other value as its str(). @throws UnicodeEncodeError */
  private text(name: unknown): Bytes {
    const plain = typeof name === 'string' || name instanceof Uint8Array
    return keyBytes(plain ? name : pythonText(name, this.emulation.rules.python)) as Bytes
  }

  /** @throws MemcachedKey…Error; TypeError for a value without a length */
  prefix(prefix: unknown, operation: Operation): KeyPrefix {
    if (this.emulation.rules.keyCheck !== 'python-memcached') return { bytes: prefixBytes(prefix, operation) }
    if (prefix === undefined || prefix === '') return NO_PREFIX
    if (typeof prefix === 'string' || prefix instanceof Uint8Array) {
      const bytes = keyBytes(prefix) as Bytes
      return bytes === '' ? NO_PREFIX : { bytes: checkKey(bytes, 0, this.limits, prefix) }
    }
    const size = pythonLength(prefix)
    if (size === undefined) throw new TypeError(`object of type '${typeName(prefix)}' has no len()`)
    const tuple = asTuple(prefix)
    if (tuple && tuple.length === 1) throw new IndexError('tuple index out of range')
    if (size > 0) checkKey(keyBytes(tuple ? tuple[1] : prefix), 0, this.limits, prefix)
    return { bytes: '', unusable: new TypeError(`key_prefix must be text or bytes, not ${typeName(prefix)}`) }
  }

  /** Public `check_key`: validates without encoding. */
  check(given: unknown, extra: number): void {
    const { python } = this.emulation.rules
    const tuple = asTuple(given)
    if (tuple && tuple.length < 2) throw new IndexError('tuple index out of range')
    const key = tuple ? tuple[1] : given
    if (python === 3 && key === '') {
      if (extra === 0) throw new MemcachedKeyNoneError('Key is empty', key)
      return
    }
    const text = python === 2 && typeof key === 'string'
    const known = key === null || key === undefined || key instanceof Uint8Array || text
    const texts = { ...this.limits.texts, asciiOnly: false }
    checkKey(known ? keyBytes(key) : undefined, extra, { ...this.limits, texts, check: true }, key)
  }

  /** Announces only if pylibmc's outcome for this key differs. */
  private announce(key: unknown, operation: Operation, wire: Bytes, compat: string | Raised): void {
    let strict: string | Raised = 'takes it'
    try {
      if (pylibmcKey(key, operation, '', 'unbroken') === '') strict = 'False'
    } catch (error) {
      strict = raises(error)
    }
    if (String(strict) !== String(compat))
      this.emulation.announcer.announce('keys', { operation, key: wire, compat, strict })
  }
}

export function asTuple(key: unknown): readonly unknown[] | undefined {
  if (key instanceof PyTuple) return key.items
  return Array.isArray(key) && key.length === 2 && typeof key[0] !== 'string' ? key : undefined
}

/** @throws TypeError unless it is an integer */
function tupleHash(hash: unknown): KeyHash {
  if (typeof hash === 'bigint' || typeof hash === 'boolean') return hash
  if (typeof hash === 'number' && Number.isInteger(hash)) return BigInt(hash)
  throw new TypeError('the hash of a tuple key must be an integer')
}
