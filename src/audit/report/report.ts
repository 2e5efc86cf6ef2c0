/** The report model: plain JSON with a version, the input of all renderers. */
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

/** @throws TypeError for a value that is not a `Report` of this version */
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

/** One switch of the report, with the number of operations that it changed. */
export interface SwitchRow extends SwitchInfo {
  /** The same as `name`. */
  readonly switch: string
  /** Operations that this switch explains, announced or inherited. */
  readonly count: number
  /** The operations for which the compat client announced it (or the signature shows it). */
  readonly direct: number
  /** The operations that differ because of an earlier one. */
  readonly inherited: number
  /** The operations whose outcome differs; the others only store or place an item differently. */
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
  /** Operations that raise only in the target library; absent in reports of older versions. */
  readonly raises?: number | undefined
  readonly switches: Readonly<Record<string, number>>
}

export interface MethodRow extends Tally {
  readonly method: string
  readonly switches: Readonly<Record<string, number>>
}

/** An outcome that must not be relied on, with the number of operations of the trace. */
export interface RiskRow extends RiskText {
  readonly count: number
  readonly examples: readonly Finding[]
}

export interface NoteRow {
  readonly text: string
  readonly count: number
  /** The line of its first operation. */
  readonly line: number
}

/** The result of an audit (docs/audit.md). */
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
    /** The two libraries that are compared, e.g. `python-memcached-1.59` and `pylibmc-1.6.3`. */
    readonly from: string
    readonly to: string
    readonly servers: string
    readonly behaviors: Readonly<Record<string, unknown>>
    readonly negativeTimeout: string
    /** Keywords of the clients, if pymemcache is the target. */
    readonly options?: Readonly<Record<string, string | number | boolean | null>>
  }
  readonly totals: Tally
  readonly impacts: Readonly<Partial<Record<Impact, number>>>
  /** Most serious first, in the order in which a migrating team should work on them. */
  readonly switches: readonly SwitchRow[]
  /** Most differences first. */
  readonly callSites: readonly CallSiteRow[]
  readonly methods: readonly MethodRow[]
  /** The trace in order, divided into parts of `stretch` operations (the last may be shorter). */
  readonly course: {
    readonly stretch: number
    readonly tallies: readonly Tally[]
    /** The beginning of each part, in seconds of the trace. */
    readonly times?: readonly number[]
  }
  /** Estimates of the whole, if the trace holds only a part of the keys. */
  readonly estimates?: Estimates
  /** The servers of keys under both placements; absent with one server. */
  readonly placement?: PlacementReport
  /** The effect of the `outages` of the options. */
  readonly supposedOutages?: OutageEffect
  /** Servers that seem to have been down while the trace was recorded. */
  readonly foundOutages: readonly FoundOutage[]
  /** The application's use of its cache, most serious first (docs/audit.md#analyses). Reports of older versions have none. */
  readonly analyses?: readonly Analysis[] | undefined
  /** Keys with at least 0.5 % of all accesses, most used first. */
  readonly hotKeys?: readonly HotKey[] | undefined
  /** Outcomes that are equal or unknown, and must not be relied on. */
  readonly risks: readonly RiskRow[]
  readonly unexplained: readonly Finding[]
  /** The number of operations that are not listed in `unexplained`. */
  readonly unexplainedBeyond: number
  /** The agreement of the emulation with the recorded outcomes. */
  readonly fidelity: Fidelity
  readonly verification?: Verification
  /** The differences that reach the application; absent without frameworks in the trace. */
  readonly frameworks?: FrameworkReport
  /** Calls that the replay left out or changed. */
  readonly notes: readonly NoteRow[]
  readonly timing: {
    readonly started: string
    readonly seconds: number
    readonly operationsPerSecond: number
  }
}

/** The result of further replays with exactly the named switches off: whether the differences disappear. */
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
