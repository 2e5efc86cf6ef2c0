/**
 * The report model: plain JSON, versioned, everything the renderers show. Collected operation by operation, so that a
 * long trace needs memory only for its differences.
 */
import type { TypedJson } from '../values/index.js'
import { abridge, pythonText } from './abridge.js'
import type { Operation, Verdict } from './differ.js'
import type { SwitchInfo } from './divergence.js'
import type { Fidelity } from './fidelity.js'
import { type Impact, impacts, type Outcome } from './outcome.js'

export const reportFormat = 'memshim-audit/1'

/** One operation that differs, abridged for reading. */
export interface Finding {
  readonly line: number
  readonly t: number
  readonly client: string
  /** `set('k', 1, -1)` */
  readonly call: string
  readonly at?: string
  readonly compat: Outcome
  readonly strict: Outcome
  readonly impact: Impact
  readonly explanations: Verdict['explanations']
}

export interface SwitchRow extends SwitchInfo {
  /** The same as `name`. */
  readonly switch: string
  /** Operations that this switch explains, announced or inherited. */
  readonly count: number
  /** Of these, operations for which the compat client announced it (or the signature shows it). */
  readonly direct: number
  /** Of these, operations that differ because of an earlier one. */
  readonly inherited: number
  /** Of these, operations whose outcome differs now; the rest leave something different behind. */
  readonly outcomes: number
  readonly impacts: Readonly<Partial<Record<Impact, number>>>
  readonly callSites: readonly { readonly at: string; readonly count: number }[]
  readonly examples: readonly Finding[]
}

export interface Tally {
  readonly operations: number
  readonly same: number
  readonly announced: number
  readonly differs: number
  readonly unexplained: number
}

export interface CallSiteRow extends Tally {
  readonly at: string
  readonly switches: Readonly<Record<string, number>>
}

export interface MethodRow extends Tally {
  readonly method: string
  readonly switches: Readonly<Record<string, number>>
}

export interface NoteRow {
  readonly text: string
  readonly count: number
  /** Where it was first. */
  readonly line: number
}

export interface Report {
  readonly format: typeof reportFormat
  readonly memshim: string
  readonly trace: {
    readonly name: string
    readonly source?: string
    readonly library: string
    readonly version: string
    readonly recorded?: string
    readonly servers: number
    readonly clients: number
    readonly faults: number
    /** Seconds of the application's time. */
    readonly seconds: number
  }
  readonly settings: {
    readonly preset: string
    readonly servers: string
    readonly behaviors: Readonly<Record<string, unknown>>
    readonly negativeTimeout: string
  }
  readonly totals: Tally
  readonly impacts: Readonly<Partial<Record<Impact, number>>>
  /** Most serious first: what a migrating team should look at in this order. */
  readonly switches: readonly SwitchRow[]
  /** Most differences first. */
  readonly callSites: readonly CallSiteRow[]
  readonly methods: readonly MethodRow[]
  /** The trace in order, cut into stretches of `stretch` operations (the last may be shorter). */
  readonly course: { readonly stretch: number; readonly tallies: readonly Tally[] }
  readonly unexplained: readonly Finding[]
  /** More than listed in `unexplained`. */
  readonly unexplainedBeyond: number
  /** How closely the emulation repeated what the original library had done. */
  readonly fidelity: Fidelity
  readonly verification?: Verification
  /** What the replay had to leave out or change. */
  readonly notes: readonly NoteRow[]
  readonly timing: {
    readonly started: string
    readonly seconds: number
    readonly operationsPerSecond: number
  }
}

/** The counterfactual: with exactly the named switches off, does the difference disappear? */
export interface Verification {
  readonly sets: readonly {
    readonly switches: readonly string[]
    readonly operations: number
    readonly confirmed: number
    readonly refuted: readonly Finding[]
  }[]
  readonly operations: number
  readonly confirmed: number
  /** Operations in sets beyond the number that was tried. */
  readonly untried: number
}

/** Findings kept for every switch; all others are counted. */
const examplesPerSwitch = 8
const callSitesPerSwitch = 12
/** Unexplained findings kept. */
const unexplainedKept = 1000

