/** The times of operations in bounded memory: buckets whose sizes grow by a tenth. */

/** Milliseconds. */
export interface Latency {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

const growth = 1.1
/** Milliseconds: shorter times fall into the first bucket. */
const shortest = 0.001

export class LatencyCount {
  private readonly buckets = new Map<number, number>()
  private count = 0
  private sum = 0
  private most = 0

  /** @param milliseconds from 0 */
  add(milliseconds: number): void {
    const bucket = Math.max(0, Math.ceil(Math.log(milliseconds / shortest) / Math.log(growth)))
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + 1)
    this.count++
    this.sum += milliseconds
    this.most = Math.max(this.most, milliseconds)
  }

  result(): Latency {
    const { count, sum, most } = this
    return {
      count,
      mean: count === 0 ? 0 : sum / count,
      p50: this.quantile(0.5),
      p99: this.quantile(0.99),
      most,
    }
  }

  private quantile(part: number): number {
    let left = part * this.count
    for (const bucket of [...this.buckets.keys()].sort((a, b) => a - b)) {
      left -= this.buckets.get(bucket)!
      if (left <= 0) return Math.min(this.most, shortest * growth ** bucket)
    }
    return 0
  }
}
