/** The cost of moving the keys: simulates every way to move them on a trace, with the clock of the trace (docs/tools/plan.md). */
import { shown } from '../../ground/arguments.js'
import { checkOptionNames } from '../../python/options.js'
import type { Library } from '../methods/python-signatures.js'
import { AuditOptionsError } from '../options.js'
import { epochOf } from '../replay/clock.js'
import { checkTrace, type Trace, TraceError, type TraceEvent } from '../traces/trace.js'
import { callOfWire } from '../traces/wire/wire.js'
import { type Access, accessesOf } from './accesses.js'
import { type KeyFacts, type Minute, Simulation } from './simulate.js'
import { prefixOf, type Way, type WayInput, ways } from './ways.js'

/** Index of the server of a key (bytes of the wire as latin1 text); undefined when there is none. */
export type PlaceKey = (key: string) => number | undefined

/** Both placements, and the settings of the move. */
export interface PlanOptions {
  /** The present placement. */
  readonly from: PlaceKey
  /** The placement after the move. */
  readonly to: PlaceKey
  /** The number of servers of both placements. */
  readonly servers: number
  /** Seconds of the trace at which the move begins. Default: a quarter of the trace, at most an hour. */
  readonly begin?: number | undefined
  /** Hours from the beginning to the last step, and of the dual placement. Default: half of the trace, at most 24 hours. */
  readonly hours?: number | undefined
  /** Default: all of them. */
  readonly ways?: readonly Way[] | undefined
  /** Items that are stored when the trace begins (a scan). `expires` in seconds of the trace. */
  readonly items?:
    | Iterable<{ readonly key: string; readonly bytes: number; readonly expires: number }>
    | undefined
}

/** The cost of one way. Shares are from 0 to 1, times are seconds from the beginning of the move. */
export interface WayResult {
  readonly way: string
  readonly title: string
  readonly hitRatio: number
  /** Reads that miss because of the move, in all and in the worst minute. */
  readonly extraCalls: number
  readonly peakExtraPerMinute: number
  /** The lowest hit ratio of a minute after the beginning with at least 1 % of the reads of the busiest minute. */
  readonly lowestHitRatio: number
  /** Until the last minute in which more than 1 % of the reads missed because of the move. */
  readonly settled: number
  /** Until the last lookup of a key that moves in the old placement. */
  readonly oldQuiet: number
  /** Most bytes that were stored in both placements at the end of a minute. */
  readonly peakDoubledBytes: number
  /** incr and decr that missed because of the move: the count was lost. */
  readonly lostCounters: number
  readonly minutes: readonly Readonly<Minute>[]
}

/** A plan (docs/tools/plan.md). */
export interface Plan {
  readonly format: 'memshim-plan/1'
  readonly trace: { readonly name: string; readonly seconds: number; readonly accesses: number }
  readonly begin: number
  readonly hours: number
  readonly keys: number
  /** Keys that are on another server under the new placement, and the share of the accesses that they have. */
  readonly movedKeys: number
  readonly movedAccesses: number
  /** Hit ratio of the reads when nothing is moved. */
  readonly hitRatio: number
  readonly ways: readonly WayResult[]
  /** Share of the accesses by server. */
  readonly load: { readonly before: readonly number[]; readonly after: readonly number[] }
  /** The keys that are used most. */
  readonly hotKeys: readonly {
    readonly key: string
    readonly accesses: number
    readonly before: number
    readonly after: number
  }[]
}

const hotKeysKept = 20
const longestWindow = 24 * 3600

/** @throws TraceError for a trace that is wrong, or without any access to a key; TypeError, RangeError for options that do not fit */
export async function plan(trace: Trace, options: PlanOptions): Promise<Plan> {
  checkTrace(trace)
  checkPlanOptions(options)
  const { from, to, servers } = options
  const facts = (key: string): KeyFacts | undefined => {
    const [oldServer, newServer] = [from(key), to(key)]
    return oldServer === undefined || newServer === undefined ? undefined : { oldServer, newServer }
  }
  const seen = await survey(trace, facts)
  if (seen.accesses === 0) throw new TraceError(trace.name, 0, undefined, 'holds no access to a key')
  if (options.begin !== undefined && options.begin > seen.seconds)
    throw new AuditOptionsError(
      `begin ${options.begin} is after the end of the trace, which has ${seen.seconds.toFixed(1)} s`,
    )
  const begin = options.begin ?? Math.min(3600, seen.seconds / 4)
  const window =
    options.hours === undefined ? Math.min(longestWindow, seen.seconds / 2) : options.hours * 3600
  const prefixes = [...seen.prefixes].sort(([, a], [, b]) => a - b).map(([prefix]) => prefix)
  const input: WayInput = { begin, end: begin + window, prefixes, servers }
  const chosen = options.ways ?? ways
  const simulations = chosen.map((way) => {
    const stage = way.stage(input)
    return new Simulation(facts, (key, { oldServer }, t) => stage({ key, oldServer }, t), servers)
  })
  for (const { key, bytes, expires } of options.items ?? [])
    for (const simulation of simulations) simulation.seed(key, bytes, expires)
  for await (const access of accesses(trace)) {
    for (const simulation of simulations) {
      if (access === 'flush') simulation.flush()
      else simulation.apply(access)
    }
  }
  for (const simulation of simulations) simulation.finish(seen.seconds)
  const load = (side: 'oldServer' | 'newServer') => {
    const counts = new Array<number>(servers).fill(0)
    for (const { facts: known, count } of seen.keys.values()) counts[known[side]]! += count
    return counts.map((count) => count / seen.accesses)
  }
  const all = [...seen.keys]
  const moving = all.filter(([, { facts: known }]) => known.oldServer !== known.newServer)
  const [first] = simulations
  return {
    format: 'memshim-plan/1',
    trace: { name: trace.name, seconds: seen.seconds, accesses: seen.accesses },
    begin,
    hours: window / 3600,
    keys: seen.keys.size,
    movedKeys: moving.length,
    movedAccesses: moving.reduce((sum, [, { count }]) => sum + count, 0) / seen.accesses,
    hitRatio: ratio(first?.stillHits ?? 0, first?.reads ?? 0),
    ways: chosen.map((way, index) => resultOf(way, simulations[index]!, begin)),
    load: { before: load('oldServer'), after: load('newServer') },
    hotKeys: all
      .sort(([, a], [, b]) => b.count - a.count)
      .slice(0, hotKeysKept)
      .map(([key, { facts: known, count }]) => ({
        key: Buffer.from(key, 'latin1').toString('utf8'),
        accesses: count,
        before: known.oldServer,
        after: known.newServer,
      })),
  }
}

