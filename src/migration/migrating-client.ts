/**
 * A client over two placements of the same items while a fleet moves from one to the other. Phases and what each operation does
 * in them: phases.ts and docs/migrating.md.
 */
import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkIterable, checkObject, shown } from '../ground/arguments.js'
import { notify } from '../ground/observers.js'
import { checkTimeout } from '../pipeline/methods/arguments.js'
import { ownOptions } from '../python/options.js'
import type { Key } from '../strict/index.js'
import { Deadline } from './deadline.js'
import { checkPhase, type Phase, type PhaseRules, phases } from './phases.js'
import { Side, type SideClient } from './side.js'
import { Unsettled } from './unsettled.js'

/** Both sides of a migration, and its phase. */
export interface MigratingClientOptions {
  /** Default `old`. */
  readonly phase?: Phase | undefined
  /** Seconds that a copied item lives when the server cannot tell how long it would have. Default 300. */
  readonly copyTime?: number | undefined
  /** Most keys remembered whose copy in the other placement may be stale. Default 10,000. */
  readonly maxUnsettled?: number | undefined
  /** Milliseconds for a whole call over both placements. Default: the longer one of the clients' own timeouts. */
  readonly timeout?: number | undefined
}

const optionNames = Object.keys({
  phase: true,
  copyTime: true,
  maxUnsettled: true,
  timeout: true,
} satisfies Record<keyof MigratingClientOptions, true>)
/** Seconds: about thirty years. */
const LONGEST_COPY_TIME = 1e9
/** A Map holds no more. */
const MOST_UNSETTLED = 2 ** 24

/** Options of a store during a migration; times in seconds. */
export interface SetOptions {
  /** Seconds, 0 = for ever. */
  readonly time?: number | undefined
}

/** What happened since the start, to see when the old placement is no longer needed. */
export interface MigrationCounts {
  readonly reads: number
  readonly hitsOld: number
  readonly hitsNew: number
  readonly misses: number
  /** Items copied from the old placement to the new one. */
  readonly copied: number
  /** Writes and deletes that did not reach the other placement. */
  readonly failedSecond: number
}

interface Plan extends PhaseRules {
  /** The authority. */
  readonly first: Side
  readonly second: Side
}

interface Events {
  phase: [phase: Phase, before: Phase]
  /** A write or delete did not reach the other placement; the key is deleted there as soon as that is possible. */
  unsettled: [key: Key, error: unknown]
}

/** What a moved counter leaves behind: no number, so that a straggler's incr fails instead of being lost. */
const MOVED = 'moved'
const MOVED_SECONDS = 60
/** How often, and how many milliseconds apart, a counter is looked for that another process is moving. */
const MOVE_TRIES = 50
const MOVE_PAUSE = 10

/** One client over two placements, moved from one to the other phase by phase (docs/migrating.md). */
export class MigratingClient extends EventEmitter<Events> {
  private readonly old: Side
  private readonly new: Side
  private readonly copyTime: number
  private readonly unsettled: Unsettled
  private readonly timeout: number | undefined
  private current: Phase
  private readonly counted = { reads: 0, hitsOld: 0, hitsNew: 0, misses: 0, copied: 0, failedSecond: 0 }

  /**
   * @param sides clients whose outcomes are pylibmc's: strict clients, or compat clients with `emulate: 'pylibmc'` and the
   *   switches that concern placement; with the behavior `cas` (compat: `cacheCas`) when gets, cas or counters are used
   * @throws TypeError for a side that is no client and for an unknown option; RangeError for a phase that does not exist, and for
   *   numbers below 0 or too large; ValueError for a timeout that is not above 0
   */
  constructor(
    sides: { readonly old: SideClient; readonly new: SideClient },
    options: MigratingClientOptions = {},
  ) {
    super()
    if (typeof sides !== 'object' || sides === null)
      throw new TypeError(`sides is ${shown(sides)}, not an object with the clients old and new`)
    ownOptions(options, optionNames)
    this.old = new Side(checkClient('old', sides.old))
    this.new = new Side(checkClient('new', sides.new))
    this.current = checkPhase(options.phase ?? 'old')
    this.copyTime = wholeNumber('copyTime', options.copyTime ?? 300, LONGEST_COPY_TIME)
    this.unsettled = new Unsettled(
      wholeNumber('maxUnsettled', options.maxUnsettled ?? 10_000, MOST_UNSETTLED),
    )
    if (options.timeout !== undefined) checkTimeout(options.timeout)
    this.timeout = options.timeout
  }

