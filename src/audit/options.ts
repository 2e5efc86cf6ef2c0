/** The options of an audit, and the error for a wrong value. */

import type { AuditedOperation, Verdict } from './compare/differ.js'
import type { TargetOptions } from './pymemcache/options.js'
import type { Outage } from './traces/outages.js'

/** Options of an audit. The defaults are those of docs/audit.md. */
export interface AuditOptions {
  /** The preset of the compat client; default: the preset of the trace's own version. */
  readonly preset?: string | undefined
  /**
   * The library that the application moves to, a column of the table of rules: `pylibmc-1.6.3` (default), `pymemcache-4.0.0` or, for a trace of python-memcached, one of
   * its versions (`python-memcached-1.62`). A framework's backend means the client that it constructs: `django-5.1:PyMemcacheCache`. A trace of pylibmc is compared with python-memcached, the version of `preset` or this one.
   */
  readonly to?: string | undefined
  /** The library and version that the application uses, if the trace names another one: `python-memcached-1.58`. */
  readonly from?: string | undefined
  /** Embedded servers for each side; default: as many as the application had. Another number changes the topology. */
  readonly embedded?: number | undefined
  /** The version of memcached that the embedded servers emulate; default: that of the trace, else the newest (docs/reference/servers.md). */
  readonly serverVersion?: string | undefined
  /**
   * Real servers instead of embedded ones: the first half for the compat client, the second half for the strict client.
   * They are flushed. A replay on real servers takes as long as the trace.
   */
  readonly servers?: readonly string[] | undefined
  /** Behaviors for the strict client, by pylibmc's names. */
  readonly behaviors?: Readonly<Record<string, boolean | number | string>> | undefined
  /**
   * The framework view (docs/audit.md): `none` switches it off; a name, or `Django==5.2` with the version that the application will use on
   * pylibmc. Default: the frameworks and versions that the trace names.
   */
  readonly framework?: string | undefined
  /** Options of pymemcache as the target, by its keywords: `{ default_noreply: false, serde: 'pickle_serde', timeout: 3 }`. */
  readonly targetOptions?: TargetOptions | undefined
  /** How the strict client treats negative times (docs/strict.md); default `zero`. */
  readonly negativeTimeout?: 'zero' | 'send' | undefined
  /** Replay once more for every set of switches that was named, with exactly these off, and check the outcomes. */
  readonly verify?: boolean | undefined
  /** Longest wait for an answer in milliseconds, on embedded servers; default 300. */
  readonly longestWait?: number | undefined
  /** Over the binary protocol on pylibmc's side, as `pylibmc.Client(servers, binary=True)`; default false. */
  readonly binary?: boolean | undefined
  /**
   * `unchanged` (default): every call is made on pylibmc as the application makes it, with pylibmc's signatures. `repaired`: calls that
   * pylibmc does not accept are first rewritten into its form, so that a report shows the remaining differences.
   */
  readonly calls?: 'unchanged' | 'repaired' | undefined
  /** Assumed outages of servers, which are faults on both sides. */
  readonly outages?: readonly Outage[] | undefined
  /**
   * Two: pylibmc's side is replayed in a separate thread; the report is the same. For traces from files, without faults, on embedded
   * servers. Default: 2 for a long trace that allows it, else 1.
   */
  readonly threads?: 1 | 2 | undefined
  /** Audits this part of the keys, above 0 and below 1, each with all of its calls; the report has estimates of the whole. */
  readonly sample?: number | undefined
  /** Called for every operation of the replay, in order, with both outcomes and the verdict. */
  readonly onOperation?: ((operation: AuditedOperation, verdict: Verdict) => void) | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** The progress of an audit. */
export interface Progress {
  readonly phase: 'replay' | 'verify'
  readonly operations: number
  /** Seconds of the application's time. */
  readonly t: number
  /** From 0 to 1, of this replay; absent when the length of the trace is not known. */
  readonly share?: number
}

/** Options that do not fit the trace or each other. */
export class AuditOptionsError extends RangeError {
  override readonly name = 'AuditOptionsError'
}
