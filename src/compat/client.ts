/** The compat client: python-memcached's `Client`, one named switch per emulated behaviour. Source: docs/reference/python-memcached.md#3, #10. */
import { checkNumber } from '../ground/arguments.js'
import { brandAll } from '../ground/brand.js'
import type { Bytes } from '../ground/bytes.js'
import type { Key, Time, TimeOptions } from '../pipeline/methods/arguments.js'
import { PIPELINE, Pipeline, pipelineOf } from '../pipeline/pipeline.js'
import { typeName } from '../python/type-name.js'
import type { Client as StrictClient } from '../strict/index.js'
import { DivergenceEmitter } from './divergence/divergence.js'
import { type ClientOptions, Emulation } from './emulation/emulation.js'
import { everythingOff } from './emulation/everything-off.js'
import type {
  CompatStoreArgument,
  DeleteArgument,
  DeleteMultiOptions,
  GetMultiOptions,
  MultiArgument,
  NoReply,
  TouchArgument,
} from './methods/call-options.js'
import type { CompatKey, Context, KeysOf } from './methods/context.js'
import { count } from './methods/counters.js'
import { deleteMulti, remove } from './methods/removal.js'
import { get, getMulti, gets } from './methods/retrieval.js'
import { setMulti } from './methods/set-multi.js'
import { flushAll, getSlabStats, getSlabs, getStats, quitAll } from './methods/statistics.js'
import { cas, store } from './methods/storage.js'
import { mustHave } from './methods/surface.js'
import { touch } from './methods/touch.js'
import { type HostState, hostStates, probingOf } from './policies/hosts.js'
import { Keys } from './policies/keys.js'
import { swallowingModes } from './policies/outcomes.js'
import { type CompatServerInput, parseCompatServer } from './policies/server-spec.js'
import { compatSlots } from './policies/slots.js'

/** The methods that a client with every switch off leaves to the strict client. */
type Calls = Omit<
  Client,
  'setServers' | 'deletetouch' | 'servers' | 'pylibmc' | 'quitAll' | 'checkKey' | 'debuglog' | 'resetCas'
>

const STATE = Symbol('state')

/** The internal state of a client; `setServers` replaces most of it. */
class State {
  context!: Context
  /** With every switch off: the strict client, which takes every call. */
  strict: Calls | undefined = undefined
  private readonly keys: Keys
  private readonly casIds = new Map<Bytes, bigint>()

  constructor(
    private readonly emulation: Emulation,
    servers: Iterable<CompatServerInput>,
  ) {
    this.keys = new Keys(emulation)
    this.setServers(servers)
  }

  setServers(servers: Iterable<CompatServerInput>): void {
    if (servers === null || servers === undefined || !(Symbol.iterator in Object(servers)))
      throw new TypeError(`'${typeName(servers)}' object is not iterable`)
    const { emulation, keys, casIds } = this
    const specs = [...servers].map((input) => parseCompatServer(input, emulation.rules.withoutPort))
    if (this.context) this.context.pipeline.selection.disconnectAll()
    const strict = emulation.everythingOff ? everythingOff(emulation, specs) : undefined
    const pipeline = strict ? pipelineOf(strict) : new Pipeline(compatSlots(emulation, specs, keys))
    const swallowing = swallowingModes(emulation, pipeline.slots.modes())
    this.context = { emulation, keys, casIds, pipeline, swallowing }
    // The strict client refuses arguments that only python-memcached accepts at run time, as pylibmc does.
    this.strict = strict as Calls | undefined
  }
}

/** python-memcached's client: its methods in camelCase, every emulated behaviour a switch (docs/compat.md, docs/switches.md). */
export class Client extends DivergenceEmitter {
  declare private readonly [STATE]: State

  /**
   * Opens no connection.
   * @throws ValueError, TypeError, OverflowError for servers that cannot be parsed and for options; with everything off also the errors of
   *   the strict client's constructor
   */
  constructor(servers: Iterable<CompatServerInput>, options: ClientOptions = {}) {
    super()
    const state = new State(new Emulation(options, this.announcer), servers)
    // Not enumerable, so that console.log shows none of it, and no private field, which a proxy of the client would not have.
    Object.defineProperty(this, STATE, { value: state })
  }

  private get context(): Context {
    return this[STATE].context
  }

  private get strict(): Calls | undefined {
    return this[STATE].strict
  }

  /** Replaces the servers: closes the connections to the old ones and removes dead marks. @throws as the constructor */
  setServers(servers: Iterable<CompatServerInput>): void {
    this[STATE].setServers(servers)
  }