  get phase(): Phase {
    return this.current
  }

  /**
   * Changes the phase from the next operation on.
   * @throws RangeError for a name that is no phase; Error while keys of the placement that becomes the authority may be stale
   */
  async setPhase(phase: Phase): Promise<void> {
    checkPhase(phase)
    const before = this.current
    if (phases[phase].authority !== this.rules.authority) await this.settle()
    this.current = phase
    if (phase !== before) notify(this, 'phase', phase, before)
  }

  get counts(): MigrationCounts {
    return { ...this.counted }
  }

  private get rules(): PhaseRules {
    return phases[this.current]
  }

  /** For one call. A client's timeout may change between two of them. */
  private deadline(): Deadline {
    return new Deadline(this.timeout ?? Math.max(this.old.timeout, this.new.timeout))
  }

  /** Taken once for each operation, so that a change of phase meanwhile does not change sides in the middle of it. */
  private plan(key: Key): Plan {
    const { authority, writesBoth, fallsBack } = this.rules
    const [first, second] = authority === 'old' ? [this.old, this.new] : [this.new, this.old]
    // Where both placements agree there is one item, not two: nothing to write twice, nothing to copy.
    const apart = writesBoth && first.place(key) !== second.place(key)
    return { authority, first, second, writesBoth: apart, fallsBack: apart && fallsBack }
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────

  /** Value of a key, undefined on a miss. @throws what the authority's get throws; MemcachedError (31) at the deadline of the call */
  async get<T = unknown>(key: Key): Promise<T | undefined> {
    this.counted.reads++
    const plan = this.plan(key)
    const deadline = this.deadline()
    const read = () => plan.first.client.get<T>(key)
    let value = await deadline.step(read)
    if (isMissing(value) && plan.fallsBack && (await deadline.step(() => this.copy(key, plan)))) {
      this.counted.hitsOld++
      value = await deadline.step(read)
    } else if (isMissing(value)) this.counted.misses++
    else this.counted[plan.authority === 'old' ? 'hitsOld' : 'hitsNew']++
    return isMissing(value) ? undefined : value
  }

  /** Values of those keys that are there. @throws what the authority's getMulti throws; MemcachedError (31) at the deadline of the call */
  async getMulti<T = unknown>(keys: Iterable<string>): Promise<Map<string, T>> {
    checkIterable('keys', keys)
    const asked = [...keys]
    this.counted.reads += asked.length
    const { authority, fallsBack } = this.rules
    const first = authority === 'old' ? this.old : this.new
    const deadline = this.deadline()
    const read = (some: readonly string[]) =>
      deadline.step(() => first.getMulti(some)) as Promise<Map<string, T>>
    const found = await read(asked)
    this.counted[authority === 'old' ? 'hitsOld' : 'hitsNew'] += found.size
    const absent = asked.filter((key) => !found.has(key))
    const copied = fallsBack
      ? await deadline.step(() => Promise.all(absent.map((key) => this.bringAbsent(key))))
      : absent.map(() => false)
    const there = absent.filter((_, index) => copied[index])
    this.counted.hitsOld += there.length
    this.counted.misses += absent.length - there.length
    if (there.length > 0) for (const [key, value] of await read(there)) found.set(key, value)
    return found
  }

  /** Value and CAS unique for `cas`; undefined on a miss. @throws as get */
  async gets<T = unknown>(key: Key): Promise<{ readonly value: T; readonly unique: bigint } | undefined> {
    const deadline = this.deadline()
    const plan = await this.bring(key, deadline)
    return deadline.step(() => plan.first.gets(key)) as Promise<{ value: T; unique: bigint } | undefined>
  }

  /** Copies what only the old placement has. False when it has nothing either. */
  private async copy(key: Key, { first, second }: Plan): Promise<boolean> {
    const { client } = second
    if (this.unsettled.has(key)) {
      // The old copy is known to be stale.
      await client.delete(key)
      this.unsettled.delete(key)
      return false
    }
    const stored = await second.read(key)
    if (!stored) return false
    const time = stored.remaining ?? this.copyTime
    // add: whatever has been written to the new placement meanwhile is newer.
    if (await first.addItem(key, stored.item, time)) this.counted.copied++
    return true
  }

  /** Before operations that depend on the item being there. */
  private async bring(key: Key, deadline: Deadline): Promise<Plan> {
    const plan = this.plan(key)
    if (plan.fallsBack && isMissing(await deadline.step(() => plan.first.client.get(key))))
      await deadline.step(() => this.copy(key, plan))
    return plan
  }

  private async bringAbsent(key: Key): Promise<boolean> {
    const plan = this.plan(key)
    return plan.fallsBack && (await this.copy(key, plan))
  }

  // ── writing ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Stores by the rules of the phase.
   * @param options time in seconds, 0 = for ever
   * @throws what the authority's set throws; MemcachedError (31) at the deadline of the call. So does every method that writes.
   */
  async set(key: Key, value: unknown, options: SetOptions = {}): Promise<boolean> {
    return this.store(key, value, options, this.deadline())
  }

  private async store(key: Key, value: unknown, options: SetOptions, deadline: Deadline): Promise<boolean> {
    const store = ({ client }: Side) => client.set(key, value, options)
    return this.both(key, this.plan(key), deadline, store, store)
  }

  /** @returns the keys that the authority refused */
  async setMulti(
    mapping: ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>,
    options: SetOptions = {},
  ): Promise<string[]> {
    checkObject('mapping', mapping)
    const entries = mapping instanceof Map ? [...mapping] : Object.entries(mapping)
    const deadline = this.deadline()
    const done = await Promise.all(entries.map(([key, value]) => this.store(key, value, options, deadline)))
    return entries.filter((_, index) => !done[index]).map(([key]) => key)
  }

  /** Stores when neither placement has it. */
  async add(key: Key, value: unknown, options: SetOptions = {}): Promise<boolean> {
    return this.broughtToBoth(
      key,
      ({ client }) => client.add(key, value, options),
      ({ client }) => client.set(key, value, options),
    )
  }

  /** Stores only where the key exists. @param options time in seconds, 0 = for ever */
  async replace(key: Key, value: unknown, options: SetOptions = {}): Promise<boolean> {
    return this.broughtToBoth(
      key,
      ({ client }) => client.replace(key, value, options),
      ({ client }) => client.set(key, value, options),
    )
  }

  /** The copy in the other placement is deleted, since nobody knows what it would be added to. */
  async append(key: Key, value: unknown): Promise<boolean> {
    return this.broughtToBoth(key, ({ client }) => client.append(key, value), drop(key))
  }

  /** See append. */
  async prepend(key: Key, value: unknown): Promise<boolean> {
    return this.broughtToBoth(key, ({ client }) => client.prepend(key, value), drop(key))
  }

  /**
   * Stores when unchanged since `gets`. A CAS unique belongs to the placement that was the authority when `gets` was called; after
   * a change of phase it does not match, and the result is false.
   */
  async cas(key: Key, value: unknown, unique: bigint, options: SetOptions = {}): Promise<boolean> {
    const swap = ({ client }: Side) => client.cas(key, value, unique, options)
    return this.both(key, this.plan(key), this.deadline(), swap, drop(key))
  }

  /** Gives an item a new time in seconds. */
  async touch(key: Key, time: number): Promise<boolean> {
    const touch = ({ client }: Side) => client.touch(key, time)
    return this.broughtToBoth(key, touch, touch)
  }

  /** Deletes from both placements. True when the authority, or where reads fall back either one, had it. */
  async delete(key: Key): Promise<boolean> {
    const plan = this.plan(key)
    const deadline = this.deadline()
    // The second first: the other way around a reader could copy it back in between. It gets half of the time, so that a silent
    // server there leaves some for the authority.
    const elsewhere = plan.writesBoth ? await this.onSecond(key, plan, deadline.half(), drop(key)) : false
    const here = await deadline.step(() => plan.first.client.delete(key))
    return Boolean(here) || (plan.fallsBack && elsewhere)
  }

  // ── counters ─────────────────────────────────────────────────────────────────────────────────

  /** New value; undefined when there is no such counter. Counters live in the authority alone and move when it changes. */
  async incr(key: Key, delta = 1): Promise<number | bigint | undefined> {
    return this.count('incr', key, delta)
  }

  /** Stops at 0. See incr. */
  async decr(key: Key, delta = 1): Promise<number | bigint | undefined> {
    return this.count('decr', key, delta)
  }

  private async count(verb: 'incr' | 'decr', key: Key, delta: number): Promise<number | bigint | undefined> {
    const plan = this.plan(key)
    const deadline = this.deadline()
    const count = () => plan.first.count(verb, key, delta)
    let value = await deadline.step(count)
    if (value === undefined && plan.fallsBack) {
      for (let tries = 0; value === undefined && tries < MOVE_TRIES; tries++) {
        if (!(await this.moveCounter(key, plan, deadline))) break
        value = await deadline.step(count)
        if (value === undefined) await sleep(MOVE_PAUSE)
      }
    } else if (value !== undefined && plan.writesBoth) await this.onSecond(key, plan, deadline, drop(key))
    return value
  }

  /**
   * Takes a counter out of the old placement by CAS, so that no increment between reading and taking is lost.
   * @returns false when there is none
   */
  private async moveCounter(key: Key, { first, second }: Plan, deadline: Deadline): Promise<boolean> {
    // Taking and adding are one step, which is brought to its end whenever it begins: a counter in between would be lost.
    const move = async (): Promise<boolean | undefined> => {
      const [stored, seen] = [await second.read(key), await second.gets(key)]
      if (!stored || !seen) return false
      // Somebody else has taken it and is about to add it here.
      if (seen.value === MOVED) return true
      if (stored.item.data.toString() !== String(seen.value)) return undefined
      if (!(await second.client.cas(key, MOVED, seen.unique, { time: MOVED_SECONDS }))) return undefined
      await first.addItem(key, stored.item, stored.remaining ?? this.copyTime)
      this.counted.copied++
      return true
    }
    for (;;) {
      const moved = await deadline.step(move)
      if (moved !== undefined) return moved
    }
  }

  // ── both placements ──────────────────────────────────────────────────────────────────────────

  private async both(
    key: Key,
    plan: Plan,
    deadline: Deadline,
    write: (side: Side) => Promise<unknown>,
    follow: (side: Side) => Promise<unknown>,
  ): Promise<boolean> {
    const done = Boolean(await deadline.step(() => write(plan.first)))
    if (done && plan.writesBoth) await this.onSecond(key, plan, deadline, follow)
    return done
  }

  /** For writes that depend on the item being there. */
  private async broughtToBoth(
    key: Key,
    write: (side: Side) => Promise<unknown>,
    follow: (side: Side) => Promise<unknown>,
  ): Promise<boolean> {
    const deadline = this.deadline()
    return this.both(key, await this.bring(key, deadline), deadline, write, follow)
  }

  /** Never fails: what did not get through, or not in time, is remembered, and deleted later. */
  private async onSecond(
    key: Key,
    { second }: Plan,
    deadline: Deadline,
    act: (side: Side) => Promise<unknown>,
  ): Promise<boolean> {
    try {
      const done = Boolean(await deadline.step(() => act(second)))
      this.unsettled.delete(key)
      return done
    } catch (error) {
      this.counted.failedSecond++
      this.unsettled.add(key)
      notify(this, 'unsettled', key, error)
      return false
    }
  }

  /**
   * Deletes from the other placement what may be stale there.
   * @throws Error when some keys could not be deleted, or when there were more than could be remembered
   */
  async settle(): Promise<void> {
    const { client } = this.rules.authority === 'old' ? this.new : this.old
    await Promise.all(
      this.unsettled.keys().map(async (key) => {
        await client.delete(key)
        this.unsettled.delete(key)
      }),
    ).catch((cause) => {
      throw new Error(`${this.unsettled.size} keys may be stale in the other placement`, { cause })
    })
    if (this.unsettled.overflowed)
      throw new Error(
        'more keys may be stale in the other placement than could be remembered: let them expire, then forgetUnsettled()',
      )
  }

  /** Accepts that keys in the other placement may be stale. */
  forgetUnsettled(): void {
    this.unsettled.clear()
  }

  /** Closes the connections of both clients; it stays usable. */
  disconnectAll(): void {
    this.old.client.disconnectAll()
    this.new.client.disconnectAll()
  }
}

function drop(key: Key): (side: Side) => Promise<unknown> {
  return ({ client }) => client.delete(key)
}

function isMissing(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function wholeNumber(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new RangeError(`${name} is ${shown(value)}, not a whole number from 0 to ${most}`)
}

function checkClient(name: 'old' | 'new', client: unknown): SideClient {
  const asked = client as Partial<Record<'get' | 'set' | 'disconnectAll', unknown>> | null | undefined
  if (
    typeof asked?.get === 'function' &&
    typeof asked.set === 'function' &&
    typeof asked.disconnectAll === 'function'
  )
    return client as SideClient
  throw new TypeError(`${name} is ${shown(client)}, not a client of memshim/strict or memshim/compat`)
}
