/** Collects a report operation by operation, so that a long trace needs memory only for its differences. */

import type { AuditedOperation, Verdict } from '../compare/differ.js'
import type { SwitchInfo } from '../compare/divergence.js'
import { endsProcess, type Impact, impacts } from '../compare/outcome.js'
import { type RiskName, riskText } from '../compare/risks.js'
import { Course } from './course.js'
import { finding } from './finding.js'
import { PlacementCount } from './placement-count.js'
import { type Finding, type Report, reportFormat, type SwitchRow } from './report.js'
import { type Counts, zeroCounts } from './tally.js'

/** Findings kept for every switch; all others are counted. */
const examplesPerSwitch = 8
const callSitesPerSwitch = 12
const examplesPerRisk = 4
/** Unexplained findings kept. */
const unexplainedKept = 1000

interface SwitchCounts {
  count: number
  direct: number
  outcomes: number
  impacts: Partial<Record<Impact, number>>
  callSites: Map<string, number>
  examples: Example[]
}

interface Example {
  /** Rank of its impact in the order of severity. */
  readonly weight: number
  readonly kind: string
  readonly finding: Finding
}

/** Everything that is counted while a trace runs. */
export class ReportBuilder {
  readonly totals = zeroCounts()
  private readonly impacts: Partial<Record<Impact, number>> = {}
  private readonly switches = new Map<string, SwitchCounts>()
  private readonly callSites = new Map<
    string,
    Counts & { raises?: number; switches: Record<string, number> }
  >()
  private readonly methods = new Map<string, Counts & { switches: Record<string, number> }>()
  private readonly unexplained: Finding[] = []
  private readonly notes = new Map<string, { count: number; line: number }>()
  private readonly course = new Course()
  private readonly placement = new PlacementCount()
  private readonly risks = new Map<RiskName, { count: number; examples: Finding[] }>()

  add(operation: AuditedOperation, verdict: Verdict): void {
    count(this.totals, verdict)
    countSwitches(row(this.methods, operation.call), verdict)
    if (operation.at !== undefined) {
      const site = row(this.callSites, operation.at)
      countSwitches(site, verdict)
      site.raises = (site.raises ?? 0) + (verdict.status !== 'same' && verdict.impact === 'raises' ? 1 : 0)
    }
    this.course.add(verdict.status, operation.t)
    this.placement.add(operation)
    for (const gap of operation.gaps) this.note(gap.text, operation.line)
    if (operation.negativeTime) this.risk('documented-negative-timeout', () => finding(operation, verdict))
    if (!operation.uncertain && endsProcess(operation.strict))
      this.risk('process-ends', () => finding(operation, verdict))
    if (operation.uncertain) this.risk('out-of-step', () => finding(operation, verdict))
    if (verdict.status === 'same') return
    const { impact } = verdict
    this.impacts[impact] = (this.impacts[impact] ?? 0) + 1
    if (verdict.status === 'unexplained' && this.unexplained.length < unexplainedKept) {
      this.unexplained.push(finding(operation, verdict))
    }
    for (const explanation of verdict.explanations) this.addToSwitch(explanation, operation, verdict)
  }

  private addToSwitch(
    { switch: name, how, impact }: Verdict['explanations'][number],
    operation: AuditedOperation,
    verdict: Verdict,
  ): void {
    let counts = this.switches.get(name)
    if (!counts) {
      counts = { count: 0, direct: 0, outcomes: 0, impacts: {}, callSites: new Map(), examples: [] }
      this.switches.set(name, counts)
    }
    counts.count++
    if (how !== 'inherited') counts.direct++
    if (impact !== 'state') counts.outcomes++
    counts.impacts[impact] = (counts.impacts[impact] ?? 0) + 1
    if (operation.at !== undefined)
      counts.callSites.set(operation.at, (counts.callSites.get(operation.at) ?? 0) + 1)
    keepExample(counts.examples, impact, operation, verdict)
  }

  /** @param example gives its readable form; only the first ones are kept */
  risk(name: RiskName, example: () => Finding): void {
    const known = this.risks.get(name) ?? { count: 0, examples: [] }
    this.risks.set(name, known)
    known.count++
    if (known.examples.length < examplesPerRisk) known.examples.push(example())
  }

