/**
 * The counterfactual: an explanation by named switches is right when, with exactly these switches set to pylibmc's behaviour,
 * the difference is gone. One more replay for every set of switches that was named.
 */
import type { Operation, Verdict } from './differ.js'
import { finding } from './finding.js'
import { sameOutcome } from './outcome.js'
import type { ReplayVisitor } from './replay.js'
import type { Finding, Verification } from './report.js'

/** Sets that are tried, most frequent first; every one costs a replay. */
const setsTried = 24
const refutedKept = 20

/** Operations whose outcome differs for named switches, grouped by the set of names. */
export class Suspects {
  readonly sets = new Map<
    string,
    { readonly switches: readonly string[]; readonly lines: Map<number, Verdict> }
  >()

  add(operation: Operation, verdict: Verdict): void {
    if (verdict.status !== 'differs') return
    // What comes from the signatures stays different whatever is switched.
    if (verdict.explanations.some((explanation) => explanation.how === 'signature')) return
    const switches = verdict.explanations.map((explanation) => explanation.switch).sort()
    const name = switches.join(' ')
    const set = this.sets.get(name) ?? { switches, lines: new Map() }
    set.lines.set(operation.line, verdict)
    this.sets.set(name, set)
  }
}

/** @param run replays the trace with the named switches set to `pylibmc` */
export async function verify(
  suspects: Suspects,
  run: (switches: readonly string[], visitor: ReplayVisitor) => Promise<void>,
): Promise<Verification> {
  const ordered = [...suspects.sets.values()].sort((a, b) => b.lines.size - a.lines.size)
  const sets: Verification['sets'][number][] = []
  for (const { switches, lines } of ordered.slice(0, setsTried)) {
    let confirmed = 0
    const refuted: Finding[] = []
    await run(switches, {
      operation(operation) {
        const verdict = lines.get(operation.line)
        if (!verdict) return
        if (sameOutcome(operation.compat, operation.strict)) confirmed++
        else if (refuted.length < refutedKept) refuted.push(finding(operation, verdict))
      },
      fault: () => {},
      note: () => {},
      client: () => {},
    })
    sets.push({ switches, operations: lines.size, confirmed, refuted })
  }
  const total = (of: readonly { readonly operations: number }[]) =>
    of.reduce((sum, set) => sum + set.operations, 0)
  const all = [...suspects.sets.values()].map(({ lines }) => ({ operations: lines.size }))
  return {
    sets,
    operations: total(sets),
    confirmed: sets.reduce((sum, set) => sum + set.confirmed, 0),
    untried: total(all) - total(sets),
  }
}
