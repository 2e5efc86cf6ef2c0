/** pylibmc's methods over the pipeline. Source: docs/reference/pylibmc.md#5. */

import type { Bytes } from '../ground/bytes.js'
import * as requests from '../protocol/requests.js'
import type { Item, StoreVerb } from '../protocol/wire.js'
import { ValueError } from '../python/errors.js'
import { Administration } from './administration.js'
import {
  type CallOptions,
  type CountOptions,
  casToken,
  compressionOf,
  entriesOf,
  type Key,
  keysOf,
  type MultiOptions,
  optionNames,
  type PrefixOptions,
  type StoreArgument,
  type Time,
  type TimeOptions,
  timeOf,
} from './arguments.js'
import {
  AllocationError,
  BadKeyProvided,
  CacheMiss,
  ClientError,
  errorFor,
  MemcachedError,
  NotFound,
} from './errors.js'
import { delta as checkedDelta, integer } from './exptime.js'
import { badKey, keyBytes, prefixBytes } from './keys.js'
import { replicate } from './replicas.js'
import { softOutcome } from './replies.js'
import type { Modes, Operation } from './slots.js'
import { inBatches, type StreamOptions } from './streaming.js'

/** Tokens of 20 digits do not fit into libmemcached's buffer for a number (measured: −9000000000000000000 fits, −2147483649 does not). */
const LONGEST_TOKEN = 10n ** 19n
const tokenTooLong =
  'MEMORY ALLOCATION FAILURE(Cannot allocate memory), snprintf(MEMCACHED_MAXIMUM_INTEGER_DISPLAY_LENGTH)'

/** libmemcached's return code. */
const TIMEOUT = 31

export class Commands extends Administration {
  // ── retrieval ────────────────────────────────────────────────────────────────────────────────

