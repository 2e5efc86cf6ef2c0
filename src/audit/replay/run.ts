/** One replay of a trace on fresh servers: both sides in this thread, or the second one in another thread. */

import { compatLibrary } from '../columns.js'
import { frameworkView } from '../frameworks/index.js'
import type { ConstructOptions } from '../methods/constructor/construct.js'
import type { Library } from '../methods/python-signatures.js'
import type { AuditOptions } from '../options.js'
import { PymemcacheSide } from '../pymemcache/side.js'
import type { Trace } from '../traces/trace.js'
import { ApartSide, ReportingSide, SideThread, threadProgram } from './apart.js'
import { ReplayClock } from './clock.js'
import { embeddedFleet, type Fleet, realFleet } from './fleet.js'
import { type ReplayPlan, type ReplayVisitor, replay } from './replay.js'
import { serverVersion } from './server-version.js'
import { type ReplaySide, Side } from './side.js'
import { Topology } from './topology.js'

/** The options of an audit that a replay needs. */
export const replayOptions = [
  'behaviors',
  'negativeTimeout',
  'binary',
  'calls',
  'framework',
  'longestWait',
  'serverVersion',
  'targetOptions',
] as const

/** The settings of a replay. Plain data, so that it can be passed to a thread. */
export interface ReplayTask {
  /** The library whose calls are replayed, and the library it is compared with. */
  readonly source: Library
  readonly target: Library
  readonly preset: string
  /** Switches that are set to the target's behaviour. */
  readonly switches: readonly string[]
  readonly options: Pick<AuditOptions, (typeof replayOptions)[number]>
  /** Servers of each side. */
  readonly size: number
  /** The trace may have faults. */
  readonly faults: boolean
  /** Unix time in seconds at the start of the trace. */
  readonly epoch: number
}

export interface RunOptions {
  /** Real servers for both sides instead of embedded ones. */
  readonly real?: readonly string[] | undefined
  /** The second side has a separate thread. */
  readonly apart: boolean
  readonly signal?: AbortSignal | undefined
}

/** The input of the thread of a side. */
export interface ThreadTask {
  readonly files: readonly string[]
  readonly task: ReplayTask
}

/** @throws as `replay` */
export async function run(
  trace: Trace,
  task: ReplayTask,
  { real, apart, signal }: RunOptions,
  visitor: ReplayVisitor,
): Promise<void> {
  const started = Date.now()
  const fleets: Fleet[] = []
  const clock = clockOf(task, fleets)
  let sides: readonly ReplaySide[] = []
  try {
    for (const half of [0, 1]) {
      fleets.push(
        real
          ? await realFleet(real.slice(half * task.size, (half + 1) * task.size))
          : await embeddedFleet(
              task.size,
              clock.now,
              serverVersion(task.options.serverVersion, trace.header),
              task.faults && !apart,
            ),
      )
    }
    const shared = real ? {} : { now: clock.now, longestWait: task.options.longestWait ?? 300 }
    const [compat, strict] = sidesOf(task, fleets, shared, [Side, apart ? ApartSide : Side])
    sides = [compat, strict]
    if (strict instanceof ApartSide)
      strict.thread = new SideThread(threadProgram()!, { files: trace.files, task } as ThreadTask)
    await replay(
      {
        trace,
        source: task.source,
        topology: new Topology(task.size, task.size !== trace.header.servers),
        compat,
        strict,
        repaired: task.options.calls === 'repaired',
        ...byFramework(trace, task),
        timeTo: (t) => (real ? waitUntil(started + t * 1000) : clock.advanceTo(t)),
        ...(signal ? { signal } : {}),
      },
      visitor,
    )
  } finally {
    await Promise.allSettled(
      sides.length === 2 ? sides.map((side) => side.stop()) : fleets.map((fleet) => fleet.stop()),
    )
  }
}

/** The main function of a thread: replays pylibmc's side, and passes its outcomes to `listen`. */
export async function runApart(
  trace: Trace,
  task: ReplayTask,
  listen: (side: ReportingSide) => void,
): Promise<void> {
  const fleets: Fleet[] = []
  const clock = clockOf(task, fleets)
  const version = serverVersion(task.options.serverVersion, trace.header)
  const idle = await embeddedFleet(task.size, clock.now, version, false)
  const fleet = await embeddedFleet(task.size, clock.now, version, false)
  fleets.push(fleet)
  const shared = { now: clock.now, longestWait: task.options.longestWait ?? 300 }
  const [compat, strict] = sidesOf(task, [idle, fleet], shared, [Side, ReportingSide])
  listen(strict as ReportingSide)
  try {
    await replay(
      {
        trace,
        source: task.source,
        topology: new Topology(task.size, task.size !== trace.header.servers),
        compat,
        strict,
        repaired: task.options.calls === 'repaired',
        ...byFramework(trace, task),
        secondAlone: true,
        timeTo: (t) => clock.advanceTo(t),
      },
      { operation: () => {}, fault: () => {}, note: () => {}, client: () => {} },
    )
  } finally {
    ;(strict as ReportingSide).handOver()
    await Promise.allSettled([compat.stop(), strict.stop()])
  }
}

