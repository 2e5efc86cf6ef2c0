/** memshim/audit: replays a trace through both clients and reports the differences. */
export type { Analysis, AnalysisRow, HotKey, Severity } from './analyses/index.js'
export { audit } from './audit.js'
export { type DifferingRow, knownColumns, knownPresets } from './columns.js'
export type { AuditedOperation, Explanation, Status, Verdict } from './compare/differ.js'
export {
  knownSwitches,
  pymemcacheFindingNames,
  type SwitchInfo,
  signatureSwitches,
} from './compare/divergence.js'
export type { Fidelity, FidelityFinding } from './compare/fidelity.js'
export {
  type Impact,
  impacts,
  type Outcome,
  type Raised,
  raised,
  returned,
  sameOutcome,
} from './compare/outcome.js'
export {
  type FrameworkReport,
  type FrameworkTarget,
  type FrameworkVersions,
  frameworkTarget,
  frameworkTargets,
  knownFrameworks,
} from './frameworks/index.js'
export { type AuditedClient, invoke } from './methods/calls.js'
export { type Constructed, type ConstructOptions, construct } from './methods/constructor/construct.js'
export type { Library, LibraryName, PythonCall } from './methods/python-signatures.js'
export { type AuditOptions, AuditOptionsError, type Progress } from './options.js'
export {
  type PlaceKey,
  type Plan,
  type PlanOptions,
  plan,
  type WayResult,
} from './plan/plan.js'
export { renderPlan } from './plan/render.js'
export type { Minute } from './plan/simulate.js'
export { type MovingKey, type Stage, type Way, type WayInput, ways } from './plan/ways.js'
export { type TargetOptions, targetOptionNames } from './pymemcache/options.js'
export { type Reduced, reduce } from './reduce/reduce.js'
export { reducedScenario, reducedTest, reproPython } from './reduce/repro.js'
export { renderHtml } from './render/html.js'
export { renderJson } from './render/json.js'
export { renderJunit } from './render/junit.js'
export { renderMarkdown } from './render/markdown.js'
export { renderSarif } from './render/sarif.js'
export { renderTerminal, type TerminalOptions } from './render/terminal.js'
export { targetText } from './render/words.js'
export { epochOf } from './replay/clock.js'
export { type NewFinding, newFindings, parseBaseline } from './report/baseline.js'
export { exitCodes, failures } from './report/exit.js'
export type { Finding, Report, RiskRow, SwitchRow, Tally, Verification } from './report/report.js'
export { type OperationRow, operationRow, rowColumns } from './report/rows.js'
export { expandPatterns, type MergeOptions, mergeTraces, readTraces } from './traces/merged.js'
export { type FoundOutage, type Outage, type OutageEffect, parseOutage } from './traces/outages.js'
export { readScenario, scenarioTrace } from './traces/scenario.js'
export type { Survey } from './traces/survey.js'
export {
  type CallEvent,
  type Construction,
  type FaultEvent,
  type NewEvent,
  type Trace,
  type TracedApplication,
  type TracedServer,
  TraceError,
  type TraceEvent,
  type TraceHeader,
  traceFormat,
  type WireEvent,
} from './traces/trace.js'
export { readTrace, traceOf, writeTrace } from './traces/trace-file.js'
export { memshimVersion } from './version.js'
