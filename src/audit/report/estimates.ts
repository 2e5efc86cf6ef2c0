/**
 * Estimates of the whole trace from a sample of the keys, with their error. Keys were drawn, so that the error depends on how unevenly they are
 * used. Source: the Horvitz–Thompson estimator for Bernoulli sampling of clusters.
 */
import type { AuditedOperation, Status, Verdict } from '../compare/differ.js'

/** A count of the whole trace: with a probability of about 95 % between `low` and `high`. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** Estimates by status and by switch. Calls of several keys count for their drawn keys, so that they may count more than once. */
export interface Estimates {
  /** Share of the keys, above 0 and below 1. */
  readonly share: number
  readonly operations: Estimate
  readonly statuses: Readonly<Record<Status, Estimate>>
  readonly switches: Readonly<Record<string, Estimate>>
}

/** Standard deviations of a normal distribution for 95 %. */
const deviations = 1.96

class Clusters {
  private readonly counts = new Map<string, number>()
  private sum = 0
  private squares = 0

  add(key: string): void {
    const known = this.counts.get(key) ?? 0
    this.counts.set(key, known + 1)
    this.sum++
    this.squares += 2 * known + 1
  }

  estimate(share: number): Estimate {
    const value = this.sum / share
    const error = (deviations * Math.sqrt(this.squares * (1 - share))) / share
    // Rounded outwards, and at least the observed count.
    return {
      value: Math.round(value),
      low: Math.max(this.sum, Math.floor(value - error)),
      high: Math.ceil(value + error),
    }
  }
}

export class EstimateCount {
  private readonly operations = new Clusters()
  private readonly statuses: Record<Status, Clusters> = {
    same: new Clusters(),
    announced: new Clusters(),
    differs: new Clusters(),
    unexplained: new Clusters(),
  }
  private readonly switches = new Map<string, Clusters>()

  constructor(private readonly share: number) {}

  add({ keys, line }: AuditedOperation, { status, explanations }: Verdict): void {
    // A call without keys is in every sample and is therefore not part of the random selection.
    if (keys.length === 0) return
    const key = keys[0] ?? String(line)
    this.operations.add(key)
    this.statuses[status].add(key)
    for (const { switch: name } of explanations) {
      let clusters = this.switches.get(name)
      if (!clusters) {
        clusters = new Clusters()
        this.switches.set(name, clusters)
      }
      clusters.add(key)
    }
  }

  result(): Estimates {
    const { share } = this
    const { same, announced, differs, unexplained } = this.statuses
    return {
      share,
      operations: this.operations.estimate(share),
      statuses: {
        same: same.estimate(share),
        announced: announced.estimate(share),
        differs: differs.estimate(share),
        unexplained: unexplained.estimate(share),
      },
      switches: Object.fromEntries(
        [...this.switches].map(([name, clusters]) => [name, clusters.estimate(share)]),
      ),
    }
  }
}

/** `missing-counter 1,200 ± 90` */
export function estimateText(name: string, { value, high }: Estimate): string {
  return `${name} ${value.toLocaleString('en')} ± ${(high - value).toLocaleString('en')}`
}
