/**
 * Applications that were really switched (`fixtures/record/applications/switched_applications.py`), held against what the audit of their traces predicts.
 *
 * A step (a request, or one thing that a script does) is compared call by call for as long as both runs make the same calls. Where pylibmc's
 * answer or exception takes the application another way, the rest of the step has nothing to be compared with, and keys that it touched on
 * either side are left out until a later call of both runs stores or deletes them again.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { AuditedOperation, Verdict } from '../../../src/audit/compare/differ.js'
import { type AuditOptions, audit, type Outcome, readTrace } from '../../../src/audit/index.js'
import type { TypedJson } from '../../../src/values/index.js'
import { agrees } from '../audit/calling-forms.js'
import { fixtures } from '../support/recordings.js'

interface RecordedCall {
  readonly step: string | null
  readonly call: string
  /** null: the method does not exist, so its arguments are not known. */
  readonly args: readonly TypedJson[] | null
  readonly kwargs: Readonly<Record<string, TypedJson>> | null
  readonly outcome: Outcome | { readonly dies: true }
}

type Answers = readonly (readonly [string, string])[]

/** What an application did on the other library. */
export interface SwitchedRun {
  readonly calls: readonly RecordedCall[]
  readonly answers: Answers
}

interface SwitchedApplication {
  readonly answers: Readonly<Record<'source' | 'text' | 'binary', Answers>>
  readonly calls: Readonly<Record<'text' | 'binary', readonly RecordedCall[]>>
}

export type Protocol = 'text' | 'binary'

interface Predicted {
  readonly operation: AuditedOperation
  readonly verdict: Verdict
}

/** What became of one application's predictions. */
export interface Comparison {
  right: number
  readonly wrong: { step: string; call: string; predicted: Outcome; real: RecordedCall['outcome'] }[]
  /** Calls that the audit says it cannot tell: the connection is out of step after a key with a blank. */
  uncertain: number
  /** Calls after the application took another way, and calls on keys that such calls touched. */
  afterDivergence: number
  /** Steps that pylibmc's outcomes led another way. */
  diverged: number
  readonly steps: number
  /** Steps in which a call raises only on the other library: as the audit predicts them, as they are, and those of both. */
  readonly raising: { readonly predicted: number; readonly real: number; readonly both: number }
  /** Steps that took another way for no reason that the report gives. */
  readonly missed: string[]
  /** Steps that began with another call although no call of them was predicted to differ: an earlier step that took another way is the likely reason. */
  readonly followed: string[]
  /** Calls whose outcomes differ for no reason that the report gives. */
  readonly unexplained: string[]
}

/** The recording has each long text once, under the number that stands in its place, and is compressed twice. */
export function readSwitched(): Readonly<Record<string, SwitchedApplication>> {
  const path = join(fixtures, 'vectors', 'switched-applications.json.gz')
  const { applications, values } = JSON.parse(gunzipSync(gunzipSync(readFileSync(path))).toString('utf8'))
  const unpacked = (found: unknown): unknown => {
    if (typeof found !== 'object' || found === null) return found
    if (Array.isArray(found)) return found.map(unpacked)
    if ('$value' in found) return values[found.$value as number]
    return Object.fromEntries(Object.entries(found).map(([name, item]) => [name, unpacked(item)]))
  }
  return unpacked(applications) as Readonly<Record<string, SwitchedApplication>>
}

export function compareSwitched(
  name: string,
  application: SwitchedApplication,
  protocol: Protocol,
): Promise<Comparison> {
  const run = { calls: application.calls[protocol], answers: application.answers[protocol] }
  return compareRun(join('switched', `${name}.jsonl.gz`), run, { binary: protocol === 'binary' })
}

