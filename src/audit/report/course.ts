/** The trace in order, in a bounded number of parts. Its length need not be known. */
import type { Status } from '../compare/differ.js'
import { type Counts, zeroCounts } from './tally.js'

const STRETCHES = 120

/** Counts along the trace in at most 120 parts, without knowing its length beforehand. */
export class Course {
  private stretch = 1
  private tallies: Counts[] = []
  private times: number[] = []

  /** @param t seconds of the trace */
  add(status: Status, t: number): void {
    let last = this.tallies.at(-1)
    if (!last || last.operations >= this.stretch) {
      if (this.tallies.length >= STRETCHES) this.halve()
      last = this.tallies.at(-1)
      if (!last || last.operations >= this.stretch) {
        last = zeroCounts()
        this.tallies.push(last)
        this.times.push(t)
      }
    }
    last.operations++
    last[status]++
  }

  private halve(): void {
    const halved: Counts[] = []
    for (let i = 0; i < this.tallies.length; i += 2) {
      const sum = zeroCounts()
      for (const part of this.tallies.slice(i, i + 2)) {
        for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += part[name]
      }
      halved.push(sum)
    }
    this.tallies = halved
    this.times = this.times.filter((_, i) => i % 2 === 0)
    this.stretch *= 2
  }

  result(): {
    readonly stretch: number
    readonly tallies: readonly Counts[]
    readonly times: readonly number[]
  } {
    return { stretch: this.stretch, tallies: this.tallies, times: this.times }
  }
}
