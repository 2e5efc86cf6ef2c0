/**
 * The framework view: the differences of the library that reach the application through a framework. Decided with recordings of
 * the real frameworks. A difference without a recording counts as reaching the application.
 */
import type { AuditedOperation, Verdict } from '../compare/differ.js'
import { formsOfCalls } from '../compare/divergence.js'
import type { LibraryName } from '../methods/python-signatures.js'
import { AuditOptionsError } from '../options.js'
import { constructorCall } from '../replay/replay.js'
import { finding } from '../report/finding.js'
import type { Finding, Report } from '../report/report.js'
import type { TraceHeader } from '../traces/trace.js'
import { handedOn, outcomeWord } from './outcome-words.js'
import { nearestVersion, type RecordedFramework, recordedFrameworks } from './recorded.js'

/** A framework of the trace, and the recordings that are used for it. */
export interface FrameworkVersions {
  readonly name: string
  /** The version that the application used; absent if the trace does not name it. */
  readonly traced?: string
  /** The recorded version that is used for it on the application's library. */
  readonly before: string
  /** The recorded version that the application is compared with, on the target. */
  readonly after: string
}

/** The part of a report from the framework view. All numbers count operations whose outcome differs at the library. */
export interface FrameworkReport {
  readonly frameworks: readonly FrameworkVersions[]
  /** All differences. */
  readonly differences: number
  /** Those that the application sees: made without a framework, passed on by one, or not recorded. */
  readonly reaching: number
  readonly absorbed: number
  /** Reaching differences that raise where the application's library returned, and their places in the application. */
  readonly raises: number
  readonly raisingPlaces: number
  /** Reaching differences of calls that a framework made, without a recording of their effect. */
  readonly unknown: number
  /** By switch. */
  readonly switches: Readonly<Record<string, { readonly reaching: number; readonly absorbed: number }>>
  /** The first of the absorbed ones. */
  readonly examples: readonly (Finding & { readonly via: string })[]
}

function isFormOfCall({ switch: name, how }: Verdict['explanations'][number]): boolean {
  return how === 'signature' && formsOfCalls.has(name)
}

/** Functions that join the value into a text, which has no trace of the value's type. */
const rendering: ReadonlySet<string> = new Set(['django.templatetags.cache:render'])

function isOfType({ switch: name, impact }: Verdict['explanations'][number]): boolean {
  return name === 'subclasses' || impact === 'state'
}

/** Django's `get`, whose backend for python-memcached takes a stored None for a miss. Source: django/core/cache/backends/memcached.py of 3.2 and 4.0. */
const getOfDjango = 'django.core.cache.backends.memcached:get'
/** The functions that find a stored None with the other backends. */
const findsNone: ReadonlySet<string> = new Set([
  'django.core.cache.backends.base:has_key',
  'django.core.cache.backends.base:get_or_set',
  'django.core.cache.backends.base:incr_version',
])

export type Judgement = 'absorbed' | 'passed on' | 'unknown'
const examplesKept = 20

/** Counts differences by whether they reach the application. Made by `frameworkView`. */
export class FrameworkView {
  private readonly counts = { differences: 0, reaching: 0, absorbed: 0, raises: 0, unknown: 0 }
  private readonly raising = new Set<string>()
  private readonly switches = new Map<string, { reaching: number; absorbed: number }>()
  private readonly examples: (Finding & { readonly via: string })[] = []

  constructor(
    private readonly frameworks: readonly Recordings[],
    private readonly source: LibraryName,
    private readonly target: LibraryName,
  ) {}

  add(operation: AuditedOperation, verdict: Verdict): void {
    if (verdict.status !== 'differs' && verdict.status !== 'unexplained') return
    const judgement = this.judge(operation, verdict)
    this.counts.differences++
    const column = judgement === 'absorbed' ? 'absorbed' : 'reaching'
    this.counts[column]++
    if (judgement === 'unknown') this.counts.unknown++
    if (column === 'reaching' && verdict.impact === 'raises') {
      this.counts.raises++
      this.raising.add(operation.at ?? '')
    }
    for (const { switch: name } of verdict.explanations) {
      const row = this.switches.get(name) ?? { reaching: 0, absorbed: 0 }
      row[column]++
      this.switches.set(name, row)
    }
    if (judgement === 'absorbed' && this.examples.length < examplesKept)
      this.examples.push({ ...finding(operation, verdict), via: operation.via?.[0] ?? '' })
  }

  /** Whether a framework makes the call and has a backend for the target, which makes it in the target's form. */
  makesCall(via: readonly string[]): boolean {
    return via.length > 0 && this.frameworks.some((framework) => framework.supports(via[0]!))
  }

  /** Whether the application sees a stored None on the target, which it took for a miss before. */
  readsNone({ via = [], compat, foundNone }: AuditedOperation): boolean {
    const [call, caller] = via
    if (!foundNone || this.source !== 'python-memcached' || call !== getOfDjango) return false
    // The default that another function of Django gives is None.
    return 'result' in compat && (caller === undefined || findsNone.has(caller))
  }

