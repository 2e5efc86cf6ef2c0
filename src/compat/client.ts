/** The compat client: python-memcached's `Client`, one named switch per emulated behaviour. Source: spec/python-memcached §3, §10. */
import { EventEmitter } from 'node:events'
import * as requests from '../protocol/requests.js'
import type { Bytes } from '../protocol/wire.js'
import { typeName } from '../python/type-name.js'
import { compressionOf, type StoreArgument, timeOf } from '../strict/arguments.js'
import { Commands } from '../strict/commands.js'
import { delta as pylibmcDelta } from '../strict/exptime.js'
import type { Key, Modes, PrefixOptions, StoreOptions, Time, TimeOptions } from '../strict/index.js'
import { badKey } from '../strict/keys.js'
import { replyError, softOutcome } from '../strict/replies.js'
import { Announcer, type Divergence, raises } from './divergence.js'
import { type ClientOptions, Emulation } from './emulation.js'
import { asNumber, sentText } from './exptime.js'
import { type HashedKey, Keys } from './keys.js'
import { type Context, deleteMulti, getMulti, type KeysOf, setMulti } from './multi.js'
import { again, counted, refused, spelled, stored, swallowed } from './outcomes.js'
import { type HostState, hostStates, probingOf } from './hosts.js'
import { type CompatServerInput, parseCompatServer } from './server-spec.js'
import { compatSlots, negativeTime } from './slots.js'
import { flushAll, getSlabStats, getSlabs, getStats, missing } from './statistics.js'

/** A key, or python-memcached's `(hash, key)`: the hash then chooses the server. */
export type CompatKey = Key | readonly [hash: number | bigint, key: Key]

export interface NoReply {
  /** Do not wait for the server: the command succeeds unseen. */
  readonly noreply?: boolean
}

export type CompatStoreArgument = Time | (StoreOptions & NoReply)

/** Where ≤ 1.59 has a time as second argument, ≥ 1.60 has noreply. */
export type DeleteArgument = number | (NoReply & { readonly time?: number | null })

export class Client extends EventEmitter<{ divergence: [Divergence] }> {
  private readonly emulation: Emulation
  private readonly keys: Keys
  private readonly casIds = new Map<Bytes, bigint>()
  private context!: Context

  /**
   * Opens no connection.
   * @throws ValueError, TypeError, OverflowError for servers that cannot be parsed and for options
   */
  constructor(servers: Iterable<CompatServerInput>, options: ClientOptions = {}) {
    super()
    this.emulation = new Emulation(options, new Announcer(this))
    this.keys = new Keys(this.emulation)
    this.setServers(servers)
  }

  /** Replaces the servers; connections to the old ones are closed. */
  setServers(servers: Iterable<CompatServerInput>): void {
    if (servers === null || servers === undefined || !(Symbol.iterator in Object(servers)))
      throw new TypeError(`'${typeName(servers)}' object is not iterable`)
    const specs = [...servers].map(parseCompatServer)
    this.context?.commands.disconnectAll()
    const { emulation, keys } = this
    this.context = { emulation, keys, commands: new Commands(compatSlots(emulation, specs, keys)) }
  }

  private get commands(): Commands {
    return this.context.commands
  }

  private modes(options?: unknown): Modes {
    const modes = this.commands.slots.modes()
    const wish = typeof options === 'object' && options !== null && (options as NoReply).noreply
    return wish ? { ...modes, noreply: true } : modes
  }

  // ── retrieval ────────────────────────────────────────────────────────────────────────────────

  /**
   * Value of a key. On a miss null, or `missing` (from 1.60 on); on a network failure always null.
   * @throws MemcachedKeyError; ValueDecodeError for items that cannot be read
   */
  async get<T = unknown>(key: CompatKey, missing?: T): Promise<T | null | undefined> {
    const { wire, hash } = this.keys.one(key, 'get')
    const python = this.emulation.on('return-values')
    if (missing !== undefined && python && !this.emulation.facts.defaults)
      throw new TypeError(`get() takes no default in python-memcached ${this.emulation.facts.version}`)
    const none = python ? null : undefined
    const absent = missing === undefined ? none : missing
    if (wire === '') return absent
    const modes = this.modes()
    try {
      const item = await again(this.emulation, () =>
        this.commands.fetch(modes.retrieval, wire, 'get', modes, hash),
      )
      return item ? (this.commands.slots.decode(item, 'get') as T) : absent
    } catch (error) {
      return swallowed(this.emulation, 'errors', 'get', wire, error, none)
    }
  }

