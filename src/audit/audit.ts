/**
 * The audit: replays a trace through the compat client and the strict client, compares them operation by operation, and
 * reports the differences.
 */
import { Analyses } from './analyses/index.js'
import { checkBehaviors, checkFitting, checkOptions, fleetSize } from './check-options.js'
import { betweenVersions, type Pair, pairOf } from './columns.js'
import { Differ } from './compare/differ.js'
import { knownSwitches, type SwitchInfo } from './compare/divergence.js'
import { FidelityCheck } from './compare/fidelity.js'
import { Suspects, verify } from './compare/verify.js'
import { backendNote, constructionFinding, lostKeywords, withFrameworkTarget } from './frameworks/backend.js'
import { frameworkView } from './frameworks/index.js'
import { type AuditOptions, AuditOptionsError, type Progress } from './options.js'
import { findingsBetween } from './pymemcache/findings.js'
import { checkTargetOptions } from './pymemcache/options.js'
import { switchableFindings } from './pymemcache/switched.js'
import { threadProgram } from './replay/apart.js'
import { epochOf } from './replay/clock.js'
import { constructorCall, type ReplayVisitor } from './replay/replay.js'
import { type ReplayTask, run } from './replay/run.js'
import { serverVersion, versionNote } from './replay/server-version.js'
import { EstimateCount, type Estimates, estimateText } from './report/estimates.js'
import type { Report } from './report/report.js'
import { ReportBuilder } from './report/report-builder.js'
import { OutageCount, OutageSearch, withOutages } from './traces/outages.js'
import { sampledTrace } from './traces/sampled.js'
import { type Survey, surveyOf } from './traces/survey.js'
import { checkTrace, recordingNotes, type Trace, TraceError } from './traces/trace.js'
import { memshimVersion } from './version.js'

/** @param leftOut the first line that was left out, if any */
function emptyTrace(leftOut: string | undefined): string {
  const why = leftOut ?? 'was the tracer installed before the application made its calls?'
  return `has no operation that could be compared: ${why}`
}