  // ── retrieval ────────────────────────────────────────────────────────────────────────────────

  /**
   * Value of a key. On a miss null, or `missing` (from 1.60 on); on a network failure null (see `get-default-on-failure`).
   * @throws MemcachedKeyError; ValueDecodeError for items that cannot be read
   */
  get<T = unknown>(key: CompatKey, missing?: T): Promise<T | null | undefined> {
    return (
      this.strict?.get(key, missing) ?? (get(this.context, key, missing) as Promise<T | null | undefined>)
    )
  }

  /**
   * Value of a key, whose CAS unique is remembered by the rules of `cas-ids`. With `return-values` off: `[value, cas]`.
   * @throws as get; AttributeError up to 1.44
   */
  gets<T = unknown>(key: CompatKey): Promise<T | null | [T | undefined, bigint | undefined]> {
    return this.strict?.gets(key) ?? (gets(this.context, key) as Promise<T | null>)
  }

  /** Values by the caller's keys, which may be numbers. Missing keys and those of failed servers are absent. */
  getMulti<K extends CompatKey | number | bigint = string>(
    keys: KeysOf<K>,
    options: GetMultiOptions = {},
  ): Promise<Map<K, unknown>> {
    return this.strict?.getMulti(keys, options) ?? getMulti(this.context, keys, options)
  }

  // ── storage ──────────────────────────────────────────────────────────────────────────────────

  /**
   * True when stored, false when refused, 0 when nothing was sent or the network failed.
   * @throws MemcachedKeyError; TypeError for times and values that cannot be written
   */
  set(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.strict?.set(key, value, options) ?? store(this.context, 'set', key, value, options)
  }

  /** Stores when missing. See set. */
  add(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.strict?.add(key, value, options) ?? store(this.context, 'add', key, value, options)
  }

  /** Stores when it exists. See set. */
  replace(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.strict?.replace(key, value, options) ?? store(this.context, 'replace', key, value, options)
  }

  /** Adds behind the stored bytes. See set. */
  append(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.strict?.append(key, value, options) ?? store(this.context, 'append', key, value, options)
  }

  /** Adds before the stored bytes. See set. */
  prepend(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.strict?.prepend(key, value, options) ?? store(this.context, 'prepend', key, value, options)
  }

  /**
   * Stores when unchanged since the last `gets` that was remembered; without a remembered CAS unique a plain set.
   * @param cas the CAS unique itself (a bigint), or the options (a number is the time)
   * @throws with `cas-fallback` off: TypeError without a CAS unique, and the errors of strict's cas; AttributeError up to 1.44
   */
  cas(
    key: CompatKey,
    value: unknown,
    unique?: bigint | CompatStoreArgument,
    options?: CompatStoreArgument,
  ): Promise<boolean | 0> {
    return this.strict?.cas(key, value, unique, options) ?? cas(this.context, key, value, unique, options)
  }

  /** Stores many on all servers at once. @returns the keys that were refused; see the switches of set-multi */
  setMulti<K = string>(
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    options?: MultiArgument,
  ): Promise<K[]> {
    return this.strict?.setMulti(mapping, options) ?? setMulti(this.context, mapping, options)
  }

  // ── counters ─────────────────────────────────────────────────────────────────────────────────

  /**
   * New value of the counter, null when it is missing.
   * @throws ValueError when the server refuses (not a number, bad delta) or closes the connection
   */
  incr(key: CompatKey, delta: unknown = 1, options?: NoReply): Promise<number | bigint | null> {
    return this.strict?.incr(key, delta, options) ?? count(this.context, 'incr', key, delta, options)
  }

  /** Stops at 0. See incr. */
  decr(key: CompatKey, delta: unknown = 1, options?: NoReply): Promise<number | bigint | null> {
    return this.strict?.decr(key, delta, options) ?? count(this.context, 'decr', key, delta, options)
  }

  // ── removal and touch ────────────────────────────────────────────────────────────────────────

  /** 1 when deleted (up to 1.61 also when missing), 0 otherwise. @throws MemcachedKeyError */
  delete(key: CompatKey, options?: DeleteArgument): Promise<boolean | 0 | 1> {
    return this.strict?.delete(key, options) ?? remove(this.context, key, options)
  }

