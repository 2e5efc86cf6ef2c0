/** The strict client: pylibmc's `Client` (docs/reference/pylibmc.md#2, #5, #9). It has a pipeline, whose slots its behaviors fill. */
import { brandAll } from '../ground/brand.js'
import type { CallOptions, Entries, Key, PrefixOptions, Time } from '../pipeline/methods/index.js'
import * as pylibmc from '../pipeline/methods/index.js'
import { PIPELINE, Pipeline } from '../pipeline/pipeline.js'
import type { BehaviorSettings, Behaviors } from './behaviors.js'
import { deleteItem, getItem, hasItem, setItem } from './mapping.js'
import type { ClientOptions } from './options.js'
import { overridden } from './serializing.js'
import type { ServerSpecInput } from './server-spec.js'
import { State } from './state.js'

const STATE = Symbol('state')

/** The methods that are not overridden. A class whose body contains its own name would have another name in the bundle. */
const base = (): Client => Client.prototype

/** pylibmc's client (docs/reference/pylibmc.md#2, #5; docs/strict.md). Calls that are made at the same time share one connection per server. */
export class Client {
  /** @internal */
  declare readonly [PIPELINE]: Pipeline
  /** @internal */
  declare readonly [STATE]: State

  /** Opens no connection. @throws by docs/reference/pylibmc.md#2: ValueError, TypeError, AttributeError, MemcachedError, NotSupportedError */
  constructor(servers: Iterable<ServerSpecInput>, options: ClientOptions = {}) {
    const state = new State(servers, options)
    // Not enumerable, so that console.log shows none of it, and no private fields, which proxies of a client do not have.
    Object.defineProperty(this, PIPELINE, { value: new Pipeline(state.slots) })
    Object.defineProperty(this, STATE, { value: state })
    state.hook(overridden(this, new.target, base()))
  }

  /**
   * Value of a key, or `missing` (undefined unless given). Error replies are misses (docs/reference/pylibmc.md#5.1, #7).
   * @throws TypeError, UnicodeEncodeError, ValueError, BadKeyProvided for the key; errors of decoding; MemcachedError when the server
   *   fails (docs/reference/pylibmc.md#10)
   */
  get<T = unknown>(key: Key, missing?: T, options?: CallOptions): Promise<T | undefined> {
    return pylibmc.get(this[PIPELINE], key, missing, options) as Promise<T | undefined>
  }

  /**
   * Value and CAS unique, a signed 64-bit number; `[undefined, undefined]` on a miss (docs/reference/pylibmc.md#5.1, #5.5).
   * @throws ValueError without the `cas` behavior; otherwise as `get`
   */
  gets<T = unknown>(key: Key, options?: CallOptions): Promise<pylibmc.ValueAndCas<T>> {
    return pylibmc.gets(this[PIPELINE], key, options) as Promise<pylibmc.ValueAndCas<T>>
  }

  /**
   * Values by key, in the caller's key types, without prefix; missing keys are absent. Errors while reading leave out what had not
   * arrived (docs/reference/pylibmc.md#5.2, #7.3).
   * @throws MemcachedError, the last one, only when no request could be sent; otherwise as `get`
   */
  getMulti<K extends Key = string, T = unknown>(
    keys: Iterable<K>,
    options?: PrefixOptions,
  ): Promise<Map<K, T>> {
    return pylibmc.getMulti(this[PIPELINE], keys, options) as Promise<Map<K, T>>
  }

  /**
   * getMulti batch by batch (docs/reference/pylibmc.md#5.2), which pylibmc does not have: pairs of the caller's key and its value. Keys are read from
   * the iterable as they are needed. A key that is given twice may be returned twice.
   * @throws TypeError, ValueError for the options; from the iterator as getMulti, and ValueError unless batch is an integer above 0
   */
  streamMulti<K extends Key = string, T = unknown>(
    keys: Iterable<K> | AsyncIterable<K>,
    options?: pylibmc.StreamOptions,
  ): AsyncGenerator<[K, T], void, undefined> {
    return pylibmc.streamMulti(this[PIPELINE], keys, options, (some, rest) => this.getMulti<K, T>(some, rest))
  }

  /**
   * Stores. True when stored; false when the key is empty (docs/reference/pylibmc.md#5, #8; the value: #4).
   * @param options a time in seconds, or that and compression by name
   * @throws TypeError, UnicodeEncodeError, ValueError, BadKeyProvided for the key; TypeError, OverflowError, ValueError for the options;
   *   ValueEncodeError; TooBig, ServerError and every other MemcachedError of a reply or a failing server (docs/reference/pylibmc.md#7, #10)
   */
  set(key: Key, value: unknown, options?: pylibmc.StoreArgument): Promise<boolean> {
    return pylibmc.store(this[PIPELINE], 'set', key, value, options)
  }

  /** Stores when missing; false when it exists (docs/reference/pylibmc.md#5). @throws as `set` */
  add(key: Key, value: unknown, options?: pylibmc.StoreArgument): Promise<boolean> {
    return pylibmc.store(this[PIPELINE], 'add', key, value, options)
  }

