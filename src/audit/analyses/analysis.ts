/** The use of the cache by an application, counted by kind: the part of a report on the application as a whole. */
import type { AuditedOperation } from '../compare/differ.js'
import type { LibraryName } from '../methods/python-signatures.js'

export const severities = ['problem', 'look', 'fact'] as const
/** `problem`: the calls do not have the intended effect. `look`: check before the migration. `fact`: information only. */
export type Severity = (typeof severities)[number]

/** One kind of use within an analysis. */
export interface AnalysisRow {
  readonly label: string
  readonly severity: Severity
  /** Operations. */
  readonly count: number
  /** Share of the operations of the analysis, from 0 to 1. */
  readonly share: number
  /** Seconds of the trace. */
  readonly first: number
  readonly last: number
  /** Places in the application, most first. */
  readonly callSites: readonly { readonly at: string; readonly count: number }[]
}

/** One section of a report (docs/audit.md#analyses). */
export interface Analysis {
  readonly name: string
  readonly title: string
  /** The worst of its rows. */
  readonly severity: Severity
  /** The number of operations of the analysis. */
  readonly operations: number
  readonly rows: readonly AnalysisRow[]
  readonly advice: string
  /** Relative to the documentation folder, with anchor. */
  readonly docs: string
}

/** An analysis as data. */
export interface AnalysisText {
  readonly name: string
  readonly title: string
  /** Advice for an application that moves to pylibmc. */
  readonly advice: string
  /** Advice for another target, if it differs. */
  readonly elsewhere?: Readonly<Partial<Record<LibraryName, string>>>
  /** Severity by label. Labels without an entry are facts. */
  readonly severity: Readonly<Record<string, Severity>>
  /** Returns the labels of an operation; undefined when the analysis is not about it. */
  readonly labels: (operation: AuditedOperation) => readonly string[] | undefined
}

/** Call sites that are counted for a row, and that are shown. */
const sitesCounted = 1000
const sitesShown = 8

class RowCount {
  count = 0
  last = 0
  private readonly sites = new Map<string, number>()

  constructor(private readonly first: number) {}

  add({ t, at }: AuditedOperation): void {
    this.count++
    this.last = t
    if (at === undefined) return
    const known = this.sites.get(at)
    if (known !== undefined || this.sites.size < sitesCounted) this.sites.set(at, (known ?? 0) + 1)
  }

  result(label: string, severity: Severity, operations: number): AnalysisRow {
    const callSites = [...this.sites].map(([at, count]) => ({ at, count }))
    return {
      label,
      severity,
      count: this.count,
      share: this.count / operations,
      first: this.first,
      last: this.last,
      callSites: callSites.sort((a, b) => b.count - a.count).slice(0, sitesShown),
    }
  }
}

/** Counts one analysis. */
export class AnalysisCount {
  private operations = 0
  private readonly rows = new Map<string, RowCount>()

  constructor(
    private readonly text: AnalysisText,
    private readonly target: LibraryName,
  ) {}

  add(operation: AuditedOperation): void {
    const labels = this.text.labels(operation)
    if (labels === undefined) return
    this.operations++
    for (const label of labels) {
      let row = this.rows.get(label)
      if (!row) {
        row = new RowCount(operation.t)
        this.rows.set(label, row)
      }
      row.add(operation)
    }
  }

  /** Undefined if nothing was found. */
  result(): Analysis | undefined {
    if (this.rows.size === 0) return undefined
    const { name, title, severity, elsewhere } = this.text
    const advice = elsewhere?.[this.target] ?? this.text.advice
    const rows = [...this.rows]
      .map(([label, row]) => row.result(label, severity[label] ?? 'fact', this.operations))
      .sort((a, b) => weight(a) - weight(b) || b.count - a.count)
    const docs = `audit.md#${name}`
    return { name, title, severity: rows[0]!.severity, operations: this.operations, rows, advice, docs }
  }
}

function weight({ severity }: AnalysisRow): number {
  return severities.indexOf(severity)
}