  /** Whether a difference of the library reaches the application. */
  judge(operation: AuditedOperation, verdict: Verdict): Judgement {
    const { via, call, compat, repaired, strict } = operation
    if (via === undefined || via.length === 0) return 'passed on'
    const framework = this.frameworks.find((framework) => framework.has(via[0]!))
    if (!framework) return 'unknown'
    if (
      repaired === undefined &&
      verdict.explanations.length > 0 &&
      verdict.explanations.every(isFormOfCall)
    ) {
      // Only the application's own settings reach the constructor.
      const configured = call === constructorCall && Object.keys(operation.kwargs).join() !== 'pickleProtocol'
      return configured || !framework.supports(via[0]!) ? 'passed on' : 'absorbed'
    }
    const words = [outcomeWord(call, compat), outcomeWord(call, repaired ?? strict)] as const
    const before = framework.application(this.source, via, words[0])
    const after = framework.application(this.target, via, words[1])
    if (before === undefined || after === undefined) return 'unknown'
    if (before !== after) return 'passed on'
    if (rendering.has(via.at(-1)!) && verdict.explanations.every(isOfType)) return 'absorbed'
    // The client's values are passed on, and they differ.
    return handedOn.has(after) && words.some((word) => handedOn.has(word)) ? 'passed on' : 'absorbed'
  }

  /** The report with the view: differences that reach the application come first, absorbed ones last. */
  applyTo(report: Report): Report {
    const absorbed = (name: string) => {
      const row = this.switches.get(name)
      return row !== undefined && row.reaching === 0 && row.absorbed > 0
    }
    return {
      ...report,
      switches: [
        ...report.switches.filter((row) => !absorbed(row.switch)),
        ...report.switches.filter((row) => absorbed(row.switch)),
      ],
      frameworks: {
        frameworks: this.frameworks.map(({ versions }) => versions),
        ...this.counts,
        raisingPlaces: this.raising.size,
        switches: Object.fromEntries(this.switches),
        examples: this.examples,
      },
    }
  }
}

/** The recordings of one framework for the versions of one audit. */
class Recordings {
  private readonly rows = new Map<string, string | null>()
  private readonly modules = new Set<string>()
  /** Modules with a backend for the target. */
  private readonly forTarget = new Set<string>()

  constructor(
    readonly versions: FrameworkVersions,
    { rows }: RecordedFramework,
    target: LibraryName,
  ) {
    for (const row of rows) {
      this.modules.add(moduleOf(row.via))
      if (row.library === target) this.forTarget.add(moduleOf(row.via))
      const version = row.library === target ? versions.after : versions.before
      if (row.versions?.includes(version) ?? true)
        this.rows.set(`${row.library} ${row.via} ${row.client}`, row.application)
    }
  }

  /** Whether the function is in a module of this framework. */
  has(step: string): boolean {
    return this.modules.has(moduleOf(step))
  }

  /** Whether the module of the function has a backend for the target. */
  supports(step: string): boolean {
    return this.forTarget.has(moduleOf(step))
  }

  /** The application's outcome, from the outermost recorded function; undefined if there is no recording. */
  application(library: LibraryName, via: readonly string[], word: string): string | undefined {
    for (let length = via.length; length > 0; length--) {
      const found = this.rows.get(`${library} ${via.slice(0, length).join(' < ')} ${word}`)
      if (found !== undefined) return found ?? undefined
    }
    return undefined
  }
}

function moduleOf(via: string): string {
  return via.slice(0, via.indexOf(':'))
}

/** Names of the recorded frameworks. */
export function knownFrameworks(): readonly string[] {
  return recordedFrameworks.map(({ name }) => name)
}

/**
 * @param choice `none`: no view; `Django==5.2`: the version that the application will use with the target; absent: the versions of the trace
 * @param target the library that the application moves to; there is no view for another version of its own library
 * @throws AuditOptionsError for an unknown framework, or for a trace without a view
 */
export function frameworkView(
  header: TraceHeader,
  choice: string | undefined,
  target: LibraryName,
): FrameworkView | undefined {
  if (choice === 'none') return undefined
  const [name, wanted] = choice?.split('==') ?? []
  const known = recordedFrameworks.find((framework) => framework.name.toLowerCase() === name?.toLowerCase())
  if (choice !== undefined) {
    if (!known || wanted === '' || (wanted !== undefined && !/^\d+(\.\d+)*$/.test(wanted))) {
      throw new AuditOptionsError(
        `framework ${choice} is not known: none, or one of ${knownFrameworks().join(', ')}, with a version like Django==5.2 or without`,
      )
    }
    if (wanted !== undefined) checkRecorded(known, wanted)
  }
  const source = header.library
  if (source === target) return undefined
  const found = recordedFrameworks.flatMap((framework): Recordings[] => {
    const traced = header.frameworks?.[framework.name]
    if (framework === known) return [recordings(framework, source, target, traced, wanted)]
    return traced === undefined ? [] : [recordings(framework, source, target, traced)]
  })
  return found.length === 0 ? undefined : new FrameworkView(found, source, target)
}

/** @throws AuditOptionsError for a major version that is not recorded: the nearest one would be a guess */
function checkRecorded({ name, versions }: RecordedFramework, wanted: string): void {
  const major = (version: string) => Number(version.split('.')[0])
  const recorded = versions.map(major)
  if (major(wanted) >= Math.min(...recorded) && major(wanted) <= Math.max(...recorded)) return
  throw new AuditOptionsError(
    `framework ${name}==${wanted} is not recorded: give one of ${versions.join(', ')}, or none`,
  )
}

/** A framework without a backend for a library has no rows for it: its effect is unknown. */
function recordings(
  framework: RecordedFramework,
  source: LibraryName,
  target: LibraryName,
  traced: string | undefined,
  wanted?: string,
): Recordings {
  const having = (library: LibraryName) => {
    const found = framework.versions.filter((version) => !framework.absent[library]?.includes(version))
    return found.length > 0 ? found : framework.versions
  }
  const newest = framework.versions.at(-1)!
  const before = nearestVersion(having(source), traced ?? newest)
  const after = nearestVersion(having(target), wanted ?? traced ?? newest)
  const versions = { name: framework.name, ...(traced === undefined ? {} : { traced }), before, after }
  return new Recordings(versions, framework, target)
}
