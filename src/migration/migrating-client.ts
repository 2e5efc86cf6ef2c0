/**
 * A client over two placements of the same items during a migration from one to the other. The phases and the steps of each operation
 * are in phases.ts and docs/migrating.md.
 */
import { EventEmitter } from 'node:events'
import { checkIterable, checkObject, shown } from '../ground/arguments.js'
import { notify } from '../ground/observers.js'
import type { Key } from '../strict/index.js'
import { count } from './counters.js'
import type { Deadline } from './deadline.js'
import { checkClient, checkedOptions, type MigratingClientOptions, type SetOptions } from './options.js'
import { checkPhase, type Phase, phases } from './phases.js'
import { type MigrationClient, PlacementClient } from './placement-client.js'
import { drop, isMissing, type MigrationCounts, Placements } from './placements.js'

const PLACEMENTS = Symbol('placements')

interface Events {
  phase: [phase: Phase, before: Phase]
  /** A write or delete did not reach the other placement; the key is deleted there as soon as that is possible. */
  unsettled: [key: Key, error: unknown]
}

/** One client over two placements, moved from one to the other phase by phase (docs/migrating.md). */
export class MigratingClient extends EventEmitter<Events> {
  declare private readonly [PLACEMENTS]: Placements

  /**
   * @param sides clients whose outcomes are pylibmc's: strict clients, or compat clients with `emulate: 'pylibmc'` and the
   *   switches that concern placement; with the behavior `cas` (compat: `cacheCas`) when gets, cas or counters are used
   * @throws TypeError for a side that is not a client and for an unknown option; RangeError for a phase that does not exist, and for
   *   numbers below 0 or too large; ValueError for a timeout that is not above 0
   */
  constructor(
    sides: { readonly old: MigrationClient; readonly new: MigrationClient },
    options: MigratingClientOptions = {},
  ) {
    super()
    if (typeof sides !== 'object' || sides === null)
      throw new TypeError(`sides is ${shown(sides)}, not an object with the clients old and new`)
    const checked = checkedOptions(options)
    const both = {
      old: new PlacementClient(checkClient('old', sides.old)),
      new: new PlacementClient(checkClient('new', sides.new)),
    }
    const placements = new Placements(both, checked, (key, error) => notify(this, 'unsettled', key, error))
    // Not enumerable, so that console.log shows none of it, and no private field, which a proxy of the client would not have.
    Object.defineProperty(this, PLACEMENTS, { value: placements })
  }

  get phase(): Phase {
    return this[PLACEMENTS].phase
  }

  /**
   * Changes the phase from the next operation on.
   * @throws RangeError for a name that is not a phase; Error while keys of the placement that becomes the authority may be stale
   */
  async setPhase(phase: Phase): Promise<void> {
    checkPhase(phase)
    const placements = this[PLACEMENTS]
    const before = placements.phase
    if (phases[phase].authority !== placements.rules.authority) await this.settle()
    placements.phase = phase
    if (phase !== before) notify(this, 'phase', phase, before)
  }