  /**
   * Value of a key, whose CAS unique is remembered when `cacheCas` is on. With `return-values` off: `[value, cas]`.
   */
  async gets<T = unknown>(key: CompatKey): Promise<T | null | [T | undefined, bigint | undefined]> {
    const { wire, hash } = this.keys.one(key, 'gets')
    const python = this.emulation.on('return-values')
    const nothing = (): null | [undefined, undefined] => (python ? null : [undefined, undefined])
    if (wire === '') return nothing()
    const modes = this.modes()
    if (!modes.cas) return this.commands.gets<T>(wire) as Promise<[T, bigint]>
    try {
      const item = await again(this.emulation, () => this.commands.fetch('gets', wire, 'gets', modes, hash))
      const strict = item ? '(value, CAS unique)' : '(None, None)'
      if (python)
        this.emulation.announcer.announce('return-values', {
          operation: 'gets',
          key: wire,
          compat: item ? 'the value' : 'None',
          strict,
        })
      if (!item) return nothing()
      // Where a plain set is no way out, cas needs what gets saw, also when gets returns the value alone.
      const remember = this.emulation.cacheCas || !this.emulation.on('cas-fallback')
      if (remember) this.casIds.set(wire, BigInt.asIntN(64, item.cas!))
      const value = this.commands.slots.decode(item, 'gets') as T
      return python ? value : [value, BigInt.asIntN(64, item.cas!)]
    } catch (error) {
      return swallowed(this.emulation, 'errors', 'gets', wire, error, nothing())
    }
  }

  /** Values by the caller's keys, which may be numbers. Missing keys and those of failed servers are absent. */
  async getMulti<K extends CompatKey | number | bigint = string>(
    keys: KeysOf<K>,
    options: PrefixOptions = {},
  ): Promise<Map<K, unknown>> {
    return getMulti(this.context, keys, options.keyPrefix)
  }

  // ── storage ──────────────────────────────────────────────────────────────────────────────────

  /** True when stored, false when refused, 0 when nothing was sent or the network failed. @throws MemcachedKeyError, TypeError */
  async set(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.store('set', key, value, options)
  }

  /** Stores when missing. */
  async add(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.store('add', key, value, options)
  }

  /** Stores when it exists. */
  async replace(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.store('replace', key, value, options)
  }

  /** Adds behind the stored bytes. */
  async append(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.store('append', key, value, options)
  }

  /** Adds before the stored bytes. */
  async prepend(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.store('prepend', key, value, options)
  }

  /**
   * Stores when unchanged since the last `gets` of this client with `cacheCas`; without a remembered CAS unique a plain set.
   * @param cas the CAS unique itself (a bigint), or the options (a number is the time)
   * @throws with `cas-fallback` off: TypeError without a CAS unique, and what strict's cas throws
   */
  async cas(
    key: CompatKey,
    value: unknown,
    cas?: bigint | CompatStoreArgument,
    options?: CompatStoreArgument,
  ): Promise<boolean | 0> {
    const given = typeof cas === 'bigint' ? cas : undefined
    const rest = given === undefined ? (cas as CompatStoreArgument | undefined) : options
    const { wire } = this.keys.one(key, 'cas')
    const unique = given ?? this.casIds.get(wire)
    if (!this.emulation.on('cas-fallback')) {
      if (unique === undefined)
        throw new TypeError('cas needs the CAS unique that gets returned, as a bigint')
      return stored(this.emulation, 'cas', wire, () => this.commands.cas(wire, value, unique, rest))
    }
    if (unique !== undefined) return this.store('cas', key, value, rest, BigInt.asUintN(64, unique))
    this.emulation.announcer.announce('cas-fallback', {
      operation: 'cas',
      key: wire,
      compat: 'stores unconditionally',
      strict: 'raises TypeError',
    })
    return this.store('set', wire, value, rest)
  }

  private async store(
    verb: 'set' | 'add' | 'replace' | 'append' | 'prepend' | 'cas',
    key: CompatKey,
    value: unknown,
    options: CompatStoreArgument | undefined,
    cas?: bigint,
  ): Promise<boolean | 0> {
    const { wire, hash } = this.keys.one(key, verb)
    const modes = this.modes(options)
    return stored(this.emulation, verb, wire, async () => {
      const exptime = this.commands.slots.exptime(timeOf(options), verb, wire)
      const encoded = this.commands.encode(value, this.compression(options), verb, wire)
      if (wire === '') return false
      const prepared = { verb, key: wire, encoded, exptime, hash, cas }
      return again(this.emulation, () => this.commands.store(prepared, verb, modes))
    })
  }

  private compression(options: StoreArgument | undefined) {
    if (!this.emulation.on('value-encoding')) return compressionOf(options)
    const length = typeof options === 'object' && options !== null ? options.minCompressLen : undefined
    return length === undefined ? undefined : { minCompressLen: Number(length) }
  }

  /** Stores many on all servers at once. @returns the keys that were refused; see the switch `set-multi` */
  async setMulti<K = string>(
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    options?: Time | (StoreOptions & PrefixOptions & NoReply),
  ): Promise<K[]> {
    if (this.emulation.on('set-multi')) return setMulti(this.context, mapping, options, this.modes(options))
    return this.commands.setMulti(mapping as ReadonlyMap<Key, unknown>, options) as Promise<K[]>
  }

