/**
 * The audit: replays a trace through the compat client and the strict client, compares them operation by operation, and
 * reports the differences.
 */
import { shown } from '../ground/arguments.js'
import { Analyses } from './analyses/index.js'
import { betweenVersions, knownPresets, pairOf } from './columns.js'
import { Differ } from './compare/differ.js'
import { knownSwitches } from './compare/divergence.js'
import { FidelityCheck } from './compare/fidelity.js'
import { Suspects, verify } from './compare/verify.js'
import { type FrameworkTarget, frameworkTarget, frameworkView } from './frameworks/index.js'
import { construct } from './methods/construct.js'
import type { Library } from './methods/python-signatures.js'
import { type AuditOptions, AuditOptionsError, type Progress } from './options.js'
import { findingsBetween } from './pymemcache/findings.js'
import { checkTargetOptions } from './pymemcache/options.js'
import { switchableFindings } from './pymemcache/switched.js'
import { threadProgram } from './replay/apart.js'
import { epochOf } from './replay/clock.js'
import { constructorCall, type ReplayVisitor } from './replay/replay.js'
import { type ReplayTask, run } from './replay/run.js'
import { serverVersion, versionNote } from './replay/server-version.js'
import { EstimateCount, estimateText } from './report/estimates.js'
import { callText } from './report/finding.js'
import type { Finding, Report } from './report/report.js'
import { ReportBuilder } from './report/report-builder.js'
import { OutageCount, OutageSearch, withOutages } from './traces/outages.js'
import { sampledTrace } from './traces/sampled.js'
import { type Survey, surveyOf } from './traces/survey.js'
import {
  checkTrace,
  type NewEvent,
  recordingNotes,
  type Trace,
  TraceError,
  type TraceHeader,
} from './traces/trace.js'
import { memshimVersion } from './version.js'

/** @param leftOut the first line that was left out, if any */
function emptyTrace(leftOut: string | undefined): string {
  const why = leftOut ?? 'was the tracer installed before the application made its calls?'
  return `holds no operation that could be compared: ${why}`
}

/** @throws AuditOptionsError for options that are about neither of the two libraries */
function checkFitting(source: Library, target: Library, options: AuditOptions): void {
  const between = `the audit compares ${source.name}-${source.version} with ${target.name}-${target.version}`
  if (source.name !== 'pylibmc' && target.name !== 'pylibmc')
    for (const name of ['binary', 'behaviors', 'negativeTimeout'] as const)
      if (options[name] !== undefined && options[name] !== false)
        throw new AuditOptionsError(`${name} is for pylibmc, and ${between}`)
  if (options.calls === 'repaired' && source.name === target.name)
    throw new AuditOptionsError(`calls are repaired for another library, and ${between}`)
}

/** @throws TraceError for a wrong or empty trace; AuditOptionsError; errors of starting or reaching servers */
export async function audit(given: Trace, asked: AuditOptions = {}): Promise<Report> {
  const started = Date.now()
  checkTrace(given)
  checkOptions(asked)
  const { options, framework: backend } = withFrameworkTarget(asked, given.header)
  const { source, target, preset, rows } = pairOf(given.header, options)
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
  if (options.targetOptions?.key_prefix)
    builder.note(
      'key_prefix is taken for bytes: with text as its key_prefix every call of a HashClient raises TypeError',
      1,
    )
  if (pymemcache && !isTwice && options.verify)
    builder.note(
      `explanations by ${[...switchableFindings].join(', ')} were verified; what a signature refuses, failures and keys have no switch to turn`,
      1,
    )
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
      const texts = keywordNotes(backend, event.kwargs)
      for (const text of texts) builder.note(text, event.line)
      if (texts.length > 0) builder.risk('keywords', () => constructionFinding(event, texts))
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
  if (estimated) {
    const { statuses, switches } = estimated
    const words = [
      estimateText('differ', statuses.differs),
      ...Object.entries(switches).map(([name, one]) => estimateText(name, one)),
    ]
    builder.note(`estimated for the whole trace, with 95 % confidence: ${words.join('; ')}`, 1)
  }
  const { header } = trace
  const built = builder.build(
    {
      memshim: memshimVersion(),
      trace: {
        name: trace.name,
        ...(header.source === undefined ? {} : { source: header.source }),
        library: header.library,
        version: header.version,
        ...(header.recorded === undefined ? {} : { recorded: header.recorded }),
        servers: size,
        clients: seen.clients.size,
        faults: seen.faults,
        seconds: seen.t,
      },
      settings: {
        preset,
        from: `${source.name}-${source.version}`,
        to: `${target.name}-${target.version}`,
        servers: options.servers
          ? options.servers.join(', ')
          : `${size} embedded server${size === 1 ? '' : 's'} (memcached ${version})`,
        behaviors: options.behaviors ?? {},
        negativeTimeout: options.negativeTimeout ?? 'send',
        ...(target.name === 'pymemcache' ? { options: options.targetOptions ?? {} } : {}),
      },
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
    pymemcache
      ? [
          ...findingsBetween(source, target),
          ...knownSwitches().map((info) => ({ ...info, pythonMemcached: '' })),
        ]
      : rows
        ? knownSwitches().map((info) => betweenVersions(info, target, rows.get(info.name)))
        : knownSwitches(),
  )
  return view ? view.applyTo(built) : built
}

/**
 * A backend of a framework as the target means its library, the keywords that it sets, and calls in that library's form, which the
 * framework makes. @throws AuditOptionsError for a framework, version or backend that was not recorded
 */
function withFrameworkTarget(
  options: AuditOptions,
  header: TraceHeader,
): { readonly options: AuditOptions; readonly framework?: FrameworkTarget } {
  const { to } = options
  if (typeof to !== 'string') return { options }
  let target: FrameworkTarget | undefined
  try {
    target = frameworkTarget(to)
  } catch (error) {
    throw new AuditOptionsError(`to ${shown(to)}: ${(error as Error).message}`)
  }
  if (!target) return { options }
  const { framework, version, library } = target
  return {
    options: {
      ...options,
      to: `${library.name}-${library.version}`,
      ...(library.name === header.library ? {} : { calls: options.calls ?? 'repaired' }),
      ...(library.name === 'pymemcache'
        ? { targetOptions: { ...target.options, ...options.targetOptions } }
        : {}),
      ...(options.framework === undefined &&
      library.name !== header.library &&
      header.frameworks?.[framework] !== undefined
        ? { framework: `${framework}==${version}` }
        : {}),
    },
    framework: target,
  }
}

function backendNote(
  { framework, version, backend, library }: FrameworkTarget,
  { targetOptions }: AuditOptions,
): string {
  const { class: made, ...keywords } = targetOptions ?? {}
  const said = Object.entries(keywords).map(([name, value]) => `${name}=${pythonWord(value)}`)
  const client = library.name === 'pymemcache' ? `, ${made ?? 'Client'}(${said.join(', ')})` : ''
  return `the target is the backend ${backend} of ${framework} ${version}: ${library.name} ${library.version}${client}; the calls are said in its words`
}

/** Keywords of the application's constructor that the backend does not pass on. */
function keywordNotes(
  { framework, version, backend, keywords }: FrameworkTarget,
  kwargs: NewEvent['kwargs'],
): string[] {
  return Object.entries(keywords)
    .filter(([name]) => name in kwargs)
    .map(
      ([name, outcome]) =>
        `${name}: the backend ${backend} of ${framework} ${version} ${outcome === 'ignored' ? 'silently ignores it' : `raises ${outcome.slice(outcome.indexOf('.') + 1)} for it`}; pymemcache has timeout, connect_timeout, retry_attempts and dead_timeout instead, and no timeout unless one is given`,
    )
}

/** The constructor call of the application, and the backend's treatment of its keywords. */
function constructionFinding(
  { line, t, client, at, servers, kwargs }: NewEvent,
  texts: readonly string[],
): Finding {
  return {
    line,
    t,
    client,
    call: callText(constructorCall, [servers], kwargs),
    ...(at === undefined ? {} : { at }),
    compat: { result: null },
    strict: texts.some((text) => text.includes(' raises '))
      ? { raises: { class: 'builtins.TypeError', message: texts.join('; ') } }
      : { result: null },
    impact: 'state',
    explanations: [],
  }
}

function pythonWord(value: unknown): string {
  if (value === null) return 'None'
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)
}

