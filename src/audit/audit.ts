/**
 * The audit: replays a trace through the compat client and the strict client, compares them operation by operation, and
 * reports the differences.
 */

import { reportOf } from './assembled-report.js'
import { collectorsOf, visitorOf } from './collectors.js'
import { verify } from './compare/verify.js'
import { backendNote } from './frameworks/backend.js'
import type { AuditOptions, Progress } from './options.js'
import { switchableFindings } from './pymemcache/switched.js'
import { run } from './replay/run.js'
import type { Report } from './report/report.js'
import type { ReportBuilder } from './report/report-builder.js'
import { type AuditSetup, setupOf, taskOf, threadsOf } from './setup.js'
import { surveyOf } from './traces/survey.js'
import { recordingNotes, type Trace, TraceError } from './traces/trace.js'

/** @param leftOut the first line that was left out, if any */
function emptyTrace(leftOut: string | undefined): string {
  const why = leftOut ?? 'was the tracer installed before the application made its calls?'
  return `has no operation that could be compared: ${why}`
}

/** @throws TraceError for a wrong or empty trace; AuditOptionsError; errors of starting or reaching servers */
export async function audit(given: Trace, asked: AuditOptions = {}): Promise<Report> {
  const started = Date.now()
  const setup = setupOf(given, asked)
  const { trace, options } = setup
  const results = collectorsOf(setup)
  addNotes(setup, results.builder)
  const survey = await surveyOf(trace)
  const task = taskOf(setup, survey, started)
  const running = {
    real: options.servers,
    apart: !setup.pymemcache && threadsOf(trace, survey, options) === 2,
    signal: options.signal,
  }
  const progress = (phase: Progress['phase'], operations: number, t: number) =>
    options.onProgress?.({
      phase,
      operations,
      t,
      ...(survey ? { share: Math.min(1, operations / Math.max(1, survey.events)) } : {}),
    })

  await run(trace, task, running, visitorOf(setup, results, progress))
  const { seen, suspects } = results
  if (seen.calls === 0) throw new TraceError(trace.name, 0, undefined, emptyTrace(seen.leftOut))
  const verification = options.verify
    ? await verify(
        suspects,
        (switches, visit) => {
          let operations = 0
          return run(trace, { ...task, switches }, running, {
            ...visit,
            operation(operation) {
              visit.operation(operation)
              progress('verify', ++operations, operation.t)
            },
          })
        },
        setup.between,
      )
    : undefined
  return reportOf(setup, results, started, verification)
}

/** Notes that are known before the replay. */
function addNotes(
  { trace, backend, options, pymemcache, isTwice }: AuditSetup,
  builder: ReportBuilder,
): void {
  for (const note of recordingNotes(trace.header)) builder.note(note, 1)
  if (backend) builder.note(backendNote(backend, options), 1)
  for (const note of pymemcacheNotes(options, pymemcache && !isTwice)) builder.note(note, 1)
}

function pymemcacheNotes(
  { targetOptions, verify: isVerified }: AuditOptions,
  hasSwitches: boolean,
): readonly string[] {
  const notes: string[] = []
  if (targetOptions?.key_prefix)
    notes.push(
      'key_prefix is taken for bytes: with text as its key_prefix every call of a HashClient raises TypeError',
    )
  if (isVerified && hasSwitches)
    notes.push(
      `explanations by ${[...switchableFindings].join(', ')} were verified; the other explanations have no switch that a replay could turn off`,
    )
  return notes
}