function resultOf(way: Way, simulation: Simulation, begin: number): WayResult {
  const { minutes, reads, hits, extra, lostCounters, lastOld } = simulation
  const after = minutes.filter(({ minute }) => (minute + 1) * 60 > begin)
  const busiest = Math.max(0, ...minutes.map((minute) => minute.reads))
  const counted = after.filter((minute) => minute.reads > busiest / 100)
  const noticed = after.filter((minute) => minute.extra > minute.reads / 100)
  const last = noticed.at(-1)
  return {
    way: way.name,
    title: way.title,
    hitRatio: ratio(hits, reads),
    extraCalls: extra,
    peakExtraPerMinute: Math.max(0, ...minutes.map((minute) => minute.extra)),
    lowestHitRatio: Math.min(1, ...counted.map((minute) => ratio(minute.hits, minute.reads))),
    settled: last ? Math.max(0, (last.minute + 1) * 60 - begin) : 0,
    oldQuiet: Math.max(0, (lastOld ?? begin) - begin),
    peakDoubledBytes: Math.max(0, ...minutes.map((minute) => minute.doubled)),
    lostCounters,
    minutes,
  }
}

interface Seen {
  seconds: number
  accesses: number
  readonly keys: Map<string, { readonly facts: KeyFacts; count: number }>
  readonly prefixes: Map<string, number>
}

async function survey(trace: Trace, facts: (key: string) => KeyFacts | undefined): Promise<Seen> {
  const seen: Seen = { seconds: 0, accesses: 0, keys: new Map(), prefixes: new Map() }
  for await (const access of accesses(trace)) {
    if (access === 'flush') continue
    seen.seconds = access.t
    let known = seen.keys.get(access.key)
    if (!known) {
      const placed = facts(access.key)
      if (!placed) continue
      known = { facts: placed, count: 0 }
      seen.keys.set(access.key, known)
    }
    known.count++
    seen.accesses++
    const prefix = prefixOf(access.key)
    seen.prefixes.set(prefix, (seen.prefixes.get(prefix) ?? 0) + 1)
  }
  return seen
}

async function* accesses(trace: Trace): AsyncGenerator<Access | 'flush'> {
  const library: Library = { name: trace.header.library, version: trace.header.version }
  const epoch = epochOf(trace.header, 0)
  for await (const event of trace.events()) {
    const call = callOf(event, library)
    if (call?.call === 'flush_all') yield 'flush'
    else if (call) yield* accessesOf(call, library, epoch)
  }
}

function callOf(event: TraceEvent, library: Library) {
  if (event.kind === 'call') return event
  if (event.kind !== 'wire') return undefined
  const made = callOfWire(event, library)
  return 'skipped' in made ? undefined : made
}

/** The longest move: one year. */
const mostHours = 24 * 366

function checkPlanOptions(options: PlanOptions): void {
  checkOptionNames(options, ['from', 'to', 'servers', 'begin', 'hours', 'ways', 'items'])
  const { from, to, servers, begin, hours } = options
  for (const [name, value] of Object.entries({ from, to }))
    if (typeof value !== 'function')
      throw new TypeError(`${name} is ${shown(value)}, not a function that places a key`)
  if (!(Number.isInteger(servers) && servers > 0))
    throw new RangeError(`servers is ${shown(servers)}, not a number of servers`)
  if (begin !== undefined && !(typeof begin === 'number' && begin >= 0))
    throw new RangeError(`begin is ${shown(begin)}, not a time in seconds from 0`)
  if (hours !== undefined && !(typeof hours === 'number' && hours >= 0 && hours <= mostHours))
    throw new RangeError(`hours is ${shown(hours)}, not a number from 0 to ${mostHours}`)
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole
}
