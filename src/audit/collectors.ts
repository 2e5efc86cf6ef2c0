/** The objects that collect the parts of a report while the trace is replayed. */
import { Analyses } from './analyses/index.js'
import { Differ } from './compare/differ.js'
import { FidelityCheck } from './compare/fidelity.js'
import { Suspects } from './compare/verify.js'
import { constructionFinding, lostKeywords } from './frameworks/backend.js'
import { frameworkView } from './frameworks/index.js'
import type { Progress } from './options.js'
import { switchableFindings } from './pymemcache/switched.js'
import { constructorCall, type ReplayVisitor } from './replay/replay.js'
import { versionNote } from './replay/server-version.js'
import { EstimateCount } from './report/estimates.js'
import { finding } from './report/finding.js'
import { ReportBuilder } from './report/report-builder.js'
import type { AuditSetup } from './setup.js'
import { OutageCount, OutageSearch } from './traces/outages.js'

/** The objects that collect the parts of the report during the replay. */
export type Collectors = ReturnType<typeof collectorsOf>

export function collectorsOf({ options, pair, trace, outages, pymemcache, isTwice, between }: AuditSetup) {
  const { source, target } = pair
  const drawn = trace.header.sample ?? 1
  return {
    builder: new ReportBuilder(),
    differ: new Differ({
      negativeTimesAlike: !options.binary && options.negativeTimeout !== 'zero',
      between,
    }),
    fidelity: new FidelityCheck(
      source.name === 'pylibmc' && !pymemcache ? 'strict' : 'compat',
      trace.header.redacted,
    ),
    view: frameworkView(trace.header, options.framework, target.name),
    analyses: new Analyses(target.name),
    estimates: drawn < 1 ? new EstimateCount(drawn) : undefined,
    supposed: outages.length > 0 ? new OutageCount(outages) : undefined,
    search: new OutageSearch(),
    suspects: new Suspects(isTwice ? new Set() : pymemcache ? switchableFindings : undefined),
    seen: { clients: new Set<string>(), faults: 0, t: 0, calls: 0, leftOut: undefined as string | undefined },
  }
}

/** Passes each event of the replay to the collectors. */
export function visitorOf(
  { options, backend, trace, version }: AuditSetup,
  { builder, differ, fidelity, view, analyses, estimates, supposed, search, suspects, seen }: Collectors,
  progress: (phase: Progress['phase'], operations: number, t: number) => void,
): ReplayVisitor {
  return {
    operation(operation) {
      const verdict = differ.judge(operation)
      if (operation.call !== constructorCall) seen.calls++
      builder.add(operation, verdict)
      const note = version && versionNote(operation, trace.header, version)
      if (note) builder.note(note, operation.line)
      view?.add(operation, verdict)
      if (view?.readsNone(operation)) builder.risk('stored-none', () => finding(operation, verdict))
      fidelity.add(operation)
      if (operation.call !== constructorCall) analyses.add(operation)
      estimates?.add(operation, verdict)
      supposed?.add(operation)
      if (seen.faults === 0) search.add(operation, operation.sourceServer)
      if (options.verify) suspects.add(operation, verdict)
      options.onOperation?.(operation, verdict)
      seen.t = operation.t
      progress('replay', builder.totals.operations, operation.t)
    },
    fault(server, line) {
      differ.fault(server, line)
      seen.faults++
    },
    note(text, line, isLeftOut) {
      if (isLeftOut) seen.leftOut ??= `line ${line}: ${text}`
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
}
