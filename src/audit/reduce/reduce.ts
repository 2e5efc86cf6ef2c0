/** Shrinks a trace to the fewest lines that still show a finding (docs/audit.md#reduce). */
import { shown } from '../../ground/arguments.js'
import { audit } from '../audit.js'
import type { AuditedOperation, Verdict } from '../compare/differ.js'
import { knownSwitches } from '../compare/divergence.js'
import { impacts, type Outcome } from '../compare/outcome.js'
import { type AuditOptions, AuditOptionsError } from '../options.js'
import { constructorCall } from '../replay/replay.js'
import { checkTrace, type Trace, type TraceEvent, type TraceHeader } from '../traces/trace.js'
import { traceOf } from '../traces/trace-file.js'
import { callOfWire } from '../traces/wire/wire.js'
import { minimize } from './minimize.js'

/** A finding with the lines that show it. */
export interface Reduced {
  readonly finding: string
  /** In order; the last one is the call with another outcome. Times are those of the trace if they matter, else small. */
  readonly events: readonly TraceEvent[]
  readonly header: TraceHeader
  readonly operation: AuditedOperation
  readonly verdict: Verdict
  /** Lines before it was reduced. */
  readonly before: number
}

/** Different operations with the same finding that are tried; the shortest result counts. */
const tried = 3

interface Candidate {
  readonly operation: AuditedOperation
  readonly verdict: Verdict
}

/**
 * @param finding name of a switch, `unexplained`, or `line:12`
 * @throws AuditOptionsError for a finding that is not known, that the trace does not have, or that changes no outcome by itself; what
 *   `audit` throws; the reason of the signal
 */
export async function reduce(trace: Trace, finding: string, options: AuditOptions = {}): Promise<Reduced> {
  checkTrace(trace)
  const wanted = finder(finding)
  const events: TraceEvent[] = []
  const library = { name: trace.header.library, version: trace.header.version }
  for await (const event of trace.events()) {
    options.signal?.throwIfAborted()
    if (event.kind !== 'wire') {
      if (event.kind !== 'note') events.push(event)
      continue
    }
    // A command of a capture becomes the call that sent it, because a program makes calls.
    const made = callOfWire(event, library)
    if (!('skipped' in made)) events.push(made)
  }
  const found: Candidate[] = []
  const plain: AuditOptions = { ...options, verify: false, framework: 'none' }
  await audit(traceOf(trace.name, trace.header, events), {
    ...plain,
    onOperation(operation, verdict) {
      if (wanted(operation, verdict)) found.push({ operation, verdict })
    },
  })
  if (found.length === 0)
    throw new AuditOptionsError(
      `${finding}: no call of this trace has another outcome for that reason; memshim audit lists the reasons`,
    )
  let best: Reduced | undefined
  for (const candidate of chosen(found)) {
    const reduced = await shrink(trace, events, candidate, finding, plain)
    if (reduced && (!best || reduced.events.length < best.events.length)) best = reduced
  }
  if (!best) throw new AuditOptionsError(`${finding}: a replay of only these lines does not show it again`)
  return best
}

/** Lines of a finding's name. @throws AuditOptionsError */
function finder(finding: string): (operation: AuditedOperation, verdict: Verdict) => boolean {
  const changes = ({ status }: Verdict) => status === 'differs' || status === 'unexplained'
  const [, line] = /^line:(\d+)$/.exec(String(finding)) ?? []
  if (line !== undefined) return (operation, verdict) => operation.line === Number(line) && changes(verdict)
  if (finding === 'unexplained') return (_operation, verdict) => verdict.status === 'unexplained'
  const names = knownSwitches().map(({ name }) => name)
  if (!names.includes(finding))
    throw new AuditOptionsError(
      `finding ${shown(finding)} is not one of unexplained, line:N, ${names.join(', ')}`,
    )
  return (_operation, verdict) =>
    changes(verdict) &&
    verdict.explanations.some(
      (explanation) => explanation.switch === finding && explanation.impact !== 'state',
    )
}

/** The most serious ones first, those that need no earlier cause before those that do. */
function chosen(found: readonly Candidate[]): readonly Candidate[] {
  const weight = ({ verdict }: Candidate) =>
    impacts.indexOf(verdict.impact) * 2 + Number(verdict.explanations.some(({ how }) => how === 'inherited'))
  return [...found].sort((a, b) => weight(a) - weight(b)).slice(0, tried)
}