/** @throws AuditOptionsError naming the option and what it may be */
function checkOptions(options: AuditOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new AuditOptionsError('options must be an object')
  const { preset, servers, negativeTimeout, longestWait, onProgress, verify, framework } = options
  const presets = knownPresets()
  if (preset !== undefined && !presets.includes(preset))
    throw new AuditOptionsError(`preset ${shown(preset)} is not one of ${presets.join(', ')}`)
  if (servers !== undefined && !(Array.isArray(servers) && servers.every((one) => typeof one === 'string')))
    throw new AuditOptionsError('servers is not a list of "host:port"')
  if (negativeTimeout !== undefined && negativeTimeout !== 'zero' && negativeTimeout !== 'send')
    throw new AuditOptionsError(`negativeTimeout ${shown(negativeTimeout)} is not one of zero, send`)
  if (
    longestWait !== undefined &&
    !(typeof longestWait === 'number' && longestWait > 0 && longestWait <= longestLongestWait)
  )
    throw new AuditOptionsError(
      `longestWait ${shown(longestWait)} is not a number of milliseconds above 0, at most ${longestLongestWait}`,
    )
  if (framework !== undefined && typeof framework !== 'string')
    throw new AuditOptionsError(`framework ${shown(framework)} is not a name`)
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new AuditOptionsError('onProgress is not a function')
  const { threads, sample } = options
  if (sample !== undefined && !(typeof sample === 'number' && sample > 0 && sample < 1))
    throw new AuditOptionsError(`sample ${shown(sample)} is not a part of the keys above 0 and below 1`)
  if (threads !== undefined && threads !== 1 && threads !== 2)
    throw new AuditOptionsError(`threads ${shown(threads)} is neither 1 nor 2`)
  if (verify !== undefined && typeof verify !== 'boolean')
    throw new AuditOptionsError('verify is not a boolean')
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

/** An hour, in milliseconds. */
const longestLongestWait = 3_600_000

function checkBehaviors({ behaviors }: AuditOptions): void {
  try {
    construct('pylibmc', ['127.0.0.1:1'], { behaviors: { ...behaviors } })
  } catch (error) {
    throw new AuditOptionsError(`behaviors: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function fleetSize(trace: Trace, { embedded, servers }: AuditOptions): number {
  const needed = trace.header.servers
  if (servers) {
    if (embedded !== undefined) throw new AuditOptionsError('choose real servers or embedded ones, not both')
    if (servers.length !== needed * 2) {
      const list = needed === 1 ? '2 servers' : `${needed * 2} servers`
      throw new AuditOptionsError(
        `the trace used ${needed}: give ${list}, the first half for python-memcached's side and the second for pylibmc's (${servers.length} given)`,
      )
    }
    if (new Set(servers).size !== servers.length)
      throw new AuditOptionsError('every side needs servers of its own: one is given twice')
    return needed
  }
  if (embedded !== undefined && (!Number.isInteger(embedded) || embedded < 1 || embedded > 1000)) {
    throw new AuditOptionsError(`${shown(embedded)} embedded servers are not possible: 1 to 1000`)
  }
  return embedded ?? needed
}