  /** Stores when it exists; false when missing (docs/reference/pylibmc.md#5). @throws NotFound when missing (binary); otherwise as `set` */
  replace(key: Key, value: unknown, options?: pylibmc.StoreArgument): Promise<boolean> {
    return pylibmc.store(this[PIPELINE], 'replace', key, value, options)
  }

  /** Adds behind the stored bytes; flags and time of the item stay. False when missing (docs/reference/pylibmc.md#5). @throws as `set` */
  append(key: Key, value: unknown, options?: pylibmc.StoreArgument): Promise<boolean> {
    return pylibmc.store(this[PIPELINE], 'append', key, value, options)
  }

  /** Adds before the stored bytes; flags and time of the item stay. False when missing (docs/reference/pylibmc.md#5). @throws as `set` */
  prepend(key: Key, value: unknown, options?: pylibmc.StoreArgument): Promise<boolean> {
    return pylibmc.store(this[PIPELINE], 'prepend', key, value, options)
  }

  /**
   * Stores when unchanged since `gets`; false when it changed (docs/reference/pylibmc.md#5.5).
   * @param token the signed 64-bit CAS unique of `gets`
   * @throws NotFound when the key is missing; ValueError without the `cas` behavior; OverflowError, TypeError, ValueError (0, in text),
   *   AllocationError (−1, in text) for the token; otherwise as `set`
   */
  cas(key: Key, value: unknown, token: bigint, options?: Time | pylibmc.TimeOptions): Promise<boolean> {
    return pylibmc.cas(this[PIPELINE], key, value, token, options)
  }

  /**
   * Stores many, one after another in the given order. Everything is serialized before the first byte is sent
   * (docs/reference/pylibmc.md#5.3).
   * @returns keys that were not stored
   * @throws as `set`, the first hard error; earlier keys stay stored, later ones are not tried
   */
  setMulti<K extends Key = string>(mapping: Entries<K>, options?: Time | pylibmc.MultiOptions): Promise<K[]> {
    return pylibmc.storeMulti(this[PIPELINE], 'set', mapping, options)
  }

  /**
   * Like setMulti, for keys that do not exist yet (docs/reference/pylibmc.md#5.3).
   * @returns keys that existed already or were not stored
   * @throws as `setMulti`
   */
  addMulti<K extends Key = string>(mapping: Entries<K>, options?: Time | pylibmc.MultiOptions): Promise<K[]> {
    return pylibmc.storeMulti(this[PIPELINE], 'add', mapping, options)
  }

  /**
   * Adds to a counter and returns its new value, 0…2^64−1 (a bigint above 2^53), wrapping (docs/reference/pylibmc.md#5.6).
   * @param delta 0…2^31−1
   * @throws NotFound when missing; ClientError (text) or UnknownReadFailure (binary) when the item is not a number; ValueError,
   *   OverflowError, TypeError for the delta; the key's errors and MemcachedError as `get`
   */
  incr(key: Key, delta: number | bigint = 1, options?: CallOptions): Promise<number | bigint> {
    return pylibmc.count(this[PIPELINE], 'incr', key, delta, options)
  }

  /** Subtracts, stopping at 0 (docs/reference/pylibmc.md#5.6). @throws as `incr` */
  decr(key: Key, delta: number | bigint = 1, options?: CallOptions): Promise<number | bigint> {
    return pylibmc.count(this[PIPELINE], 'decr', key, delta, options)
  }

  /**
   * Adds to every counter, one after another; all are tried. The delta is unsigned 32 bit and wraps.
   * @throws NotFound when keys are missing; otherwise by the rules of docs/reference/pylibmc.md#5.6
   */
  incrMulti(keys: Iterable<Key>, options?: pylibmc.CountOptions): Promise<void> {
    return pylibmc.incrMulti(this[PIPELINE], keys, options)
  }

  /**
   * True when deleted, false when missing (docs/reference/pylibmc.md#5).
   * @throws TypeError, UnicodeEncodeError, ValueError for the key; MemcachedError by the reply or when the server fails
   *   (docs/reference/pylibmc.md#7, #10)
   */
  delete(key: Key, options?: CallOptions): Promise<boolean> {
    return pylibmc.remove(this[PIPELINE], key, options)
  }

  /**
   * Deletes one after another. True when all keys existed. If `delete` is overridden, that is called, with the prefixed key as bytes,
   * and only `true` counts (docs/reference/pylibmc.md#5.4; fixtures/vectors/hooks.json).
   * @throws as `delete`, the first hard error; later keys are not tried
   */
  deleteMulti(keys: Iterable<Key>, options?: PrefixOptions): Promise<boolean> {
    const own = this.delete === base().delete ? undefined : this.delete.bind(this)
    return pylibmc.deleteMulti(this[PIPELINE], keys, options, own)
  }

