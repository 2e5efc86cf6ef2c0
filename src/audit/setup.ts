/** The checked options of an audit, and the replay that they ask for. */
import { checkBehaviors, checkFitting, checkOptions, fleetSize } from './check-options.js'
import { pairOf } from './columns.js'
import { withFrameworkTarget } from './frameworks/backend.js'
import { type AuditOptions, AuditOptionsError } from './options.js'
import { checkTargetOptions } from './pymemcache/options.js'
import { threadProgram } from './replay/apart.js'
import { epochOf } from './replay/clock.js'
import { type ReplayTask, replayOptions } from './replay/run.js'
import { serverVersion } from './replay/server-version.js'
import { withOutages } from './traces/outages.js'
import { sampledTrace } from './traces/sampled.js'
import type { Survey } from './traces/survey.js'
import { checkTrace, type Trace } from './traces/trace.js'

/** The checked options of an audit, and the facts that follow from them and from the header of the trace. */
export type AuditSetup = ReturnType<typeof setupOf>

/** @throws TraceError, AuditOptionsError */
export function setupOf(given: Trace, asked: AuditOptions) {
  checkTrace(given)
  checkOptions(asked)
  const { options, framework: backend } = withFrameworkTarget(asked, given.header)
  const pair = pairOf(given.header, options)
  const { source, target, rows } = pair
  checkFitting(source, target, options)
  checkBehaviors(options)
  if (options.targetOptions !== undefined) {
    if (target.name !== 'pymemcache')
      throw new AuditOptionsError("targetOptions: the target is not pymemcache (to: 'pymemcache-4.0')")
    checkTargetOptions(options.targetOptions)
  }
  const size = fleetSize(given, options)
  const { outages = [] } = options
  const part = options.sample === undefined ? given : sampledTrace(given, options.sample)
  const trace = outages.length > 0 ? withOutages(part, outages, size) : part
  // The side of pymemcache explains its differences itself; announcements of the emulation concern pylibmc.
  const pymemcache = target.name === 'pymemcache' || source.name === 'pymemcache'
  return {
    options,
    backend,
    pair,
    size,
    outages,
    trace,
    pymemcache,
    /** Both libraries are pymemcache. Two clients of it differ in their options, which the trace and the target give. */
    isTwice: target.name === 'pymemcache' && source.name === 'pymemcache',
    between: pymemcache ? new Set<string>() : rows && new Set(rows.keys()),
    /** memcached's version, if the servers are embedded. */
    version: options.servers ? undefined : serverVersion(options.serverVersion, trace.header),
  }
}

export function taskOf(setup: AuditSetup, survey: Survey | undefined, started: number): ReplayTask {
  const { source, target, preset } = setup.pair
  return {
    source,
    target,
    preset,
    switches: [],
    options: Object.fromEntries(replayOptions.map((name) => [name, setup.options[name]])),
    size: setup.size,
    faults: survey?.faults ?? true,
    epoch: epochOf(setup.trace.header, Math.floor(started / 1000)),
  }
}

/** The number of operations from which a second thread saves time. */
const longTrace = 20_000

/** @throws AuditOptionsError if the options ask for two threads and the replay can have only one */
export function threadsOf(
  trace: Trace,
  survey: Survey | undefined,
  { threads, servers }: AuditOptions,
): 1 | 2 {
  const reason = servers
    ? 'a replay on real servers'
    : !trace.files
      ? 'a trace that is not read from files'
      : (survey?.faults ?? true)
        ? 'a trace with faults'
        : threadProgram() === undefined
          ? 'memshim run from its sources'
          : undefined
  if (threads === 2 && reason !== undefined)
    throw new AuditOptionsError(`threads 2: ${reason} has one thread`)
  return reason !== undefined ? 1 : (threads ?? (survey!.events >= longTrace ? 2 : 1))
}
