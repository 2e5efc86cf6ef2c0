/** Arguments of the methods: their types, and Python's conversions. Source: docs/reference/pylibmc.md#5. */
import * as types from 'node:util/types'
import { OverflowError, ValueError } from '../../python/errors.js'
import { isPlain } from '../../python/options.js'
import { integerRepr } from '../../python/repr.js'
import { shownAsPython } from '../../python/shown.js'
import { typeName } from '../../python/type-name.js'
import type { CompressionRequest } from '../../values/types.js'
import { integer } from '../exptime.js'

const { isMap } = types

/** A key: text is sent as UTF-8. */
export type Key = string | Uint8Array

/** Times in seconds; over 30 days the server takes them for Unix times. */
export type Time = number | bigint

/** Options of a single call, which pylibmc does not have. */
export interface CallOptions {
  /** Milliseconds for the whole operation, instead of the client's. */
  readonly timeout?: number | undefined
  /** Gives up waiting: the call rejects with the signal's reason. A command that was sent is not undone. */
  readonly signal?: AbortSignal | undefined
}

/** A time, by name (docs/reference/pylibmc.md#8). */
export interface TimeOptions extends CallOptions {
  readonly time?: Time | undefined
}

/** Options of set, add, replace, append and prepend (docs/reference/pylibmc.md#4.5, #8). */
export interface StoreOptions extends TimeOptions {
  /** Compress when the serialized value has at least this many bytes; 0 = never. */
  readonly minCompressLen?: number | undefined
  /** −1…9; 0 disables compression. */
  readonly compressLevel?: number | undefined
}

/** Options of methods over many keys (docs/reference/pylibmc.md#5.2). */
export interface PrefixOptions extends CallOptions {
  readonly keyPrefix?: Key | undefined
}

/** Options of setMulti and addMulti (docs/reference/pylibmc.md#5.3). */
export type MultiOptions = StoreOptions & PrefixOptions

/** Options of incrMulti (docs/reference/pylibmc.md#5.6). */
export interface CountOptions extends PrefixOptions {
  /** Unsigned 32 bit; wraps. Default 1. */
  readonly delta?: number | bigint | undefined
}

/** Where Python code passes the time as third argument, a number works too. */
export type StoreArgument = Time | StoreOptions

const call = ['timeout', 'signal'] as const satisfies (keyof CallOptions)[]
const prefix = ['keyPrefix', ...call] as const satisfies (keyof PrefixOptions)[]
const store = ['time', 'minCompressLen', 'compressLevel', ...call] as const satisfies (keyof StoreOptions)[]

/** The result of `gets`. */
export type ValueAndCas<T> = [value: T, cas: bigint] | [undefined, undefined]

/** Keys with their values. */
export type Entries<K> = ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>

/** The options that a call may have, by kind of call. */
export const optionNames = {
  call,
  prefix,
  time: ['time', ...call] as const satisfies (keyof TimeOptions)[],
  store,
  multi: ['keyPrefix', ...store] as const satisfies (keyof MultiOptions)[],
  count: ['delta', ...prefix] as const satisfies (keyof CountOptions)[],
  stream: ['batch', ...prefix] as const,
} satisfies Readonly<Record<string, readonly string[]>>

/** Node's timers take no longer times. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** @throws ValueError */
export function checkTimeout(timeout: unknown): void {
  if (typeof timeout === 'number' && timeout > 0 && timeout <= LONGEST_TIMEOUT) return
  throw new ValueError(
    `timeout ${shownAsPython(timeout)} is not a number of milliseconds above 0, at most ${LONGEST_TIMEOUT}`,
  )
}

/** @param options checked already */
export function timeOf(options: unknown): unknown {
  if (options === undefined) return 0
  if (typeof options !== 'object' || options === null) return options
  const { time } = options as TimeOptions
  return time === undefined ? 0 : time
}

/** The keys of a call over many. @throws TypeError */
export function keysOf<K>(keys: Iterable<K>): Iterable<K> {
  if (isMap(keys)) throw new TypeError('dict is not a sequence')
  if (keys !== null && keys !== undefined && Symbol.iterator in Object(keys)) return keys
  throw new TypeError(`keys must be a sequence, not ${typeName(keys)}`)
}

export function compressionOf(options: Time | StoreOptions | undefined): CompressionRequest | undefined {
  if (typeof options !== 'object' || options === null) return undefined
  const { minCompressLen, compressLevel } = options
  if (minCompressLen === undefined && compressLevel === undefined) return undefined
  // Unsigned 32 bit: −1 is more than any value has, so it never compresses.
  const length = Number(
    BigInt.asUintN(32, BigInt(integer(minCompressLen === undefined ? 0 : minCompressLen))),
  )
  const level = compressLevel === undefined ? -1 : integer(compressLevel)
  if (level > 2 ** 31 - 1 || level < -(2 ** 31))
    throw new OverflowError(`compressLevel ${integerRepr(level)} does not fit a C int`)
  if (level < -1 || level > 9) throw new ValueError('compress_level must be between 0 and 9 inclusive')
  return { minCompressLen: length, compressLevel: Number(level) }
}

/** @throws TypeError for a value that is not a mapping, and for symbols as keys */
export function entriesOf<K extends Key>(mapping: Entries<K>): [K, unknown][] {
  if (isMap(mapping)) return [...(mapping as ReadonlyMap<K, unknown>)]
  if (!isPlain(mapping)) throw new TypeError(`argument 1 must be dict, not ${typeName(mapping)}`)
  const [symbol] = Object.getOwnPropertySymbols(mapping)
  if (symbol !== undefined) throw new TypeError(`key must be text or bytes, not ${String(symbol)}`)
  return Object.entries(mapping) as [K, unknown][]
}

/** pylibmc's tokens are signed; they go on the wire as unsigned. In the binary protocol 0 replaces every item. */
export function casToken(cas: unknown, binary: boolean): bigint {
  if (typeof cas !== 'bigint' && !(typeof cas === 'number' && Number.isSafeInteger(cas))) {
    throw new TypeError(`cas must be a bigint, not ${cas === null ? 'null' : typeof cas}`)
  }
  const token = BigInt(cas)
  if (token >= 2n ** 63n || token < -(2n ** 63n))
    throw new OverflowError(`cas ${integerRepr(token)} does not fit a signed 64-bit number`)
  // pylibmc then sends a command without token, which the server does not understand.
  if (token === 0n && !binary) throw new ValueError('cas 0 is not a CAS unique')
  return BigInt.asUintN(64, token)
}
