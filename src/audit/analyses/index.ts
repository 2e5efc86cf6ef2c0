/** The analyses of an audit, counted while it runs. */
import type { AuditedOperation } from '../compare/differ.js'
import type { LibraryName } from '../methods/python-signatures.js'
import { type Analysis, AnalysisCount, severities } from './analysis.js'
import { type HotKey, HotKeys } from './hot-keys.js'
import { analysisTexts } from './texts.js'

export type { Analysis, AnalysisRow, Severity } from './analysis.js'
export type { HotKey } from './hot-keys.js'

export class Analyses {
  private readonly counts: readonly AnalysisCount[]
  private readonly hot = new HotKeys()

  /** @param target the library that the application moves to */
  constructor(target: LibraryName) {
    this.counts = analysisTexts.map((text) => new AnalysisCount(text, target))
  }

  add(operation: AuditedOperation): void {
    for (const count of this.counts) count.add(operation)
    this.hot.add(operation)
  }

  /** The analyses that found something, most serious first. */
  result(): { readonly analyses: readonly Analysis[]; readonly hotKeys: readonly HotKey[] } {
    const analyses = this.counts.flatMap((count) => count.result() ?? [])
    const weight = ({ severity }: Analysis) => severities.indexOf(severity)
    return { analyses: analyses.sort((a, b) => weight(a) - weight(b)), hotKeys: this.hot.result() }
  }
}