  /**
   * Value of a key, or `missing` (undefined unless given). Error replies are misses (docs/reference/pylibmc.md#5.1, #7).
   * @throws TypeError, UnicodeEncodeError, ValueError, BadKeyProvided for the key; what decoding throws; MemcachedError when the
   *   server fails (docs/reference/pylibmc.md#10)
   */
  get<T = unknown>(key: Key, missing?: T, options?: CallOptions): Promise<T | undefined> {
    try {
      const modes = this.modes(this.own(options, optionNames.call))
      const wire = this.slots.key(key, 'get', '')
      if (wire === '') return Promise.resolve(missing)
      return this.read(modes.retrieval, wire, 'get', modes, missing) as Promise<T | undefined>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Value and CAS unique, a signed 64-bit number; `[undefined, undefined]` on a miss (docs/reference/pylibmc.md#5.1, #5.5).
   * @throws ValueError without the `cas` behavior; otherwise as `get`
   */
  async gets<T = unknown>(
    key: Key,
    options?: CallOptions,
  ): Promise<[value: T, cas: bigint] | [undefined, undefined]> {
    const modes = this.modes(this.own(options, optionNames.call))
    const wire = this.slots.key(key, 'gets', '')
    if (wire === '') return [undefined, undefined]
    if (!modes.cas) throw new ValueError('gets without cas behavior')
    const item = await this.fetch('gets', wire, 'gets', modes)
    const unique = BigInt.asIntN(64, item?.cas ?? 0n)
    return this.decoded<[T, bigint] | [undefined, undefined]>(item, 'gets', (value) => [value as T, unique], [
      undefined,
      undefined,
    ])
  }

  /** An item that `deserialize` calls a CacheMiss is missing. */
  private decoded<R>(
    item: Item | undefined,
    operation: Operation,
    found: (value: unknown) => R,
    missing: R,
  ): R {
    if (!item) return missing
    try {
      return found(this.slots.decode(item, operation))
    } catch (error) {
      if (error instanceof CacheMiss) return missing
      throw error
    }
  }

  /**
   * Values by key, in the caller's key types, without prefix; missing keys are absent. Errors while reading leave out what had
   * not arrived (docs/reference/pylibmc.md#5.2, #7.3).
   * @throws MemcachedError, the last one, only when no server could be asked at all; otherwise as `get`
   */
  async getMulti<K extends Key = string, T = unknown>(
    keys: Iterable<K>,
    options?: PrefixOptions,
  ): Promise<Map<K, T>> {
    const given = keysOf(keys)
    const own = this.own(options, optionNames.prefix)
    const modes = this.modes(own)
    const prefix = prefixBytes(own?.keyPrefix, 'getMulti')
    const asked: Bytes[] = []
    /** The caller's keys beside them. */
    const names: K[] = []
    /** libmemcached looks at the keys when pylibmc has taken all of them. */
    let refusal: BadKeyProvided | undefined
    for (const key of given) {
      let wire: Bytes
      try {
        wire = this.slots.key(key, 'getMulti', prefix)
      } catch (error) {
        if (!(error instanceof BadKeyProvided)) throw error
        refusal ??= error
        continue
      }
      if (wire === '') continue
      asked.push(wire)
      names.push(key)
    }
    if (refusal) throw refusal
    const values = new Map<K, T>()
    const found = (index: number, value: unknown): void => {
      values.set(names[index]!, value as T)
    }
    await (modes.replicas ? this.readEach(asked, modes, found) : this.readMulti(asked, modes, found))
    return names.some(isBytes) ? byText(values) : values
  }

  /**
   * getMulti for more keys than one wants to hold, beyond pylibmc: pairs of the caller's key and its value, batch by batch; keys are
   * taken from the iterable as they are needed. A key given twice may come twice.
   * What each key gives is getMulti's (docs/reference/pylibmc.md#5.2).
   * @throws TypeError, ValueError for the options; from the iterator as getMulti, and ValueError for a batch that is no whole number
   *   above 0
   */
  streamMulti<K extends Key = string, T = unknown>(
    keys: Iterable<K> | AsyncIterable<K>,
    given?: StreamOptions,
  ): AsyncGenerator<[K, T], void, undefined> {
    const own = this.own(given, optionNames.stream)
    this.modes(own)
    const { batch = 1000, ...options } = own ?? {}
    return inBatches(keys, batch, (some) => this.getMulti<K, T>(some, options))
  }

  // ── storage ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Stores. True when stored; false when the key is empty (docs/reference/pylibmc.md#5, #8; the value: #4).
   * @param options a time in seconds, or that and compression by name
   * @throws TypeError, UnicodeEncodeError, ValueError, BadKeyProvided for the key; TypeError, OverflowError, ValueError for the
   *   options; ValueEncodeError; TooBig, ServerError and every other MemcachedError that a reply or a failing server stands for
   *   (docs/reference/pylibmc.md#7, #10)
   */
  set(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('set', key, value, options)
  }

  /** Stores when missing; false when it exists (docs/reference/pylibmc.md#5). @throws as `set` */
  add(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('add', key, value, options)
  }

  /**
   * Stores when it exists; false when missing (docs/reference/pylibmc.md#5).
   * @throws NotFound when missing over the binary protocol; otherwise as `set`
   */
  replace(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('replace', key, value, options)
  }

  /** Adds behind the stored bytes; flags and time of the item stay. False when missing (docs/reference/pylibmc.md#5). @throws as `set` */
  append(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('append', key, value, options)
  }

  /** Adds before the stored bytes; flags and time of the item stay. False when missing (docs/reference/pylibmc.md#5). @throws as `set` */
  prepend(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('prepend', key, value, options)
  }

  /**
   * Stores when unchanged since `gets`; false when it changed (docs/reference/pylibmc.md#5.5).
   * @param cas the signed 64-bit token of `gets`
   * @throws NotFound when the key is missing; ValueError without the `cas` behavior; OverflowError, TypeError, ValueError (0, in
   *   text), AllocationError (−1, in text) for the token; otherwise as `set`
   */
  async cas(key: Key, value: unknown, cas: bigint, given?: Time | TimeOptions): Promise<boolean> {
    const options = this.own(given, optionNames.time)
    const modes = this.modes(options)
    if (!modes.cas) throw new ValueError('cas without cas behavior')
    const unique = casToken(cas, modes.binary)
    const wire = this.slots.key(key, 'cas', '')
    if (wire === '') throw badKey('', 'cas', 'Key provided was too long.')
    if (unique >= LONGEST_TOKEN && !modes.binary)
      throw errorFor(AllocationError.retcode, 'cas', tokenTooLong, { key: wire, server: this.serverOf(wire) })
    const exptime = this.slots.exptime(timeOf(options), 'cas', wire)
    const encoded = this.encode(value, undefined, 'cas', wire)
    return this.store({ verb: 'cas', key: wire, encoded, exptime, cas: unique }, 'cas', modes)
  }

  /**
   * Stores many, one after another in the given order. Everything is serialized before the first byte is sent
   * (docs/reference/pylibmc.md#5.3).
   * @returns keys that failed softly
   * @throws as `set`, the first hard error; earlier keys stay stored, later ones are not tried
   */
  async setMulti<K extends Key = string>(
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    options?: Time | MultiOptions,
  ): Promise<K[]> {
    return this.storeMulti('set', 'setMulti', mapping, options)
  }

  /**
   * Like setMulti, for keys that do not exist yet (docs/reference/pylibmc.md#5.3).
   * @returns keys that existed already (or failed softly)
   * @throws as `setMulti`
   */
  async addMulti<K extends Key = string>(
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    options?: Time | MultiOptions,
  ): Promise<K[]> {
    return this.storeMulti('add', 'addMulti', mapping, options)
  }

  private storeOne(
    verb: StoreVerb & Operation,
    key: Key,
    value: unknown,
    given: StoreArgument | undefined,
  ): Promise<boolean> {
    try {
      const options = this.own(given, optionNames.store)
      const modes = this.modes(options)
      const wire = this.slots.key(key, verb, '')
      const exptime = this.slots.exptime(timeOf(options), verb, wire)
      const encoded = this.encode(value, compressionOf(options), verb, wire)
      if (wire === '') return Promise.resolve(false)
      return this.store({ verb, key: wire, encoded, exptime }, verb, modes)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private async storeMulti<K extends Key>(
    verb: 'set' | 'add',
    operation: 'setMulti' | 'addMulti',
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    given: Time | MultiOptions | undefined,
  ): Promise<K[]> {
    const options = this.own(given, optionNames.multi)
    const modes = this.within(this.modes(options))
    const prefix = prefixBytes(typeof options === 'object' ? options.keyPrefix : undefined, operation)
    const compression = compressionOf(options)
    const entries = entriesOf<K>(mapping)
    // Before any key is looked at, and also where there is none.
    const exptime = this.slots.exptime(timeOf(options), operation, '')
    const prepared = entries.map(([key, value]) => {
      const { wire, refusal } = this.keyOrRefusal(key, operation, prefix)
      const encoded = this.encode(value, compression, operation, wire)
      return { original: key, refusal, verb, key: wire, exptime, encoded }
    })
    const failed: K[] = []
    for (const one of prepared) {
      if (one.refusal) throw one.refusal
      const stored = one.key !== '' && (await this.store(one, operation, modes))
      if (!stored) failed.push(one.original)
    }
    return failed
  }

  /** A key that the server would refuse fails in its turn. @throws what pylibmc finds before it sends anything */
  private keyOrRefusal(
    key: Key,
    operation: Operation,
    prefix: Bytes,
  ): { readonly wire: Bytes; readonly refusal?: ClientError } {
    try {
      return { wire: this.slots.key(key, operation, prefix) }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      return { wire: '', refusal: error }
    }
  }

  // ── counters ─────────────────────────────────────────────────────────────────────────────────

  /**
   * Adds to a counter and returns its new value, 0…2^64−1 (a bigint above 2^53), wrapping (docs/reference/pylibmc.md#5.6).
   * @param delta 0…2^31−1
   * @throws NotFound when missing; ClientError (text) or UnknownReadFailure (binary) when the item is no number; ValueError,
   *   OverflowError, TypeError for the delta; the key's errors and MemcachedError as `get`
   */
  async incr(key: Key, delta: number | bigint = 1, options?: CallOptions): Promise<number | bigint> {
    const modes = this.modes(this.own(options, optionNames.call))
    const { wire, amount } = this.counterArguments(key, 'incr', delta)
    return this.countOne('incr', 'incr', wire, amount, modes)
  }

  /** Subtracts, stopping at 0 (docs/reference/pylibmc.md#5.6). @throws as `incr` */
  async decr(key: Key, delta: number | bigint = 1, options?: CallOptions): Promise<number | bigint> {
    const modes = this.modes(this.own(options, optionNames.call))
    const { wire, amount } = this.counterArguments(key, 'decr', delta)
    return this.countOne('decr', 'decr', wire, amount, modes)
  }

  /**
   * Adds to every counter, one after another; all are tried. The delta is unsigned 32 bit and wraps.
   * @throws NotFound when keys are missing; otherwise by the rules of docs/reference/pylibmc.md#5.6
   */
  async incrMulti(keys: Iterable<Key>, given?: CountOptions): Promise<void> {
    const all = [...keysOf(keys)]
    const options = this.own(given, optionNames.count) ?? {}
    const delta = String(
      BigInt.asUintN(32, BigInt(integer(options.delta === undefined ? 1 : options.delta, 'delta'))),
    )
    const prefix = prefixBytes(options.keyPrefix, 'incrMulti')
    const modes = this.within(this.modes(options))
    let missing = 0
    const errors: MemcachedError[] = []
    let last: MemcachedError | undefined
    for (const key of all) {
      last = undefined
      try {
        await this.countOne('incr', 'incrMulti', this.slots.key(key, 'incrMulti', prefix), delta, modes)
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        last = error
        if (error instanceof NotFound) missing++
        else errors.push(error)
      }
    }
    if (errors.length > 0) {
      const message = `${missing + errors.length} keys failed`
      const facts = { operation: 'incrMulti', cause: new AggregateError(errors) } as const
      // The class follows the last key's result: plain when it succeeded, or when more than one key failed otherwise.
      const Class = errors.length === 1 && last ? (last.constructor as typeof MemcachedError) : MemcachedError
      throw new Class(message, facts)
    }
    if (missing > 0) throw new NotFound(`${missing} keys not found`, { operation: 'incrMulti' })
  }

  /** The types of both arguments come first, and libmemcached looks at the key last. */
  private counterArguments(
    key: Key,
    operation: 'incr' | 'decr',
    delta: number | bigint,
  ): { readonly wire: Bytes; readonly amount: Bytes } {
    let wire: Bytes | undefined
    let refusal: unknown
    try {
      wire = this.slots.key(key, operation, '')
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      refusal = error
    }
    const amount = String(checkedDelta(delta))
    if (wire === undefined) throw refusal
    return { wire, amount }
  }

  private async countOne(
    verb: 'incr' | 'decr',
    operation: Operation,
    wire: Bytes,
    delta: Bytes,
    modes: Modes,
  ): Promise<number | bigint> {
    if (wire === '') throw badKey('', operation)
    return this.count(verb, operation, wire, delta, modes)
  }

  // ── the rest ─────────────────────────────────────────────────────────────────────────────────

  /**
   * True when deleted, false when missing (docs/reference/pylibmc.md#5).
   * @throws TypeError, UnicodeEncodeError, ValueError for the key; MemcachedError by the reply or when the server fails (docs/reference/pylibmc.md#7, #10)
   */
  async delete(key: Key, options?: CallOptions): Promise<boolean> {
    const modes = this.modes(this.own(options, optionNames.call))
    return this.deleteWire(this.slots.key(key, 'delete', ''), 'delete', modes)
  }

  /**
   * Deletes one after another. True when all were there. Where `delete` is overridden, that is called, with the prefixed key as
   * bytes, and only `true` counts (docs/reference/pylibmc.md#5.4; fixtures/vectors/hooks.json).
   * @throws as `delete`, the first hard error; later keys are not tried
   */
  async deleteMulti(keys: Iterable<Key>, given?: PrefixOptions): Promise<boolean> {
    const all = keysOf(keys)
    const options = this.own(given, optionNames.prefix) ?? {}
    const prefix = prefixBytes(options.keyPrefix, 'deleteMulti')
    const modes = this.within(this.modes(options))
    const overridden = this.delete !== Commands.prototype.delete
    let everyOne = true
    for (const key of all) {
      const wire = this.slots.key(key, 'deleteMulti', prefix)
      const deleted = overridden
        ? (await this.delete(Buffer.from(wire, 'latin1'), ...remaining(options, modes))) === true
        : await this.deleteWire(wire, 'delete', modes)
      everyOne &&= deleted
    }
    return everyOne
  }

  private deleteWire(wire: Bytes, operation: Operation, modes: Modes): Promise<boolean> {
    if (wire === '') return Promise.resolve(false)
    const request = requests.remove(modes.namespace + wire, { noreply: modes.noreply })
    const sent = modes.replicas
      ? this.deleteReplicated(request, wire, operation, this.withReplicas(modes))
      : this.deleteFrom(request, wire, operation, modes)
    return modes.buffered ? this.later(sent, operation, wire) : sent
  }

  private deleteFrom(
    request: requests.DeleteRequest,
    wire: Bytes,
    operation: Operation,
    modes: Modes,
  ): Promise<boolean> {
    return this.lineOf(request, operation, wire, modes, undefined, (reply, server) => {
      return modes.noreply || softOutcome(reply, operation, { key: wire, server: server.name })
    })
  }

  /** Copies are deleted also where the key's own server cannot be reached. */
  private async deleteReplicated(
    request: requests.DeleteRequest,
    wire: Bytes,
    operation: Operation,
    modes: Modes,
  ): Promise<boolean> {
    const { selection } = this
    const call = {}
    const server = selection.locate?.(wire) ?? selection.servers[selection.place(wire)]!
    let sent: Promise<boolean>
    let connected = false
    try {
      await selection.admit(server, operation, wire)
      await selection.connect?.(server, operation, modes, call, wire)
      connected = true
      sent = this.deleteFrom(request, wire, operation, modes)
    } catch (error) {
      sent = Promise.reject(error)
    }
    sent.catch(() => undefined)
    await replicate(selection, server, connected, request, operation, modes, call)
    return sent
  }

  /**
   * Gives an item a new time. True, or false when missing. Always waits for the reply (docs/reference/pylibmc.md#5.7, #8).
   * @param time seconds
   * @throws WriteError when unreachable; TypeError, OverflowError for the time; otherwise as `delete`
   */
  async touch(key: Key, time: Time, options?: CallOptions): Promise<boolean> {
    const modes = this.modes(this.own(options, optionNames.call))
    const wire = this.slots.key(key, 'touch', '')
    const exptime = this.slots.exptime(time, 'touch', wire)
    if (wire === '') return false
    const request = requests.touch(modes.namespace + wire, String(exptime))
    const { reply, server } = await this.line(request, 'touch', wire, modes)
    return softOutcome(reply, 'touch', { key: wire, server: server.name })
  }

  /** Index of the server for a key, without I/O (docs/reference/pylibmc.md#5.7, docs/reference/placement.md#2). @throws TypeError, UnicodeEncodeError */
  hash(key: Key): number {
    return this.selection.place(this.slots.key(key, 'hash', ''))
  }

  private serverOf(wire: Bytes): string {
    return this.selection.servers[this.selection.place(wire)]!.name
  }

  /** Closes every connection (saying quit) and ends any retry waiting; failure counters stay. The client stays usable (docs/reference/pylibmc.md#5.7). */
  disconnectAll(): void {
    this.selection.disconnectAll()
  }
}

/**
 * The options of one delete of many: without the prefix, and with what is left of the time where one was given; nothing where nothing
 * else was given.
 * @throws MemcachedError (31) when the time is over
 */
function remaining(
  { keyPrefix: _, timeout, ...options }: PrefixOptions,
  { deadline = 0 }: Modes,
): [CallOptions?] {
  const left = deadline - performance.now()
  if (left <= 0) throw errorFor(TIMEOUT, 'delete', 'A TIMEOUT OCCURRED', {})
  const given = timeout === undefined ? options : { ...options, timeout: left }
  return Object.keys(given).length > 0 ? [given] : []
}

const isBytes = (key: Key): boolean => typeof key !== 'string'

/** A key given as text and as bytes comes back once, as text; one given twice as bytes comes back once. */
function byText<K extends Key, T>(values: ReadonlyMap<K, T>): Map<K, T> {
  const names = new Map<Bytes, K>()
  const latest = new Map<Bytes, T>()
  for (const [key, value] of values) {
    const wire = keyBytes(key, 'getMulti')
    latest.set(wire, value)
    if (typeof names.get(wire) !== 'string') names.set(wire, key)
  }
  return new Map(Array.from(names, ([wire, key]) => [key, latest.get(wire) as T]))
}
