/**
 * Operations as flat rows for analysis with DuckDB, ClickHouse or Spark: newline-delimited JSON or Parquet.
 * Schema: schemas/audit-row-1.schema.json, which is published with the package.
 */
import { checkMade } from '../../ground/arguments.js'
import type { AuditedOperation, Status, Verdict } from '../compare/differ.js'
import type { Impact } from '../compare/outcome.js'
import { outcomeText } from '../render/words.js'
import { abridgeOutcome, callText } from './finding.js'

/** One operation of an audit. Times are seconds of the trace. */
export interface OperationRow {
  readonly line: number
  readonly t: number
  readonly client: string
  readonly call: string
  /** The call as Python text, shortened. */
  readonly text: string
  /** The place in the application (`at` is a keyword of SQL). */
  readonly place: string | null
  /** The first key that the call touches. */
  readonly key: string | null
  readonly keys: number
  readonly status: Status
  readonly impact: Impact
  /** Switches that explain it, those that change the outcome first; joined by a blank. */
  readonly switches: string
  readonly python_memcached: string
  readonly pylibmc: string
  /** The key is on another server under pylibmc's placement. */
  readonly moved: boolean
}

/** Columns of a row in their order, with their types in Parquet. */
export const rowColumns = [
  ['line', 'INT64'],
  ['t', 'DOUBLE'],
  ['client', 'STRING'],
  ['call', 'STRING'],
  ['text', 'STRING'],
  ['place', 'STRING'],
  ['key', 'STRING'],
  ['keys', 'INT32'],
  ['status', 'STRING'],
  ['impact', 'STRING'],
  ['switches', 'STRING'],
  ['python_memcached', 'STRING'],
  ['pylibmc', 'STRING'],
  ['moved', 'BOOLEAN'],
] as const satisfies readonly (readonly [keyof OperationRow, string])[]

/** The arguments of an audit's hook `onOperation` as a row. */
export function operationRow(operation: AuditedOperation, verdict: Verdict): OperationRow {
  checkMade('operation', operation, 'the audit', ['call', 'args', 'kwargs', 'compat', 'strict'])
  checkMade('verdict', verdict, 'the audit', ['explanations'])
  const { line, t, client, call, args, kwargs, at, keys, compat, strict, moved } = operation
  const changing = verdict.explanations.filter(({ impact }) => impact !== 'state')
  const hidden = verdict.explanations.filter(({ impact }) => impact === 'state')
  return {
    line,
    t,
    client,
    call,
    text: callText(call, args, kwargs),
    place: at ?? null,
    key: keys[0] === undefined ? null : Buffer.from(keys[0], 'latin1').toString('utf8'),
    keys: keys.length,
    status: verdict.status,
    impact: verdict.impact,
    switches: [...changing, ...hidden].map((explanation) => explanation.switch).join(' '),
    python_memcached: outcomeText(abridgeOutcome(compat)),
    pylibmc: outcomeText(abridgeOutcome(strict)),
    moved: moved ?? false,
  }
}
