/**
 * A cache with one placement or two, simulated with the trace's clock: the results of reads, the values that the application computes again because of the
 * move, and the items that are stored twice. Items are never evicted. Pure.
 */
import type { Access } from './accesses.js'
import type { Stage } from './ways.js'

/** Facts about a key. Servers are indexes, absent if a placement has none for the key. */
export interface KeyFacts {
  readonly oldServer: number
  readonly newServer: number
}

/** Counts of one minute of the trace. */
export interface Minute {
  /** From the start of the trace. */
  readonly minute: number
  reads: number
  hits: number
  /** Reads that miss because of the move: the application computes and stores again. */
  extra: number
  /** Bytes of items that are in both placements at its end. */
  doubled: number
}

interface Entry {
  readonly facts: KeyFacts
  /** When the copies in both placements expire, in seconds of the trace; undefined: there is none. */
  old: number | undefined
  new: number | undefined
  /** The same in a cache that is never moved. */
  still: number | undefined
  bytes: number
  /** The time of the last store. */
  ttl: number
}

const minuteSeconds = 60

export class Simulation {
  private readonly entries = new Map<string, Entry>()
  readonly minutes: Minute[] = []
  reads = 0
  hits = 0
  stillHits = 0
  extra = 0
  /** Counters that the move lost: incr and decr that miss because of it. */
  lostCounters = 0
  /** The last access that needed the old placement for a key that moves. */
  lastOld: number | undefined
  /** Requests by server. */
  readonly load: number[]

  /**
   * @param place servers of a key under both placements; undefined for an invalid key @param stage the stage of a key that moves
   * @param servers the number of servers
   */
  constructor(
    private readonly place: (key: string) => KeyFacts | undefined,
    private readonly stage: (key: string, facts: KeyFacts, t: number) => Stage,
    servers: number,
  ) {
    this.load = new Array<number>(servers).fill(0)
  }

  /** Adds an item that was stored before the trace began. @param expires seconds of the trace */
  seed(key: string, bytes: number, expires: number): void {
    const entry = this.entry(key)
    if (!entry) return
    entry.bytes = bytes
    entry.old = entry.still = expires
  }

  apply(access: Access): void {
    const { key, t } = access
    const entry = this.entry(key)
    if (!entry) return
    const minute = this.minuteOf(t)
    const moves = entry.facts.oldServer !== entry.facts.newServer
    const stage = moves ? this.stage(key, entry.facts, t) : 'old'
    this.learn(entry, access, stage)
    const found = alive(this.current(entry, stage), t) || (stage === 'both' && alive(entry.old, t))
    const stillThere = alive(entry.still, t)
    if (moves && stage === 'old') this.lastOld = t
    this.request(entry, stage)
    switch (access.kind) {
      case 'read':
        this.read(entry, access, stage, found, stillThere, minute)
        break
      case 'set':
        this.store(entry, access, stage)
        break
      case 'add':
        if (!found) this.put(entry, access, stage)
        if (!stillThere) entry.still = t + access.ttl
        break
      case 'change':
      case 'touch':
        if (found) this.put(entry, access, stage)
        if (stillThere) entry.still = t + access.ttl
        break
      case 'count':
        if (stillThere && !found) this.lostCounters++
        // A MigratingClient moves the counter at its first increment.
        if (found && stage === 'both' && !alive(entry.new, t)) entry.new = entry.old
        break
      case 'delete':
        if (stage !== 'new') entry.old = undefined
        if (stage !== 'old') entry.new = undefined
        entry.still = undefined
    }
  }

  /** The trace ends, or the servers are emptied. */
  flush(): void {
    for (const entry of this.entries.values()) entry.old = entry.new = entry.still = undefined
  }

  finish(t: number): void {
    const last = this.minutes.at(-1)
    if (last) last.doubled = this.doubled(t)
  }

  private entry(key: string): Entry | undefined {
    let entry = this.entries.get(key)
    if (entry) return entry
    const facts = this.place(key)
    if (!facts) return undefined
    entry = {
      facts,
      old: undefined,
      new: undefined,
      still: undefined,
      bytes: 0,
      ttl: Number.POSITIVE_INFINITY,
    }
    this.entries.set(key, entry)
    return entry
  }

  /** A recorded result shows items that were stored before the trace began, and items that the server had evicted. */
  private learn(entry: Entry, { t, hit }: Access, stage: Stage): void {
    if (hit === undefined || hit === alive(entry.still, t)) return
    if (hit) {
      entry.still = Number.POSITIVE_INFINITY
      // The item was stored before the move, so it is in the old placement.
      if (stage === 'old' || entry.new === undefined) entry.old = Number.POSITIVE_INFINITY
    } else entry.old = entry.new = entry.still = undefined
  }

  private read(
    entry: Entry,
    access: Access,
    stage: Stage,
    found: boolean,
    stillThere: boolean,
    minute: Minute,
  ) {
    const { t } = access
    this.reads++
    minute.reads++
    if (stillThere) this.stillHits++
    if (found) {
      this.hits++
      minute.hits++
      if (stage !== 'both' || alive(entry.new, t)) return
      // The item is only in the old placement: it is copied, with its remaining time.
      this.lastOld = t
      entry.new = entry.old
      this.load[entry.facts.oldServer]!++
      return
    }
    if (!stillThere) return
    this.extra++
    minute.extra++
    this.put(entry, { ...access, ttl: entry.ttl, bytes: entry.bytes }, stage)
  }

  private store(entry: Entry, access: Access, stage: Stage): void {
    this.put(entry, access, stage)
    entry.still = access.t + access.ttl
    entry.ttl = access.ttl
  }

  private put(entry: Entry, { t, ttl, bytes }: Access, stage: Stage): void {
    if (bytes > 0) entry.bytes = bytes
    if (stage !== 'new') entry.old = t + ttl
    if (stage !== 'old') entry.new = t + ttl
  }

  private current(entry: Entry, stage: Stage): number | undefined {
    return stage === 'old' ? entry.old : entry.new
  }

  private request({ facts }: Entry, stage: Stage): void {
    this.load[stage === 'old' ? facts.oldServer : facts.newServer]!++
  }

  private minuteOf(t: number): Minute {
    const number = Math.floor(t / minuteSeconds)
    let last = this.minutes.at(-1)
    if (last?.minute === number) return last
    if (last) last.doubled = this.doubled(t)
    last = { minute: number, reads: 0, hits: 0, extra: 0, doubled: 0 }
    this.minutes.push(last)
    return last
  }

  private doubled(t: number): number {
    let bytes = 0
    for (const entry of this.entries.values())
      if (entry.new !== undefined && alive(entry.new, t) && alive(entry.old, t)) bytes += entry.bytes
    return bytes
  }
}

function alive(expires: number | undefined, t: number): boolean {
  return expires !== undefined && expires > t
}