  // ── counters ─────────────────────────────────────────────────────────────────────────────────

  /**
   * New value of the counter, null when it is missing.
   * @throws ValueError when the server refuses (not a number, bad delta) or closes the connection
   */
  async incr(key: CompatKey, delta: unknown = 1, options?: NoReply): Promise<number | bigint | null> {
    return this.count('incr', key, delta, options)
  }

  /** Stops at 0. See incr. */
  async decr(key: CompatKey, delta: unknown = 1, options?: NoReply): Promise<number | bigint | null> {
    return this.count('decr', key, delta, options)
  }

  private async count(
    verb: 'incr' | 'decr',
    key: CompatKey,
    delta: unknown,
    options: NoReply | undefined,
  ): Promise<number | bigint | null> {
    const { wire, hash } = this.keys.one(key, verb)
    if (wire === '') throw badKey('', verb)
    const text = this.deltaText(verb, wire, delta)
    const modes = this.modes(options)
    return counted(this.emulation, verb, wire, async () => {
      const value = await this.commands.count(verb, verb, wire, text, modes, hash)
      return modes.noreply ? null : value
    })
  }

  private deltaText(verb: 'incr' | 'decr', wire: Bytes, delta: unknown): Bytes {
    if (!this.emulation.on('counter-arguments')) return String(pylibmcDelta(delta))
    try {
      if (this.emulation.announcer.active) pylibmcDelta(delta)
    } catch (error) {
      this.emulation.announcer.announce('counter-arguments', {
        operation: verb,
        key: wire,
        compat: `sends ${sentText(delta)}`,
        strict: raises(error),
      })
    }
    return sentText(delta)
  }

  // ── removal ──────────────────────────────────────────────────────────────────────────────────

  /** 1 when deleted (up to 1.61 also when missing), 0 otherwise. */
  async delete(key: CompatKey, options?: DeleteArgument): Promise<boolean | 0 | 1> {
    return this.remove(key, options, this.emulation.facts.missingDelete === 1)
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
    const replies = [...expected].map((reply) => Buffer.from(reply).toString('latin1'))
    return this.remove(key, { ...options, time: time ? Number(time) : null }, replies.includes('NOT_FOUND'))
  }

  private async remove(
    key: CompatKey,
    options: DeleteArgument | undefined,
    missingSucceeds: boolean,
  ): Promise<boolean | 0 | 1> {
    const { wire, hash } = this.keys.one(key, 'delete')
    const { facts } = this.emulation
    const time = typeof options === 'object' ? options?.time : options
    const positional = facts.deleteTime === 'never' && typeof options === 'number' && options !== 0
    const modes = this.modes(positional ? { noreply: true } : options)
    if (wire === '') return spelled(this.emulation, 'delete', wire, false)
    try {
      const request = requests.remove(modes.namespace + wire, {
        time: this.deleteTime(time),
        noreply: modes.noreply,
      })
      const { reply, server } = await this.commands.line(request, 'delete', wire, modes, hash)
      const done = modes.noreply || softOutcome(reply, 'delete', { key: wire, server: server.name })
      return this.deleted(wire, done, missingSucceeds)
    } catch (error) {
      return refused(this.emulation, 'delete', wire, error)
    }
  }

  private deleted(key: Bytes, done: boolean, missingSucceeds: boolean): boolean | 0 | 1 {
    const { emulation } = this
    if (done || !emulation.on('missing-delete') || !missingSucceeds)
      return spelled(emulation, 'delete', key, done)
    emulation.announcer.announce('missing-delete', { operation: 'delete', key, compat: '1', strict: 'False' })
    return emulation.on('return-values') ? 1 : true
  }

  private deleteTime(time: unknown): Bytes | undefined {
    const { deleteTime } = this.emulation.facts
    if (!this.emulation.on('time-arguments') || deleteTime === 'never' || time === undefined || time === null)
      return undefined
    return deleteTime === 'not-zero' && asNumber(time) === 0 ? undefined : sentText(time)
  }

  /** 1, also when keys were missing; 0 after a reset or a timeout. */
  async deleteMulti(
    keys: KeysOf<CompatKey | number | bigint>,
    options: PrefixOptions & NoReply & { readonly time?: number | null } = {},
  ): Promise<boolean | 0 | 1> {
    const { time, keyPrefix } = options
    const sent =
      time === undefined || time === null || !this.emulation.on('time-arguments') ? undefined : sentText(time)
    return deleteMulti(this.context, keys, keyPrefix, sent, this.modes(options))
  }

