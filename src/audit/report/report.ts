/** The report model: plain JSON, versioned, everything the renderers show. */
import { shown } from '../../ground/arguments.js'
import type { Analysis, HotKey } from '../analyses/index.js'
import type { Verdict } from '../compare/differ.js'
import type { SwitchInfo } from '../compare/divergence.js'
import type { Fidelity } from '../compare/fidelity.js'
import type { Impact, Outcome } from '../compare/outcome.js'
import type { RiskText } from '../compare/risks.js'
import type { FrameworkReport } from '../frameworks/index.js'
import type { LibraryName } from '../methods/python-signatures.js'
import type { FoundOutage, OutageEffect } from '../traces/outages.js'
import type { Estimates } from './estimates.js'
import type { PlacementReport } from './placement-count.js'

export const reportFormat = 'memshim-audit/1'

/** @throws TypeError for what is no `Report` of this version */
export function checkReport(report: Report): void {
  if ((report as Report | null | undefined)?.format !== reportFormat)
    throw new TypeError(`report is ${shown(report)}, not what audit() returns (format "${reportFormat}")`)
}

/** One operation that differs, abridged for reading. */
export interface Finding {
  readonly line: number
  readonly t: number
  readonly client: string
  /** `set('k', 1, -1)` */
  readonly call: string
  readonly at?: string | undefined
  readonly compat: Outcome
  readonly strict: Outcome
  readonly impact: Impact
  readonly explanations: Verdict['explanations']
}

/** One switch of the report, with how often it made a difference. */
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

/** Counts of operations by how they compare. */
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

/** What must not be relied on, with how often the trace does. */
export interface RiskRow extends RiskText {
  readonly count: number
  readonly examples: readonly Finding[]
}

export interface NoteRow {
  readonly text: string
  readonly count: number
  /** Where it was first. */
  readonly line: number
}

/** What an audit found (docs/audit.md). */
export interface Report {
  readonly format: typeof reportFormat
  readonly memshim: string
  readonly trace: {
    readonly name: string
    readonly source?: string
    readonly library: LibraryName
    readonly version: string
    readonly recorded?: string | undefined
    readonly servers: number
    readonly clients: number
    readonly faults: number
    /** Seconds of the application's time. */
    readonly seconds: number
  }
  readonly settings: {
    readonly preset: string
    /** The two columns that are compared, e.g. `python-memcached-1.59` and `pylibmc-1.6.3`. */
    readonly from: string
    readonly to: string
    readonly servers: string
    readonly behaviors: Readonly<Record<string, unknown>>
    readonly negativeTimeout: string
    /** Of pymemcache as the target: keywords of its clients. */
    readonly options?: Readonly<Record<string, string | number | boolean | null>>
  }
  readonly totals: Tally
  readonly impacts: Readonly<Partial<Record<Impact, number>>>
  /** Most serious first: what a migrating team should look at in this order. */
  readonly switches: readonly SwitchRow[]
  /** Most differences first. */
  readonly callSites: readonly CallSiteRow[]
  readonly methods: readonly MethodRow[]
  /** The trace in order, cut into stretches of `stretch` operations (the last may be shorter). */
  readonly course: {
    readonly stretch: number
    readonly tallies: readonly Tally[]
    /** When each stretch begins, in seconds of the trace. */
    readonly times?: readonly number[]
  }
  /** Of the whole, where the trace holds a part of the keys only. */
  readonly estimates?: Estimates
  /** Where keys are under both placements; absent with one server. */
  readonly placement?: PlacementReport
  /** With `outages`: what they would do. */
  readonly supposedOutages?: OutageEffect
  /** Servers that seem to have been down while the trace was recorded. */
  readonly foundOutages: readonly FoundOutage[]
  /** What the application does with its cache, most serious first (docs/audit.md#analyses). Reports of older versions have none. */
  readonly analyses?: readonly Analysis[] | undefined
  /** Keys with at least 0.5 % of all accesses, most used first. */
  readonly hotKeys?: readonly HotKey[] | undefined
  /** Beside the differences: the same today, or unknown. */
  readonly risks: readonly RiskRow[]
  readonly unexplained: readonly Finding[]
  /** More than listed in `unexplained`. */
  readonly unexplainedBeyond: number
  /** How closely the emulation repeated what the original library had done. */
  readonly fidelity: Fidelity
  readonly verification?: Verification
  /** Which differences reach the application; absent without frameworks in the trace. */
  readonly frameworks?: FrameworkReport
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