/** @throws TraceError for a wrong or empty trace; AuditOptionsError; errors of starting or reaching servers */
export async function audit(given: Trace, asked: AuditOptions = {}): Promise<Report> {
  const started = Date.now()
  checkTrace(given)
  checkOptions(asked)
  const { options, framework: backend } = withFrameworkTarget(asked, given.header)
  const pair = pairOf(given.header, options)
  const { source, target, preset, rows } = pair
  checkFitting(source, target, options)
  // Announcements of the emulation concern pylibmc; the side of pymemcache explains its differences itself.
  const pymemcache = target.name === 'pymemcache' || source.name === 'pymemcache'
  const isTwice = target.name === 'pymemcache' && source.name === 'pymemcache'
  const between = pymemcache ? new Set<string>() : rows && new Set(rows.keys())
  const size = fleetSize(given, options)
  const { outages = [] } = options
  const part = options.sample === undefined ? given : sampledTrace(given, options.sample)
  const trace = outages.length > 0 ? withOutages(part, outages, size) : part
  const drawn = trace.header.sample ?? 1
  const estimates = drawn < 1 ? new EstimateCount(drawn) : undefined
  const supposed = outages.length > 0 ? new OutageCount(outages) : undefined
  const search = new OutageSearch()
  const analyses = new Analyses(target.name)
  checkBehaviors(options)
  if (options.targetOptions !== undefined) {
    if (target.name !== 'pymemcache')
      throw new AuditOptionsError('targetOptions are for pymemcache as the target')
    checkTargetOptions(options.targetOptions)
  }
  const view = frameworkView(trace.header, options.framework, target.name)
  const builder = new ReportBuilder()
  const differ = new Differ({
    negativeTimesAlike: !options.binary && options.negativeTimeout !== 'zero',
    between,
  })
  const fidelity = new FidelityCheck(
    source.name === 'pylibmc' && !pymemcache ? 'strict' : 'compat',
    trace.header.redacted,
  )
  for (const note of recordingNotes(trace.header)) builder.note(note, 1)
  if (backend) builder.note(backendNote(backend, options), 1)
  for (const note of pymemcacheNotes(options, pymemcache && !isTwice)) builder.note(note, 1)
  const version = options.servers ? undefined : serverVersion(options.serverVersion, trace.header)
  // Two clients of pymemcache differ in their options, which the trace and the target give.
  const suspects = new Suspects(isTwice ? new Set() : pymemcache ? switchableFindings : undefined)
  const seen = { clients: new Set<string>(), faults: 0, t: 0, calls: 0 }

  const survey = await surveyOf(trace)
  const progress = (phase: Progress['phase'], operations: number, t: number): Progress => ({
    phase,
    operations,
    t,
    ...(survey ? { share: Math.min(1, operations / Math.max(1, survey.events)) } : {}),
  })
  const {
    behaviors,
    negativeTimeout,
    binary,
    calls,
    longestWait,
    serverVersion: wanted,
    targetOptions,
  } = options
  const task: ReplayTask = {
    source,
    target,
    preset,
    switches: [],
    options: { behaviors, negativeTimeout, binary, calls, longestWait, serverVersion: wanted, targetOptions },
    size,
    faults: survey?.faults ?? true,
    epoch: epochOf(trace.header, Math.floor(started / 1000)),
  }
  const running = {
    real: options.servers,
    apart: !pymemcache && threadsOf(trace, survey, options) === 2,
    signal: options.signal,
  }

  let leftOut: string | undefined
  const visitor: ReplayVisitor = {
    operation(operation) {
      const verdict = differ.judge(operation)
      if (operation.call !== constructorCall) seen.calls++
      builder.add(operation, verdict)
      const note = version && versionNote(operation, trace.header, version)
      if (note) builder.note(note, operation.line)
      view?.add(operation, verdict)
      fidelity.add(operation)
      if (operation.call !== constructorCall) analyses.add(operation)
      estimates?.add(operation, verdict)
      supposed?.add(operation)
      if (seen.faults === 0) search.add(operation, operation.sourceServer)
      if (options.verify) suspects.add(operation, verdict)
      options.onOperation?.(operation, verdict)
      seen.t = operation.t
      options.onProgress?.(progress('replay', builder.totals.operations, operation.t))
    },
    fault(server, line) {
      differ.fault(server, line)
      seen.faults++
    },
    note(text, line, isLeftOut) {
      if (isLeftOut) leftOut ??= `line ${line}: ${text}`
      builder.note(text, line)
    },
    client: (name) => seen.clients.add(name),
    constructs(event) {
      if (!backend) return
      const lost = lostKeywords(backend, event.kwargs)
      for (const note of lost.notes) builder.note(note, event.line)
      if (lost.notes.length > 0) builder.risk('keywords', () => constructionFinding(event, lost))
    },
  }
  await run(trace, task, running, visitor)
  if (seen.calls === 0) throw new TraceError(trace.name, 0, undefined, emptyTrace(leftOut))
  const verification = options.verify
    ? await verify(
        suspects,
        (switches, visit) => {
          let operations = 0
          return run(trace, { ...task, switches }, running, {
            ...visit,
            operation(operation) {
              visit.operation(operation)
              options.onProgress?.(progress('verify', ++operations, operation.t))
            },
          })
        },
        between,
      )
    : undefined

  const seconds = (Date.now() - started) / 1000
  const { totals } = builder
  const estimated = estimates?.result()
  if (estimated) builder.note(estimateNote(estimated), 1)
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

function pymemcacheNotes(
  { targetOptions, verify: isVerified }: AuditOptions,
  hasSwitches: boolean,
): readonly string[] {
  const notes: string[] = []
  if (targetOptions?.key_prefix)
    notes.push(
      'key_prefix is taken for bytes: with text as its key_prefix every call of a HashClient raises TypeError',
    )
  if (isVerified && hasSwitches)
    notes.push(
      `explanations by ${[...switchableFindings].join(', ')} were verified; the other explanations have no switch that a replay could turn off`,
    )
  return notes
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

/** The number of operations from which a second thread saves time. */
const longTrace = 20_000

/** @throws AuditOptionsError when two threads are asked for where there can be one only */
function threadsOf(trace: Trace, survey: Survey | undefined, { threads, servers }: AuditOptions): 1 | 2 {
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