/** The calls that a framework makes in the form of the target, by its recordings. */
function byFramework(trace: Trace, { options, target }: ReplayTask): Pick<ReplayPlan, 'byFramework'> {
  const view = frameworkView(trace.header, options.framework, target.name)
  return view ? { byFramework: (via) => view.makesCall(via) } : {}
}

function clockOf({ epoch }: ReplayTask, fleets: readonly Fleet[]): ReplayClock {
  return new ReplayClock(epoch, () => {
    for (const fleet of fleets) fleet.crawl?.()
  })
}

type SideClass = typeof Side

const pylibmc: Library = { name: 'pylibmc', version: '1.6.3' }

function sidesOf(
  { source, target, preset, switches, options, faults }: ReplayTask,
  [compatFleet, strictFleet]: readonly Fleet[],
  shared: Pick<ConstructOptions, 'now' | 'longestWait'>,
  [First, Second]: readonly [SideClass, SideClass],
): readonly [ReplaySide, ReplaySide] {
  const fleetsOfBoth = [compatFleet!, strictFleet!] as const
  if (source.name === 'pymemcache')
    return fromPymemcache(source, target, options, patient(shared, faults), fleetsOfBoth, switches)
  if (target.name === 'pymemcache')
    return toPymemcache(source, target, preset, options, shared, fleetsOfBoth, switches)
  const versions = source.name === 'python-memcached' && target.name === 'python-memcached'
  const setting = versions ? `python-memcached-${target.version}` : 'pylibmc'
  const switched = Object.fromEntries(switches.map((name) => [name, setting]))
  const { behaviors, negativeTimeout, binary, calls } = options
  return [
    new First(
      compatLibrary(preset, source),
      source,
      compatFleet!,
      { ...shared, compat: { emulate: preset, switches: switched } } as ConstructOptions,
      source.name === 'pylibmc',
    ),
    new Second(
      versions ? target : pylibmc,
      source,
      strictFleet!,
      {
        ...shared,
        compat: { emulate: setting },
        strict: { behaviors, negativeTimeout: negativeTimeout ?? 'send', ...(binary ? { binary } : {}) },
      } as ConstructOptions,
      calls === 'repaired',
    ),
  ]
}

/** The first side is the application's own library, whichever it is. */
function toPymemcache(
  source: Library,
  target: Library,
  preset: string,
  { behaviors, calls, targetOptions = {} }: ReplayTask['options'],
  shared: Pick<ConstructOptions, 'now' | 'longestWait'>,
  [before, after]: readonly [Fleet, Fleet],
  switches: readonly string[],
): readonly [ReplaySide, ReplaySide] {
  const library = source.name === 'pylibmc' ? source : compatLibrary(preset, source)
  const options = {
    ...shared,
    compat: { emulate: preset },
    strict: { behaviors, negativeTimeout: 'send' },
  } as ConstructOptions
  return [
    new Side(library, source, before, options, false),
    new PymemcacheSide(target, source, after, targetOptions, shared, calls === 'repaired', switches),
  ]
}

/** Longer timeouts for servers without faults: a long wait only shows a busy machine, or a large value on the other side. */
function patient<S extends Pick<ConstructOptions, 'longestWait'>>(shared: S, faults: boolean): S {
  return faults || shared.longestWait === undefined
    ? shared
    : { ...shared, longestWait: Math.max(shared.longestWait, PATIENCE) }
}

/** Milliseconds. */
const PATIENCE = 10_000

/** The first side is the application's pymemcache, with the options that its constructors have in the trace. */
function fromPymemcache(
  source: Library,
  target: Library,
  { behaviors, negativeTimeout, binary, calls, targetOptions = {} }: ReplayTask['options'],
  shared: Pick<ConstructOptions, 'now' | 'longestWait'>,
  [before, after]: readonly [Fleet, Fleet],
  switches: readonly string[],
): readonly [ReplaySide, ReplaySide] {
  const first = new PymemcacheSide(source, source, before, {}, shared, false, switches, target)
  if (target.name === 'pymemcache')
    return [first, new PymemcacheSide(target, source, after, targetOptions, shared, false)]
  const options = {
    ...shared,
    compat: { emulate: `python-memcached-${target.version}` },
    strict: { behaviors, negativeTimeout: negativeTimeout ?? 'send', ...(binary ? { binary } : {}) },
  } as ConstructOptions
  return [first, new Side(target, source, after, options, calls === 'repaired')]
}

/** Milliseconds: the longest that a timer of Node waits. */
const LONGEST_TIMER = 2 ** 31 - 1

function waitUntil(time: number): Promise<void> | undefined {
  const wait = Math.min(time - Date.now(), LONGEST_TIMER)
  return wait > 0
    ? new Promise<void>((resolve) => setTimeout(resolve, wait)).then(() => waitUntil(time))
    : undefined
}
