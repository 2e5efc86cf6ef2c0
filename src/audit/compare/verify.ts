/**
 * Verification: an explanation by named switches is right if, with exactly these switches set to pylibmc's behaviour,
 * the difference disappears. There is one more replay for every set of switches that was named.
 */
import { switches } from '../../rules/index.js'
import type { ReplayVisitor } from '../replay/replay.js'
import { finding } from '../report/finding.js'
import type { Finding, Verification } from '../report/report.js'
import type { AuditedOperation, Verdict } from './differ.js'
import { impactOf, sameOutcome } from './outcome.js'

/** Sets that are tried, most frequent first; every one costs a replay. */
const setsTried = 24
const refutedKept = 20
/** The switches that a replay can turn off. */
const switchable: ReadonlySet<string> = new Set(
  switches.filter(({ onlyInProgram }) => !onlyInProgram).map(({ name }) => name),
)

/** A set of switches that should explain the operations of these lines. */
interface Suspicion {
  readonly switches: readonly string[]
  readonly lines: Map<number, Verdict>
}

/** Operations whose outcome differs for named switches, grouped by the set of names. */
export class Suspects {
  readonly sets = new Map<string, Suspicion>()

  /** @param findings names that pymemcache's side can turn off; absent for another target */
  constructor(readonly findings?: ReadonlySet<string>) {}

  add(operation: AuditedOperation, verdict: Verdict): void {
    if (verdict.status !== 'differs') return
    // Differences from the signatures do not depend on switches.
    if (!this.findings && verdict.explanations.some((explanation) => explanation.how === 'signature')) return
    const names = verdict.explanations
      .filter((explanation) => explanation.impact !== 'state')
      .map((explanation) => explanation.switch)
    // The consequences of a missing method or argument cannot be turned off either.
    if (names.length === 0 || names.some((name) => !this.canTurnOff(name))) return
    suspect(this.sets, names, operation.line, verdict)
  }

  private canTurnOff(name: string): boolean {
    return this.findings ? this.findings.has(name) : switchable.has(name) && name !== 'version-surface'
  }
}

function suspect(
  sets: Map<string, Suspicion>,
  names: readonly string[],
  line: number,
  verdict: Verdict,
): void {
  const switches = [...new Set(names)].sort()
  const name = switches.join(' ')
  const set = sets.get(name) ?? { switches, lines: new Map() }
  set.lines.set(line, verdict)
  sets.set(name, set)
}

/**
 * With one behaviour switched off another one may have an effect (an oversize value is then sent, refused, and the error is
 * swallowed). The compat client says which: such operations are tried once more with that switch off as well.
 *
 * @param run replays the trace with the named switches set as the target does
 * @param between the switches that matter between two versions of python-memcached
 */
export async function verify(
  suspects: Suspects,
  run: (switches: readonly string[], visitor: ReplayVisitor) => Promise<void>,
  between?: ReadonlySet<string>,
): Promise<Verification> {
  const sets: Verification['sets'][number][] = []
  const operations = [...suspects.sets.values()].reduce((sum, { lines }) => sum + lines.size, 0)
  let round: ReadonlyMap<string, Suspicion> = suspects.sets
  while (round.size > 0 && sets.length < setsTried) {
    const further = new Map<string, Suspicion>()
    const ordered = [...round.values()].sort((a, b) => b.lines.size - a.lines.size)
    for (const { switches, lines } of ordered.slice(0, setsTried - sets.length)) {
      let confirmed = 0
      let passedOn = 0
      const refuted: Finding[] = []
      await run(switches, {
        operation(operation) {
          const verdict = lines.get(operation.line)
          if (!verdict) return
          const { compat, strict, announced, reasons, line } = operation
          const others = [
            ...announced
              .map((event) => event.switch)
              .filter((name) => between === undefined || between.has(name)),
            ...(suspects.findings
              ? reasons.filter(({ stored }) => !stored).map((reason) => reason.switch)
              : []),
          ].filter((name) => !switches.includes(name))
          const onlySpelled = verdict.impact !== 'spelling' && impactOf(compat, strict) === 'spelling'
          if (sameOutcome(compat, strict) || onlySpelled) confirmed++
          else if (others.length > 0) {
            passedOn++
            const all = [...switches, ...others]
            if (all.every((name) => (suspects.findings ?? new Set(all)).has(name)))
              suspect(further, all, line, verdict)
          } else if (refuted.length < refutedKept) refuted.push(finding(operation, verdict))
        },
        fault: () => {},
        note: () => {},
        client: () => {},
      })
      if (passedOn < lines.size)
        sets.push({ switches, operations: lines.size - passedOn, confirmed, refuted })
    }
    round = further
  }
  const tried = sets.reduce((sum, set) => sum + set.operations, 0)
  return {
    sets,
    operations: tried,
    confirmed: sets.reduce((sum, set) => sum + set.confirmed, 0),
    untried: operations - tried,
  }
}
