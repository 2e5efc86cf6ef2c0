/** memshim/audit: replay a trace through both clients and report what would change. */
export { audit } from './audit.js'
export { type AuditedClient, invoke } from './calls.js'
export { type Constructed, type ConstructOptions, construct } from './construct.js'
export type { Explanation, Status } from './differ.js'
export { type SwitchInfo, signatureSwitches } from './divergence.js'
export { exitCodes, failures } from './exit.js'
export type { Fidelity, FidelityFinding } from './fidelity.js'
export { type FrameworkReport, type FrameworkVersions, knownFrameworks } from './frameworks/index.js'
export { type AuditOptions, AuditOptionsError, type Progress } from './options.js'
export { type Impact, impacts, type Outcome, type Raised, raised, returned, sameOutcome } from './outcome.js'
export { knownPresets, knownSwitches } from './presets.js'
export type { Library, LibraryName, PythonCall } from './python-signatures.js'
export { renderHtml } from './render/html.js'
export { renderJson } from './render/json.js'
export { renderTerminal, type TerminalOptions } from './render/terminal.js'
export type { Finding, Report, RiskRow, SwitchRow, Tally, Verification } from './report.js'
export { readScenario, scenarioTrace } from './scenario.js'
export {
  type CallEvent,
  type FaultEvent,
  type NewEvent,
  type Trace,
  type TracedServer,
  TraceError,
  type TraceEvent,
  type TraceHeader,
  traceFormat,
  type WireEvent,
} from './trace.js'
export { readTrace, traceOf, writeTrace } from './trace-file.js'
export { expandPatterns, mergeTraces, readTraces } from './traces/merged.js'
export { type FoundOutage, type Outage, type OutageEffect, parseOutage } from './traces/outages.js'
export { memshimVersion } from './version.js'