/** @param path of the trace of the application on its own library, in fixtures/applications */
export async function compareRun(
  path: string,
  { calls, answers }: SwitchedRun,
  options: AuditOptions,
): Promise<Comparison> {
  const predicted = new Map<string, Predicted[]>()
  const unexplained: string[] = []
  const steps = new Set(answers.map(([step]) => step))
  const trace = await readTrace(join(fixtures, 'applications', path))
  await audit(trace, {
    ...options,
    // The other library takes the place of the client, below the framework.
    framework: 'none',
    serverVersion: '1.6.18',
    longestWait: 60_000,
    onOperation: (operation, verdict) => {
      if (verdict.status === 'unexplained') unexplained.push(`${operation.at}: ${operation.call}`)
      const step = steps.has(operation.at ?? '') ? operation.at! : ''
      predicted.set(step, [...(predicted.get(step) ?? []), { operation, verdict }])
    },
  })
  const real = new Map<string, RecordedCall[]>()
  // The audit tells of a constructor only when the library refuses it.
  const accepted = ({ call, outcome }: RecordedCall) => call === 'Client' && 'result' in outcome
  for (const row of calls.filter((row) => !accepted(row)))
    real.set(row.step ?? '', [...(real.get(row.step ?? '') ?? []), row])
  const unknown = new UnknownKeys()
  const found: Comparison = {
    right: 0,
    wrong: [],
    uncertain: 0,
    afterDivergence: 0,
    diverged: 0,
    steps: predicted.size,
    raising: noSteps,
    missed: [],
    followed: [],
    unexplained,
  }
  const raising = { ...noSteps }
  const toPylibmc = options.to === undefined || options.to.startsWith('pylibmc')
  let behind = false
  for (const [step, operations] of predicted) {
    const rows = real.get(step) ?? []
    let foretold = false
    const predictedToRaise = operations.some(({ verdict }) => raisesOnly(verdict))
    const sourceRaises = operations.filter(({ operation }) => 'raises' in operation.compat).length
    const raises = rows.filter(({ outcome }) => 'raises' in outcome).length > sourceRaises
    if (predictedToRaise) raising.predicted++
    if (raises) raising.real++
    if (predictedToRaise && raises) raising.both++
    let i = 0
    for (; i < operations.length && i < rows.length; i++) {
      const { operation, verdict } = operations[i]!
      const row = rows[i]!
      if (!sameCall(operation, row)) break
      const { recorded, compat, uncertain, call } = operation
      // Where the trace does not repeat, the report says so (fidelity).
      const faithful = recorded === undefined || agrees(call, compat, recorded)
      foretold ||= verdict.status === 'differs' || uncertain === true || !faithful
      if (unknown.has(operation)) {
        found.afterDivergence++
        foretold = true
        unknown.overwritten(operation)
      } else if (agrees(operation.call, operation.strict, row.outcome)) found.right++
      else if (operation.uncertain) found.uncertain++
      // Whether pylibmc's connection is behind depends on calls on keys with blanks that only one of the two runs made.
      else if (behind && operation.keys.some(hasBlank)) found.afterDivergence++
      else
        found.wrong.push({
          step,
          call: `${operation.call} ${JSON.stringify(operation.args).slice(0, 200)} ${JSON.stringify(operation.kwargs)}`,
          predicted: operation.strict,
          real: row.outcome,
        })
    }
    if (rows.some(({ outcome }) => 'dies' in outcome)) {
      // The process ended, so that the other steps were not made.
      const made = [...predicted.keys()].indexOf(step)
      const others = [...predicted.values()].slice(made + 1).flat()
      found.afterDivergence += operations.length - i + others.length
      break
    }
    if (i === operations.length && i === rows.length) continue
    // A step that begins with another call follows from what an earlier step left behind, e.g. a session that was not closed.
    // A constructor that is refused has no row in the recording.
    const next = operations[i]
    if (next?.operation.call === 'Client' && next.verdict.status === 'differs') foretold = true
    if (!foretold && i === 0 && found.diverged > 0) {
      found.followed.push(step)
      foretold = true
    }
    found.diverged++
    if (!foretold) found.missed.push(step)
    for (const { operation } of operations.slice(i)) {
      found.afterDivergence++
      unknown.add(operation.keys)
      behind ||= toPylibmc && operation.keys.some(hasBlank)
    }
    for (const row of rows.slice(i)) {
      unknown.add(keysOf(row))
      behind ||= toPylibmc && keysOf(row).some(hasBlank)
    }
  }
  return { ...found, raising }
}

/**
 * The most steps of an application's run that may begin with another call without a prediction, each seen to follow from an
 * earlier step: a basket and visits whose session the other library did not store, timeouts of items that were not there, and calls of methods that the
 * source does not have, which its trace cannot show.
 */
const FOLLOWED: Readonly<Record<string, number>> = { shop: 1, site: 2, gateway: 6, visits: 13 }

/** @param title of a run, which begins with the name of the application */
export function followedTooOften(title: string, { followed }: Comparison): readonly string[] {
  return followed.length > (FOLLOWED[title.split(' ')[0]!] ?? 0) ? followed : []
}

const noSteps = { predicted: 0, real: 0, both: 0 }

function raisesOnly(verdict: Verdict): boolean {
  return verdict.status !== 'same' && verdict.impact === 'raises'
}

function sameCall(operation: AuditedOperation, row: RecordedCall): boolean {
  if (operation.call !== row.call) return false
  if (row.args === null || operation.call === 'Client') return true
  const { args } = row
  return (
    operation.args.length === args.length &&
    // A CAS unique is another one on another server.
    operation.args.every((value, i) => (row.call === 'cas' && i === 2) || sameArgument(value, args[i]!)) &&
    Object.keys(operation.kwargs).join() === Object.keys(row.kwargs ?? {}).join()
  )
}

/** The tracer and the recorder write some arguments differently: what can be read once only, and containers of objects. */
function sameArgument(a: TypedJson, b: TypedJson): boolean {
  const opaque = (value: TypedJson) =>
    typeof value === 'object' &&
    value !== null &&
    ['$iterator', '$view', '$pickle', '$unpicklable'].some((tag) => tag in value)
  return opaque(a) || opaque(b) || (isDate(a) && isDate(b)) || written(a) === written(b)
}

/** Without the exceptions of values that cannot be pickled, which only traces have. */
function written(value: TypedJson): string {
  return JSON.stringify(value, (name, part) => (name.startsWith('$raises') ? undefined : part))
}

/** Expiration as a date, which depends on when the application ran. */
function isDate(value: TypedJson): boolean {
  return typeof value === 'number' && value > 1.7e9 && value < 2 ** 31 - 1
}

const hasBlank = (key: string): boolean => key.includes(' ')

/** The keys of a call that only the real run made. Key prefixes and keys of other types do not occur after a step that took another way. */
function keysOf({ args }: RecordedCall): string[] {
  const [first] = args ?? []
  if (typeof first === 'string') return [first]
  if (Array.isArray(first)) return first.filter((key): key is string => typeof key === 'string')
  return typeof first === 'object' && first !== null ? Object.keys(first) : []
}

/** Keys whose items are not the same in the application's run and in the audit's replay. */
class UnknownKeys {
  private readonly keys = new Set<string>()

  has({ keys, call }: AuditedOperation): boolean {
    return call !== 'flush_all' && keys.some((key) => this.keys.has(key))
  }

  add(keys: readonly string[]): void {
    for (const key of keys) this.keys.add(key)
  }

  /** set and delete say what is there from now on, whatever was there before. */
  overwritten({ call, keys }: AuditedOperation): void {
    if (call === 'set' || call === 'delete') for (const key of keys) this.keys.delete(key)
  }
}
