/**
 * The agreement of a side with the recorded outcomes of the trace, which shows the reliability of the report.
 * Results are compared as values, exceptions by class and return code.
 */
import type { TypedJson } from '../../values/index.js'
import { abridgeOutcome, callText } from '../report/finding.js'
import type { AuditedOperation } from './differ.js'
import { momentary, type Outcome, sameOutcome } from './outcome.js'

/** One operation with another outcome than in the trace. */
export interface FidelityFinding {
  readonly line: number
  readonly call: string
  readonly at?: string | undefined
  readonly recorded: Outcome
  readonly replayed: Outcome
}

/** The number of operations with the recorded outcome. */
export interface Fidelity {
  /** The side that emulates the original library. */
  readonly side: 'compat' | 'strict'
  readonly compared: number
  readonly same: number
  readonly differs: number
  /** The first of the differences. */
  readonly findings: readonly FidelityFinding[]
  /** Operations without a recorded outcome. */
  readonly unrecorded: number
}

const findingsKept = 200

export class FidelityCheck {
  private same = 0
  private differs = 0
  private unrecorded = 0
  private readonly findings: FidelityFinding[] = []

  constructor(
    private readonly side: 'compat' | 'strict',
    /** The values in the trace are stand-ins: only their shape can be repeated. */
    private readonly redacted = false,
  ) {}

  add(operation: AuditedOperation): void {
    const recorded = operation.recorded
    if (recorded === undefined) {
      this.unrecorded++
      return
    }
    const replayed = operation[this.side]
    const equal =
      this.redacted || momentary.has(operation.call)
        ? sameShape(recorded, replayed)
        : sameOutcome(recorded, replayed)
    if (equal) {
      this.same++
      return
    }
    this.differs++
    if (this.findings.length >= findingsKept) return
    const { line, call, args, kwargs, at } = operation
    this.findings.push({
      line,
      call: callText(call, args, kwargs),
      ...(at === undefined ? {} : { at }),
      recorded: abridgeOutcome(recorded),
      replayed: abridgeOutcome(replayed),
    })
  }

  result(): Fidelity {
    const { side, same, differs, findings, unrecorded } = this
    return { side, compared: same + differs, same, differs, findings, unrecorded }
  }
}

function sameShape(a: Outcome, b: Outcome): boolean {
  if ('raises' in a || 'raises' in b) return sameOutcome(a, b)
  return shape(a.result) === shape(b.result)
}

function shape(value: TypedJson): string {
  return Array.isArray(value) ? `list of ${value.length}` : value === null ? 'None' : typeof value
}