  /** Gives an item a new time: 1, or 0 when it is missing or the server refuses. */
  async touch(
    key: CompatKey,
    time: Time | null | (NoReply & { readonly time?: Time | null }) = 0,
    options?: NoReply,
  ): Promise<boolean | 0 | 1> {
    const { wire, hash } = this.keys.one(key, 'touch')
    const named = isOptions(time) ? time : undefined
    const given = named ? ('time' in named ? named.time : 0) : time
    const modes = this.modes(named ?? options)
    const exptime = this.touchTime(given, wire)
    if (wire === '') return spelled(this.emulation, 'touch', wire, false)
    try {
      const request = requests.touch(modes.namespace + wire, exptime, modes.noreply)
      const { reply, server } = await this.commands.line(request, 'touch', wire, modes, hash)
      const done = modes.noreply || softOutcome(reply, 'touch', { key: wire, server: server.name })
      if (!done && this.emulation.facts.refusalRaises) throw replyError(reply, 'touch', { key: wire })
      return spelled(this.emulation, 'touch', wire, done)
    } catch (error) {
      return refused(this.emulation, 'touch', wire, error)
    }
  }

  private touchTime(time: unknown, wire: Bytes): Bytes | undefined {
    const { emulation } = this
    if (!emulation.on('time-arguments')) return String(this.commands.slots.exptime(time, 'touch', wire))
    const { facts, announcer } = emulation
    const number = asNumber(time)
    const integer = typeof time === 'bigint' || typeof time === 'boolean' || Number.isInteger(time)
    if (!integer) {
      const compat = `sends ${sentText(time)}`
      announcer.announce('time-arguments', {
        operation: 'touch',
        key: wire,
        compat,
        strict: 'raises TypeError',
      })
    }
    if (time === null || time === undefined) return facts.defaults ? 'None' : undefined
    if (facts.dropsZeroTouch && number === 0) {
      const compat = 'sends no time, which the server refuses'
      announcer.announce('time-arguments', { operation: 'touch', key: wire, compat, strict: 'True' })
      return undefined
    }
    if (integer && number !== undefined && number < 0)
      return String(negativeTime(emulation, number, 'touch', wire))
    return sentText(time)
  }

  // ── servers ──────────────────────────────────────────────────────────────────────────────────

  /** Invalidates every item of the servers that can be reached. null (true with `return-values` off). @throws PythonSocketError */
  async flushAll(time?: Time | TimeOptions): Promise<null | true> {
    if (this.emulation.on('errors')) {
      if (time !== undefined && timeOf(time) !== 0)
        throw new TypeError('flush_all takes no time in python-memcached')
      await flushAll(this.context)
    } else await this.commands.flushAll(time)
    if (!this.emulation.on('return-values')) return true
    this.emulation.announcer.announce('return-values', {
      operation: 'flushAll',
      compat: 'None',
      strict: 'True',
    })
    return null
  }

  /** `[["host:port (weight)", { name: value }], …]` of the servers that can be reached. @throws IndexError, PythonSocketError */
  async getStats(argument?: string): Promise<[server: string, stats: Record<string, string>][]> {
    if (this.emulation.on('statistics')) return getStats(this.context, argument)
    return this.commands.getStats(argument)
  }

  /** @throws TypeError always, as python-memcached on Python 3 */
  async getSlabs(): Promise<never> {
    return getSlabs(this.context)
  }

  /** Statistics by slab class, from 1.60 on. @throws TypeError up to 1.59, as python-memcached on Python 3 */
  async getSlabStats(): Promise<[server: string, slabs: Record<string, string | Record<string, string>>][]> {
    return getSlabStats(this.context)
  }

  /** Index of the server that placement alone gives a key, without I/O. */
  hash(key: CompatKey): number {
    const { wire }: HashedKey = this.keys.one(key, 'hash')
    return this.commands.hash(wire)
  }

  /** The servers as they are now: python-memcached's host objects, to look at. */
  get servers(): readonly HostState[] {
    return hostStates(this.commands.selection, this.emulation.now())
  }

  /** Makes every server count as alive again. */
  forgetDeadHosts(): void {
    probingOf(this.commands.selection)?.forgetDeadHosts()
  }

  /** Forgets all remembered CAS uniques. */
  resetCas(): void {
    this.casIds.clear()
  }

  /** @throws MemcachedKeyError; bytes only, as in python-memcached */
  checkKey(key: unknown, keyExtraLen = 0): void {
    this.keys.check(key, keyExtraLen)
  }

  /** Closes every connection; dead marks stay. The client stays usable. */
  disconnectAll(): void {
    this.commands.disconnectAll()
  }

  /** Says quit to every server. @throws AttributeError up to 1.59 */
  async quitAll(): Promise<void> {
    if (!this.emulation.facts.defaults) throw missing('quit_all')
    this.commands.disconnectAll()
  }
}

function isOptions(value: unknown): value is NoReply & { readonly time?: Time | null } {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