interface Counts {
  operations: number
  same: number
  announced: number
  differs: number
  unexplained: number
}
interface SwitchCounts {
  count: number
  direct: number
  outcomes: number
  impacts: Partial<Record<Impact, number>>
  callSites: Map<string, number>
  examples: Finding[]
}

const zero = (): Counts => ({ operations: 0, same: 0, announced: 0, differs: 0, unexplained: 0 })

/** Counts along the trace in at most `stretches` steps, without knowing its length beforehand. */
class Course {
  private static readonly stretches = 120
  private stretch = 1
  private tallies: Counts[] = []

  add(status: Verdict['status']): void {
    let last = this.tallies.at(-1)
    if (!last || last.operations >= this.stretch) {
      if (this.tallies.length >= Course.stretches) this.halve()
      last = this.tallies.at(-1)
      if (!last || last.operations >= this.stretch) {
        last = zero()
        this.tallies.push(last)
      }
    }
    last.operations++
    last[status]++
  }

  private halve(): void {
    const halved: Counts[] = []
    for (let i = 0; i < this.tallies.length; i += 2) {
      const sum = zero()
      for (const part of this.tallies.slice(i, i + 2)) {
        for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += part[name]
      }
      halved.push(sum)
    }
    this.tallies = halved
    this.stretch *= 2
  }

  result(): Report['course'] {
    return { stretch: this.stretch, tallies: this.tallies }
  }
}

/** Everything that is counted while a trace runs. */
export class ReportBuilder {
  readonly totals = zero()
  private readonly impacts: Partial<Record<Impact, number>> = {}
  private readonly switches = new Map<string, SwitchCounts>()
  private readonly callSites = new Map<string, Counts & { switches: Record<string, number> }>()
  private readonly methods = new Map<string, Counts & { switches: Record<string, number> }>()
  private readonly unexplained: Finding[] = []
  private readonly notes = new Map<string, { count: number; line: number }>()
  private readonly course = new Course()

  add(operation: Operation, verdict: Verdict): void {
    const rows: (Counts & { switches?: Record<string, number> })[] = [
      this.totals,
      row(this.methods, operation.call),
    ]
    if (operation.at !== undefined) rows.push(row(this.callSites, operation.at))
    for (const counts of rows) {
      counts.operations++
      counts[verdict.status]++
      if (!counts.switches) continue
      for (const { switch: name } of verdict.explanations)
        counts.switches[name] = (counts.switches[name] ?? 0) + 1
    }
    this.course.add(verdict.status)
    for (const gap of operation.gaps) this.note(gap.text, operation.line)
    if (verdict.status === 'same') return
    const { impact } = verdict
    this.impacts[impact] = (this.impacts[impact] ?? 0) + 1
    if (verdict.status === 'unexplained' && this.unexplained.length < unexplainedKept) {
      this.unexplained.push(finding(operation, verdict))
    }
    for (const explanation of verdict.explanations) this.addToSwitch(explanation, operation, verdict)
  }

  private addToSwitch(
    { switch: name, how }: Verdict['explanations'][number],
    operation: Operation,
    verdict: Verdict,
  ): void {
    let counts = this.switches.get(name)
    if (!counts) {
      counts = { count: 0, direct: 0, outcomes: 0, impacts: {}, callSites: new Map(), examples: [] }
      this.switches.set(name, counts)
    }
    counts.count++
    if (how !== 'inherited') counts.direct++
    if (verdict.impact !== 'state') counts.outcomes++
    counts.impacts[verdict.impact] = (counts.impacts[verdict.impact] ?? 0) + 1
    if (operation.at !== undefined)
      counts.callSites.set(operation.at, (counts.callSites.get(operation.at) ?? 0) + 1)
    keepExample(counts.examples, operation, verdict)
  }

  note(text: string, line: number): void {
    const known = this.notes.get(text)
    if (known) known.count++
    else this.notes.set(text, { count: 1, line })
  }