  note(text: string, line: number): void {
    const known = this.notes.get(text)
    if (known) known.count++
    else this.notes.set(text, { count: 1, line })
  }

  build(
    rest: Pick<
      Report,
      | 'memshim'
      | 'trace'
      | 'settings'
      | 'fidelity'
      | 'timing'
      | 'verification'
      | 'foundOutages'
      | 'supposedOutages'
      | 'estimates'
      | 'analyses'
      | 'hotKeys'
    >,
    known: readonly SwitchInfo[],
  ): Report {
    const { verification, ...others } = rest
    const placement = this.placement.result(rest.trace?.servers ?? 0)
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
      ...(placement ? { placement } : {}),
      risks: [...this.risks].map(([name, found]) => ({ ...riskText(name, rest.settings.to), ...found })),
      unexplained: this.unexplained,
      unexplainedBeyond: this.totals.unexplained - this.unexplained.length,
      ...(verification ? { verification } : {}),
      notes: [...this.notes].map(([text, note]) => ({ text, ...note })).sort((a, b) => b.count - a.count),
    }
  }
}

function count(counts: Counts, { status }: Verdict): void {
  counts.operations++
  counts[status]++
}

function countSwitches(counts: Counts & { switches: Record<string, number> }, verdict: Verdict): void {
  count(counts, verdict)
  const { switches } = counts
  // One is called 'constructor', as a member of every object is.
  for (const { switch: name } of verdict.explanations)
    switches[name] = (Object.hasOwn(switches, name) ? switches[name]! : 0) + 1
}

function row<Row extends Counts>(table: Map<string, Row>, name: string): Row {
  let found = table.get(name)
  if (!found) {
    found = { ...zeroCounts(), switches: {} } as unknown as Row
    table.set(name, found)
  }
  return found
}

/**
 * Keeps different examples, the most serious first: at most two of the same method with the same impact for the same reason. A more serious
 * example replaces the least serious one.
 */
function keepExample(
  examples: Example[],
  impact: Impact,
  operation: AuditedOperation,
  verdict: Verdict,
): void {
  const weight = impacts.indexOf(impact)
  const last = examples.at(-1)
  if (last && examples.length >= examplesPerSwitch && last.weight <= weight) return
  const kind = kindOf(operation.call, verdict)
  if (examples.filter((known) => known.kind === kind).length >= 2) return
  const place = examples.findIndex((known) => known.weight > weight)
  examples.splice(place < 0 ? examples.length : place, 0, {
    weight,
    kind,
    finding: finding(operation, verdict),
  })
  if (examples.length > examplesPerSwitch) examples.pop()
}

function kindOf(method: string, { impact, explanations }: Pick<Verdict, 'impact' | 'explanations'>): string {
  return `${method} ${impact} ${explanations.map((explanation) => explanation.switch + explanation.how).join()}`
}

function switchRow(name: string, counts: SwitchCounts, known: readonly SwitchInfo[]): SwitchRow {
  const info = known.find((info) => info.name === name) ?? {
    name,
    title: name,
    pythonMemcached: '',
    pylibmc: '',
    advice: '',
  }
  const { callSites, examples, ...numbers } = counts
  return {
    ...info,
    switch: name,
    ...numbers,
    inherited: counts.count - counts.direct,
    examples: examples.map((example) => example.finding),
    callSites: [...callSites]
      .map(([at, count]) => ({ at, count }))
      .sort((a, b) => b.count - a.count)
      .slice(0, callSitesPerSwitch),
  }
}

/** Sorts by the worst impact of a switch in this trace, then by the number of operations. */
function bySeriousness(a: SwitchRow, b: SwitchRow): number {
  return worst(a) - worst(b) || b.count - a.count || (a.name < b.name ? -1 : 1)
}

function worst(row: SwitchRow): number {
  const found = impacts.findIndex((impact) => (row.impacts[impact] ?? 0) > 0)
  return found < 0 ? impacts.length : found
}
