/** Assembles the report from the collected parts. */

import type { Collectors } from './collectors.js'
import { betweenVersions, type Pair } from './columns.js'
import { knownSwitches, type SwitchInfo } from './compare/divergence.js'
import type { AuditOptions } from './options.js'
import { findingsBetween } from './pymemcache/findings.js'
import { type Estimates, estimateText } from './report/estimates.js'
import type { Report } from './report/report.js'
import type { AuditSetup } from './setup.js'
import type { Trace } from './traces/trace.js'
import { memshimVersion } from './version.js'

export function reportOf(
  { options, pair, size, trace, version }: AuditSetup,
  { builder, fidelity, view, analyses, estimates, supposed, search, seen }: Collectors,
  started: number,
  verification: Report['verification'],
): Report {
  const seconds = (Date.now() - started) / 1000
  const { totals } = builder
  const estimated = estimates?.result()
  if (estimated) builder.note(estimateNote(estimated), 1)
  const { source, target, preset } = pair
  const built = builder.build(
    {
      memshim: memshimVersion(),
      trace: {
        ...described(trace),
        servers: size,
        clients: seen.clients.size,
        faults: seen.faults,
        seconds: seen.t,
      },
      settings: { preset, ...settingsIn(options, { source, target }, size, version) },
      ...(estimated ? { estimates: estimated } : {}),
      ...(supposed ? { supposedOutages: supposed.result() } : {}),
      foundOutages: search.result(),
      ...analyses.result(),
      fidelity: fidelity.result(),
      ...(verification ? { verification } : {}),
      timing: {
        started: new Date(started).toISOString(),
        seconds,
        operationsPerSecond: Math.round(totals.operations / Math.max(seconds, 0.001)),
      },
    },
    explanationsFor(pair),
  )
  return view ? view.applyTo(built) : built
}

function estimateNote({ statuses, switches }: Estimates): string {
  const words = [
    estimateText('differ', statuses.differs),
    ...Object.entries(switches).map(([name, one]) => estimateText(name, one)),
  ]
  return `estimated for the whole trace, with 95 % confidence: ${words.join('; ')}`
}

function described({ name, header: { source, library, version, recorded } }: Trace) {
  return {
    name,
    ...(source === undefined ? {} : { source }),
    library,
    version,
    ...(recorded === undefined ? {} : { recorded }),
  }
}

/** @param version memcached's, if the servers are embedded */
function settingsIn(
  { servers, behaviors = {}, negativeTimeout = 'send', targetOptions = {} }: AuditOptions,
  { source, target }: Pick<Pair, 'source' | 'target'>,
  size: number,
  version: string | undefined,
) {
  return {
    from: `${source.name}-${source.version}`,
    to: `${target.name}-${target.version}`,
    servers: servers
      ? servers.join(', ')
      : `${size} embedded server${size === 1 ? '' : 's'} (memcached ${version})`,
    behaviors,
    negativeTimeout,
    ...(target.name === 'pymemcache' ? { options: targetOptions } : {}),
  }
}

/** The differences that can explain an outcome. */
function explanationsFor({ source, target, rows }: Pair): readonly SwitchInfo[] {
  if (source.name === 'pymemcache' || target.name === 'pymemcache')
    return [
      ...findingsBetween(source, target),
      ...knownSwitches().map((info) => ({ ...info, pythonMemcached: '' })),
    ]
  return rows
    ? knownSwitches().map((info) => betweenVersions(info, target, rows.get(info.name)))
    : knownSwitches()
}