async function shrink(
  trace: Trace,
  events: readonly TraceEvent[],
  { operation, verdict }: Candidate,
  finding: string,
  options: AuditOptions,
): Promise<Reduced | undefined> {
  const last = events.findIndex((event) => event.line === operation.line && event.kind !== 'fault')
  const target = events[last]!
  const before = events.slice(0, last)
  let shownBy: Candidate | undefined
  const shows = async (part: readonly TraceEvent[]): Promise<boolean> => {
    const again = await judged(traceOf(trace.name, trace.header, [...part, target]), target.line, options)
    if (!again || !sameFinding({ operation, verdict }, again)) return false
    shownBy = again
    return true
  }
  const made = constructorsOf(before, operation.client)
  let start: readonly TraceEvent[] = before
  for (const fewer of [made, [...made, ...related(before, operation, verdict)]]) {
    const part = chosenFrom(before, fewer)
    if (await shows(part)) {
      start = part
      break
    }
  }
  if (start === before && !(await shows(before))) return undefined
  const least = await minimize(start, shows)
  // Clients are always constructed as in the application.
  const used = new Set([...least, target].flatMap((event) => ('client' in event ? [event.client] : [])))
  const constructors = [...used].flatMap((client) => constructorsOf(before, client))
  const whole = target.kind === 'new' ? least : chosenFrom(before, [...least, ...constructors])
  const kept = (await shows(whole)) ? whole : least
  const close = [...kept, target].map((event, index) => ({ ...event, t: index / 1000 }))
  const without = await judged(traceOf(trace.name, trace.header, close), target.line, options)
  const timeless = without !== undefined && sameFinding({ operation, verdict }, without)
  await shows(kept)
  return {
    finding,
    events: timeless ? close : [...kept, target],
    header: trace.header,
    operation: (timeless ? without : shownBy!).operation,
    verdict: (timeless ? without : shownBy!).verdict,
    before: events.length,
  }
}

/** These events, each once, in the order of all. */
function chosenFrom(all: readonly TraceEvent[], some: readonly TraceEvent[]): readonly TraceEvent[] {
  const wanted = new Set(some)
  return all.filter((event) => wanted.has(event))
}

async function judged(trace: Trace, line: number, options: AuditOptions): Promise<Candidate | undefined> {
  let found: Candidate | undefined
  try {
    await audit(trace, {
      ...options,
      threads: 1,
      onOperation(operation, verdict) {
        if (operation.line === line) found = { operation, verdict }
      },
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    // Without the lines that were left out it is not a trace, or an empty one. A constructor alone is not counted as a call.
  }
  return found
}

/** The same call, for the same reasons, with the same kind of outcome on both sides. */
function sameFinding(a: Candidate, b: Candidate): boolean {
  return (
    a.operation.call === b.operation.call &&
    a.verdict.status === b.verdict.status &&
    a.verdict.impact === b.verdict.impact &&
    reasons(a.verdict) === reasons(b.verdict) &&
    kind(a.operation.compat) === kind(b.operation.compat) &&
    kind(a.operation.strict) === kind(b.operation.strict)
  )
}

function reasons({ explanations }: Verdict): string {
  return explanations
    .filter(({ impact }) => impact !== 'state')
    .map((explanation) => explanation.switch)
    .sort()
    .join(' ')
}

function kind(outcome: Outcome): string {
  return 'raises' in outcome ? outcome.raises.class : 'result'
}

function constructorsOf(events: readonly TraceEvent[], client: string): readonly TraceEvent[] {
  const made = events.findLast((event) => event.kind === 'new' && event.client === client)
  return made ? [made] : []
}

/** The lines that may be related: those that the explanation names, and every event of the same keys. */
function related(
  events: readonly TraceEvent[],
  { keys, call }: AuditedOperation,
  { explanations }: Verdict,
): readonly TraceEvent[] {
  const lines = new Set(explanations.flatMap((explanation) => explanation.lines))
  const names = keys.map((key) => Buffer.from(key, 'latin1').toString('utf8'))
  return events.filter((event) => {
    if (event.kind === 'fault' || event.kind === 'new' || lines.has(event.line)) return true
    if (event.kind !== 'call' || call === constructorCall) return false
    const text = JSON.stringify([event.args, event.kwargs])
    return names.some((name) => text.includes(JSON.stringify(name).slice(1, -1)))
  })
}
