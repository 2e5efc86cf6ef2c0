/** The trace in order as a bounded number of stretches, whatever its length turns out to be. */
import type { Status } from '../compare/differ.js'
import { type Counts, zeroCounts } from './tally.js'

/** Counts along the trace in at most `stretches` steps, without knowing its length beforehand. */
export class Course {
  private static readonly stretches = 120
  private stretch = 1
  private tallies: Counts[] = []

  add(status: Status): void {
    let last = this.tallies.at(-1)
    if (!last || last.operations >= this.stretch) {
      if (this.tallies.length >= Course.stretches) this.halve()
      last = this.tallies.at(-1)
      if (!last || last.operations >= this.stretch) {
        last = zeroCounts()
        this.tallies.push(last)
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
    this.stretch *= 2
  }

  result(): { readonly stretch: number; readonly tallies: readonly Counts[] } {
    return { stretch: this.stretch, tallies: this.tallies }
  }
}
