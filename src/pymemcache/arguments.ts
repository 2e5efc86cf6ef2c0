/** Arguments of pymemcache's calls: their types, their checks, and their form on the wire. Source: docs/reference/pymemcache.md#4, #6. */
import type { Bytes } from '../ground/bytes.js'
import { ownOptions } from '../python/options.js'
import { bytesRepr, integerText, textRepr } from '../python/repr.js'
import { encodeWith } from '../python/text.js'
import { typeName } from '../python/type-name.js'
import { MemcacheIllegalInputError } from './errors.js'
import { bytesOf, type Key } from './keys.js'
import type { Settings } from './options.js'
import { pythonRepr, pythonText } from './serde.js'

/** Options of a call that can omit the answer. */
export interface NoreplyOptions {
  /** Whether the command is sent with noreply. Default: `defaultNoreply`; false for cas, incr and decr. */
  readonly noreply?: boolean | null | undefined
}
/** Options of storage. */
export interface StoreOptions extends NoreplyOptions {
  /** Seconds, or a Unix time over 30 days. Default 0: never. */
  readonly expire?: number | bigint | undefined
  /** Replaces the flags of the serde. */
  readonly flags?: number | bigint | null | undefined
}
/** Options of touch. */
export type TouchOptions = Pick<StoreOptions, 'expire' | 'noreply'>

/** A CAS unique as the server wrote it; an integer or text of digits works too. */
export type Token = number | bigint | string | Uint8Array

/** Values by key. */
export type Mapping = ReadonlyMap<Key, unknown> | Readonly<Record<string, unknown>>

/** A CAS unique as it is sent. @throws MemcacheIllegalInputError */
export function casToken(cas: unknown, encoding: Settings['encoding']): Bytes {
  let token: Bytes
  if (cas instanceof Uint8Array) token = bytesOf(cas)
  else if (
    typeof cas === 'string' ||
    typeof cas === 'bigint' ||
    typeof cas === 'boolean' ||
    Number.isInteger(cas)
  ) {
    const text = pythonText(cas)
    try {
      token = encoded(text, encoding)
    } catch {
      throw new MemcacheIllegalInputError(`non-ASCII cas value: ${textRepr(text)}`, 'cas')
    }
  } else
    throw new MemcacheIllegalInputError(
      `cas must be integer, string, or bytes, got bad value: ${pythonRepr(cas)}`,
      'cas',
    )
  if (!/^[0-9]+$/.test(token))
    throw new MemcacheIllegalInputError(
      `cas must only contain values in 0-9, got bad value: ${bytesRepr(token)}`,
      'cas',
    )
  return token
}

/** pymemcache puts the key into a dict before it looks at anything else. @throws TypeError */
export function checkHashable(key: unknown): void {
  const plain = typeof key === 'object' && key !== null && Object.getPrototypeOf(key) === Object.prototype
  if (plain || Array.isArray(key) || key instanceof Map || key instanceof Set)
    throw new TypeError(`unhashable type: '${typeName(key)}'`)
}

export const storeNames = ['expire', 'noreply', 'flags']
export const touchNames = ['expire', 'noreply']

export function storeOptions(options: StoreOptions | number | undefined, names = storeNames): StoreOptions {
  if (options === undefined) return {}
  return typeof options === 'number' ? { expire: options } : ownOptions(options, names)
}

export function noreplyOptions(options: NoreplyOptions | undefined): NoreplyOptions {
  return options === undefined ? {} : ownOptions(options, ['noreply'])
}

/** @throws MemcacheIllegalInputError when it is not an integer */
export function integer(value: unknown, name: string, encoding: Settings['encoding']): Bytes {
  return digits(integerAsText(value, name), encoding)
}

/** A number as it is sent. */
export function digits(text: string, encoding: Settings['encoding']): Bytes {
  return /^utf-(16|32)/.test(encoding) ? encoded(text, encoding) : text
}

function integerAsText(value: unknown, name: string): string {
  if (value === undefined) return '0'
  if (
    typeof value === 'bigint' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isInteger(value))
  )
    return typeof value === 'number' ? String(BigInt(value)) : pythonText(value)
  throw new MemcacheIllegalInputError(
    `${name} must be integer, got bad value: ${pythonRepr(value)}`,
    'number',
  )
}

/** @throws TypeError when they are not an integer */
export function flagsOf(flags: unknown, encoding: Settings['encoding']): Bytes {
  if (typeof flags === 'bigint' || (typeof flags === 'number' && Number.isSafeInteger(flags)))
    return digits(integerText(flags), encoding)
  throw new TypeError(`flags must be an integer, not a value of type ${typeName(flags)}`)
}

export function safeData(value: unknown, encoding: Settings['encoding']): Bytes {
  const text = pythonText(value)
  try {
    return encoded(text, encoding)
  } catch (error) {
    throw new MemcacheIllegalInputError(
      `Data values must be binary-safe: ${(error as Error).message}`,
      'value',
    )
  }
}

/** @throws UnicodeEncodeError */
export function encoded(text: string, encoding: Settings['encoding']): Bytes {
  return encodeWith(text, encoding).toString('latin1')
}

export function entriesOf(values: unknown): [Key, unknown][] {
  if (values instanceof Map) return [...values]
  if (
    typeof values === 'object' &&
    values !== null &&
    !Array.isArray(values) &&
    !(values instanceof Uint8Array)
  )
    return Object.entries(values)
  throw new TypeError(`values must be a mapping, not a value of type ${typeName(values)}`)
}