  get counts(): MigrationCounts {
    return { ...this[PLACEMENTS].counted }
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────

  /** Value of a key, undefined on a miss. @throws errors of the authority's get; MemcachedError (31) at the deadline of the call */
  async get<T = unknown>(key: Key): Promise<T | undefined> {
    const placements = this[PLACEMENTS]
    const { counted } = placements
    counted.reads++
    const plan = placements.plan(key)
    const deadline = placements.deadline()
    const read = () => plan.first.client.get<T>(key)
    let value = await deadline.step(read)
    if (isMissing(value) && plan.fallsBack && (await deadline.step(() => placements.copy(key, plan)))) {
      counted.hitsOld++
      value = await deadline.step(read)
    } else if (isMissing(value)) counted.misses++
    else counted[plan.authority === 'old' ? 'hitsOld' : 'hitsNew']++
    return isMissing(value) ? undefined : value
  }

  /** Values of the keys that exist. @throws errors of the authority's getMulti; MemcachedError (31) at the deadline of the call */
  async getMulti<T = unknown>(keys: Iterable<string>): Promise<Map<string, T>> {
    checkIterable('keys', keys)
    const asked = [...keys]
    const placements = this[PLACEMENTS]
    const { counted } = placements
    counted.reads += asked.length
    const { authority, fallsBack } = placements.rules
    const first = authority === 'old' ? placements.old : placements.new
    const deadline = placements.deadline()
    const read = (some: readonly string[]) =>
      deadline.step(() => first.getMulti(some)) as Promise<Map<string, T>>
    const found = await read(asked)
    counted[authority === 'old' ? 'hitsOld' : 'hitsNew'] += found.size
    const absent = asked.filter((key) => !found.has(key))
    const copied = fallsBack
      ? await deadline.step(() => Promise.all(absent.map((key) => placements.bringAbsent(key))))
      : absent.map(() => false)
    const there = absent.filter((_, index) => copied[index])
    counted.hitsOld += there.length
    counted.misses += absent.length - there.length
    if (there.length > 0) for (const [key, value] of await read(there)) found.set(key, value)
    return found
  }

  /** Value and CAS unique for `cas`; undefined on a miss. @throws as get */
  async gets<T = unknown>(key: Key): Promise<{ readonly value: T; readonly unique: bigint } | undefined> {
    const placements = this[PLACEMENTS]
    const deadline = placements.deadline()
    const plan = await placements.bring(key, deadline)
    return deadline.step(() => plan.first.gets(key)) as Promise<{ value: T; unique: bigint } | undefined>
  }

  // ── writing ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Stores by the rules of the phase.
   * @param options time in seconds, 0 = for ever
   * @throws errors of the authority's set; MemcachedError (31) at the deadline of the call. The same holds for every method that writes.
   */
  async set(key: Key, value: unknown, options: SetOptions = {}): Promise<boolean> {
    return this.store(key, value, options, this[PLACEMENTS].deadline())
  }

  private async store(key: Key, value: unknown, options: SetOptions, deadline: Deadline): Promise<boolean> {
    const store = ({ client }: PlacementClient) => client.set(key, value, options)
    const placements = this[PLACEMENTS]
    return placements.both(key, placements.plan(key), deadline, store, store)
  }

  /** @returns the keys that the authority refused */
  async setMulti(
    mapping: ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>,
    options: SetOptions = {},
  ): Promise<string[]> {
    checkObject('mapping', mapping)
    const entries = mapping instanceof Map ? [...mapping] : Object.entries(mapping)
    const deadline = this[PLACEMENTS].deadline()
    const done = await Promise.all(entries.map(([key, value]) => this.store(key, value, options, deadline)))
    return entries.filter((_, index) => !done[index]).map(([key]) => key)
  }

  /** Stores when neither placement has it. */
  async add(key: Key, value: unknown, options: SetOptions = {}): Promise<boolean> {
    return this[PLACEMENTS].broughtToBoth(
      key,
      ({ client }) => client.add(key, value, options),
      ({ client }) => client.set(key, value, options),
    )
  }

  /** Stores only where the key exists. @param options time in seconds, 0 = for ever */
  async replace(key: Key, value: unknown, options: SetOptions = {}): Promise<boolean> {
    return this[PLACEMENTS].broughtToBoth(
      key,
      ({ client }) => client.replace(key, value, options),
      ({ client }) => client.set(key, value, options),
    )
  }

  /** The copy in the other placement is deleted, because its content is not known. */
  async append(key: Key, value: unknown): Promise<boolean> {
    return this[PLACEMENTS].broughtToBoth(key, ({ client }) => client.append(key, value), drop(key))
  }

  /** See append. */
  async prepend(key: Key, value: unknown): Promise<boolean> {
    return this[PLACEMENTS].broughtToBoth(key, ({ client }) => client.prepend(key, value), drop(key))
  }

  /**
   * Stores when unchanged since `gets`. A CAS unique belongs to the placement that was the authority when `gets` was called; after
   * a change of phase it does not match, and the result is false.
   */
  async cas(key: Key, value: unknown, unique: bigint, options: SetOptions = {}): Promise<boolean> {
    const swap = ({ client }: PlacementClient) => client.cas(key, value, unique, options)
    const placements = this[PLACEMENTS]
    return placements.both(key, placements.plan(key), placements.deadline(), swap, drop(key))
  }

  /** Gives an item a new time in seconds. */
  async touch(key: Key, time: number): Promise<boolean> {
    const touch = ({ client }: PlacementClient) => client.touch(key, time)
    return this[PLACEMENTS].broughtToBoth(key, touch, touch)
  }

  /** Deletes from both placements. True when the authority had it, or, in a phase with fallback, either placement. */
  async delete(key: Key): Promise<boolean> {
    const placements = this[PLACEMENTS]
    const plan = placements.plan(key)
    const deadline = placements.deadline()
    // The other placement first: in the reverse order a reader could copy it back in between. It gets half of the time, so that a silent
    // server there leaves time for the authority.
    const elsewhere = plan.writesBoth
      ? await placements.onSecond(key, plan, deadline.half(), drop(key))
      : false
    const here = await deadline.step(() => plan.first.client.delete(key))
    return Boolean(here) || (plan.fallsBack && elsewhere)
  }

  // ── counters ─────────────────────────────────────────────────────────────────────────────────

  /** New value; undefined when there is no such counter. Counters are stored only in the authority and move when it changes. */
  async incr(key: Key, delta = 1): Promise<number | bigint | undefined> {
    return count(this[PLACEMENTS], 'incr', key, delta)
  }

  /** Stops at 0. See incr. */
  async decr(key: Key, delta = 1): Promise<number | bigint | undefined> {
    return count(this[PLACEMENTS], 'decr', key, delta)
  }

  // ── both placements ──────────────────────────────────────────────────────────────────────────

  /**
   * Deletes the keys that may be stale from the other placement.
   * @throws Error when some keys could not be deleted, or when there were more than could be remembered
   */
  settle(): Promise<void> {
    return this[PLACEMENTS].settle()
  }

  /** Accepts that keys in the other placement may be stale. */
  forgetUnsettled(): void {
    this[PLACEMENTS].unsettled.clear()
  }

  /** Closes the connections of both clients; it stays usable. */
  disconnectAll(): void {
    const { old, new: next } = this[PLACEMENTS]
    old.client.disconnectAll()
    next.client.disconnectAll()
  }
}