  /**
   * python-memcached's `_deletetouch` (up to 1.59), private there but called by Django's backend so that deleting a missing key
   * gives 0: only the expected replies count as success.
   */
  async deletetouch(
    expected: Iterable<Key>,
    command: 'delete' | 'touch',
    key: CompatKey,
    time?: Time | null,
    options?: NoReply,
  ): Promise<boolean | 0 | 1> {
    if (command === 'touch') return this.touch(key, time ?? 0, options)
    // Only python-memcached has expected replies.
    if (this.strict) return this.strict.delete(key, options)
    if (time !== undefined && time !== null && typeof time !== 'bigint') checkNumber('time', time)
    return remove(this.context, key, { ...options, time: time ? Number(time) : null }, expected)
  }

  /** 1, also when keys were missing; 0 after a reset or a timeout. */
  deleteMulti(
    keys: KeysOf<CompatKey | number | bigint>,
    options: DeleteMultiOptions = {},
  ): Promise<boolean | 0 | 1> {
    return this.strict?.deleteMulti(keys, options) ?? deleteMulti(this.context, keys, options)
  }

  /** Gives an item a new time in seconds: 1, or 0 when it is missing or the server refuses. @throws AttributeError up to 1.53 */
  touch(key: CompatKey, time: TouchArgument = 0, options?: NoReply): Promise<boolean | 0 | 1> {
    return this.strict?.touch(key, time, options) ?? touch(this.context, key, time, options)
  }

  // ── servers ──────────────────────────────────────────────────────────────────────────────────

  /** Invalidates every item of the servers that can be reached. null (true with `return-values` off). @throws PythonSocketError */
  flushAll(time?: Time | TimeOptions): Promise<null | true> {
    return this.strict?.flushAll(time) ?? flushAll(this.context, time)
  }

  /** `[["host:port (weight)", { name: value }], …]` of the servers that can be reached. @throws IndexError, PythonSocketError */
  getStats(argument?: string): Promise<[server: string, stats: Record<string, string>][]> {
    return this.strict?.getStats(argument) ?? getStats(this.context, argument)
  }

  /** Statistics of items by slab class, up to 1.54. @throws TypeError from 1.58 on, as python-memcached on Python 3 */
  getSlabs(): Promise<[server: string, slabs: Record<string, Record<string, string>>][]> {
    return getSlabs(this.context)
  }

  /** Statistics by slab class, from 1.60 on. @throws TypeError up to 1.59, as python-memcached on Python 3 */
  getSlabStats(): Promise<[server: string, slabs: Record<string, string | Record<string, string>>][]> {
    return getSlabStats(this.context)
  }

  /** Index of the server of a key by placement, without I/O. */
  hash(key: CompatKey): number {
    const { keys, pipeline } = this.context
    return this.strict?.hash(key) ?? pipeline.selection.place(keys.one(key, 'hash').wire)
  }

  /**
   * The strict client that this one uses when every switch is off; otherwise undefined. For features that python-memcached has no
   * method for: `addMulti`, `incrMulti`, behaviors at run time, the mapping methods. `setServers` makes a new one, from the options
   * of the constructor.
   */
  get pylibmc(): StrictClient | undefined {
    return this.strict as unknown as StrictClient | undefined
  }

  /** @internal */
  get [PIPELINE](): Pipeline {
    return this.context.pipeline
  }

  /** The present state of the servers: python-memcached's host objects, read-only. */
  get servers(): readonly HostState[] {
    return hostStates(this.context.pipeline.selection, this.context.emulation.now())
  }

  /** Makes every server count as alive again; a pending flush stays pending. */
  forgetDeadHosts(): void {
    probingOf(this.context.pipeline.selection)?.forgetDeadHosts()
  }

  /** Forgets all remembered CAS uniques. @throws AttributeError up to 1.47 */
  resetCas(): void {
    mustHave(this.context.emulation, 'resetCas')
    this.context.casIds.clear()
  }

  /**
   * Validates without encoding: bytes only, as in python-memcached on Python 3.
   * @throws MemcachedKeyError; AttributeError up to 1.44
   */
  checkKey(key: unknown, keyExtraLen = 0): void {
    mustHave(this.context.emulation, 'checkKey')
    this.context.keys.check(key, keyExtraLen)
  }

  /** Writes a line of the application to the debug output, when `debug` is on. */
  debuglog(text: string): void {
    this.context.emulation.debug(text)
  }

  /** Closes every connection; dead marks stay. The client stays usable. */
  disconnectAll(): void {
    this.context.pipeline.selection.disconnectAll()
  }

  /**
   * Sends quit to every connected server, and waits until it closes the connection.
   * @throws AttributeError up to 1.59; PythonSocketError
   */
  async quitAll(): Promise<void> {
    mustHave(this.context.emulation, 'quitAll')
    await quitAll(this.context)
  }
}

brandAll('compat', { Client })