  build(
    rest: Pick<Report, 'memshim' | 'trace' | 'settings' | 'fidelity' | 'timing' | 'verification'>,
    known: readonly SwitchInfo[],
  ): Report {
    const { verification, ...others } = rest
    return {
      format: reportFormat,
      ...others,
      totals: this.totals,
      impacts: this.impacts,
      switches: [...this.switches]
        .map(([name, counts]) => switchRow(name, counts, known))
        .sort(bySeriousness),
      callSites: [...this.callSites]
        .map(([at, counts]) => ({ at, ...counts }))
        .filter((site) => site.same < site.operations)
        .sort((a, b) => b.unexplained - a.unexplained || b.differs - a.differs || b.announced - a.announced),
      methods: [...this.methods]
        .map(([method, counts]) => ({ method, ...counts }))
        .sort((a, b) => b.operations - a.operations),
      course: this.course.result(),
      unexplained: this.unexplained,
      unexplainedBeyond: this.totals.unexplained - this.unexplained.length,
      ...(verification ? { verification } : {}),
      notes: [...this.notes].map(([text, note]) => ({ text, ...note })).sort((a, b) => b.count - a.count),
    }
  }
}

function row<Row extends Counts>(table: Map<string, Row>, name: string): Row {
  let found = table.get(name)
  if (!found) {
    found = { ...zero(), switches: {} } as unknown as Row
    table.set(name, found)
  }
  return found
}

/** Different ones: of the same method with the same impact for the same reason, two say enough. */
function keepExample(examples: Finding[], operation: Operation, verdict: Verdict): void {
  if (examples.length >= examplesPerSwitch) return
  const kind = kindOf(operation.call, verdict)
  const alike = examples.filter((known) => kindOf(known.call.split('(', 1)[0] ?? '', known) === kind)
  if (alike.length < 2) examples.push(finding(operation, verdict))
}

function kindOf(method: string, { impact, explanations }: Pick<Verdict, 'impact' | 'explanations'>): string {
  return `${method} ${impact} ${explanations.map((explanation) => explanation.switch + explanation.how).join()}`
}

/** What a reader needs of one operation. */
export function finding(operation: Operation, verdict: Verdict): Finding {
  const { line, t, client, at } = operation
  return {
    line,
    t,
    client,
    call: callText(operation.call, operation.args, operation.kwargs),
    ...(at === undefined ? {} : { at }),
    compat: abridgeOutcome(operation.compat),
    strict: abridgeOutcome(operation.strict),
    impact: verdict.impact,
    explanations: verdict.explanations,
  }
}

export function abridgeOutcome(outcome: Outcome): Outcome {
  if ('result' in outcome) return { result: abridge(outcome.result) }
  const { message } = outcome.raises
  if (message === undefined || message.length <= 300) return outcome
  return { raises: { ...outcome.raises, message: `${message.slice(0, 300)}…` } }
}

export function callText(
  call: string,
  args: readonly TypedJson[],
  kwargs: Readonly<Record<string, TypedJson>>,
): string {
  const words = [
    ...args.map(pythonText),
    ...Object.entries(kwargs).map(([name, value]) => `${name}=${pythonText(value)}`),
  ]
  const text = `${call}(${words.join(', ')})`
  return text.length > 240 ? `${text.slice(0, 240)}…` : text
}

function switchRow(name: string, counts: SwitchCounts, known: readonly SwitchInfo[]): SwitchRow {
  const info = known.find((info) => info.name === name) ?? {
    name,
    title: name,
    pythonMemcached: '',
    pylibmc: '',
    advice: '',
  }
  const { callSites, ...numbers } = counts
  return {
    ...info,
    switch: name,
    ...numbers,
    inherited: counts.count - counts.direct,
    callSites: [...callSites]
      .map(([at, count]) => ({ at, count }))
      .sort((a, b) => b.count - a.count)
      .slice(0, callSitesPerSwitch),
  }
}

/** A switch is as serious as the worst that it does in this trace; then what happens more often comes first. */
function bySeriousness(a: SwitchRow, b: SwitchRow): number {
  return worst(a) - worst(b) || b.count - a.count || (a.name < b.name ? -1 : 1)
}

function worst(row: SwitchRow): number {
  const found = impacts.findIndex((impact) => (row.impacts[impact] ?? 0) > 0)
  return found < 0 ? impacts.length : found
}