  /**
   * Gives an item a new time. True, or false when missing. Always waits for the reply (docs/reference/pylibmc.md#5.7, #8).
   * @param time seconds
   * @throws WriteError when unreachable; TypeError, OverflowError for the time; otherwise as `delete`
   */
  touch(key: Key, time: Time, options?: CallOptions): Promise<boolean> {
    return pylibmc.touch(this[PIPELINE], key, time, options)
  }

  /**
   * Invalidates every item of every server, now or after `time` seconds (docs/reference/pylibmc.md#5.7).
   * @throws SomeErrors when a server fails, the others were flushed; TypeError for the time
   */
  flushAll(time: Time | pylibmc.TimeOptions = 0): Promise<true> {
    return pylibmc.flushAll(this[PIPELINE], time)
  }

  /**
   * Statistics of every server: `[["host:port (index)", { name: value }], …]`, everything the server sends
   * (docs/reference/pylibmc.md#5.7).
   * @throws SomeErrors when a server fails; TypeError, BadKeyProvided, MemcachedError (38) for the argument
   */
  getStats(argument?: string, options?: CallOptions): Promise<pylibmc.ServerStats[]> {
    return pylibmc.getStats(this[PIPELINE], argument, options)
  }

  /** Index of the server for a key, without I/O (docs/reference/pylibmc.md#5.7, docs/reference/placement.md#2). @throws TypeError, UnicodeEncodeError */
  hash(key: Key): number {
    const { slots, selection } = this[PIPELINE]
    return selection.place(slots.key(key, 'hash', ''))
  }

  /** Closes every connection (after sending quit) and ends the waiting for retries; failure counters stay. The client stays usable (docs/reference/pylibmc.md#5.7). */
  disconnectAll(): void {
    this[PIPELINE].selection.disconnectAll()
  }

  /** `await using mc = new Client(…)`: closes every connection at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnectAll()
  }

  /**
   * A value as pylibmc stores it, uncompressed (docs/reference/pylibmc.md#4.4). A subclass may override it for every
   * value.
   * @throws ValueEncodeError
   */
  serialize(value: unknown): readonly [data: Uint8Array, flags: number] {
    return this[STATE].serialize(value)
  }

  /**
   * The value of an item that has been inflated; `flags` as stored, bit 8 (compressed) without effect. A subclass may override it, and
   * throw CacheMiss for an item that is to count as missing (docs/reference/pylibmc.md#4.4).
   * @throws MemcachedError for flags with two types; ValueDecodeError
   */
  deserialize(data: Buffer, flags: number): unknown {
    return this[STATE].deserialize(data, flags)
  }

  // as a mapping: Python's c[k], c[k] = v, del c[k], k in c (docs/reference/pylibmc.md#5.8)

  /** `c[key]`, by `get`. A stored None is a hit. @throws KeyError on a miss; otherwise as `get` */
  getItem<T = unknown>(key: Key): Promise<T> {
    return getItem(this, key) as Promise<T>
  }

  /** `c[key] = value`, by `set`. @throws KeyError when it is not stored; otherwise as `set` */
  setItem(key: Key, value: unknown): Promise<void> {
    return setItem(this, key, value)
  }

  /** `del c[key]`, by `delete`. @throws KeyError when it was not there; otherwise as `delete` */
  deleteItem(key: Key): Promise<void> {
    return deleteItem(this, key)
  }

  /** `key in c`: fetches and decodes the value by `get`. @throws as `get` */
  has(key: Key): Promise<boolean> {
    return hasItem(this, key)
  }

  /** The server specifications as given. */
  get addresses(): ServerSpecInput[] {
    return [...this[STATE].given]
  }

  /** Current behaviors, as they read back in Python: `hash` and `distribution` by name, everything else as a number. */
  get behaviors(): Behaviors {
    return { ...this[STATE].behaviors }
  }

  set behaviors(settings: BehaviorSettings) {
    this.setBehaviors(settings)
  }

  /** The same as `behaviors` (docs/reference/pylibmc.md#9.1). */
  getBehaviors(): Behaviors {
    return this.behaviors
  }

  /**
   * Changes behaviors, in pylibmc's units (docs/reference/pylibmc.md#9.1, #9.2); some of them close the connections.
   * @throws ValueError, TypeError, KeyError, MemcachedError; settings before the bad one stay applied
   */
  setBehaviors(settings: BehaviorSettings): void {
    this[STATE].set(settings)
  }

  /** A client of the same class, servers, behaviors and options, with fresh connections and fresh failure state (docs/reference/pylibmc.md#5.7). */
  clone(): this {
    const Class = this.constructor as new (servers: Iterable<ServerSpecInput>, options: ClientOptions) => this
    const state = this[STATE]
    const made = new Class(state.given, state.optionsNow())
    made[STATE].cloneOf(state)
    return made
  }

  /** As pylibmc's repr() shows a client. */
  toString(): string {
    return this[STATE].toString()
  }
}

brandAll('strict', { Client })
