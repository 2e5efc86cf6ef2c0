/** The library that wrote the items of one prefix: the one that explains the most items. */
import { FLAG_PICKLE, FLAG_ZLIB } from '../values/index.js'
import type { ValueFacts } from './value-facts.js'
import { type Writer, writers, writersByFlags, writersByValue } from './writers.js'

/** Libraries within this part of the best one count as equal. */
const asGood = 0.002
/** Below this part none of the known libraries is likely. */
const leastExplained = 0.5

export class Verdict {
  private items = 0
  private values = 0
  private readonly byFlags = new Map<Writer, number>(writers.map((writer) => [writer, 0]))
  private readonly byValue = new Map<Writer, number>(writers.map((writer) => [writer, 0]))
  /** Pickles, those of protocol 3 and above, values that only text without a flag explains, and text with its flag. */
  private readonly seen = { pickles: 0, high: 0, plainText: 0, flaggedText: 0, pickledBools: 0 }

  flags(flags: number, count: number): void {
    this.items += count
    for (const writer of writersByFlags(flags)) this.byFlags.set(writer, this.byFlags.get(writer)! + count)
    if (flags & 16) this.seen.flaggedText += count
  }

  value(flags: number, facts: ValueFacts): void {
    this.values++
    for (const writer of writersByValue(flags, facts)) this.byValue.set(writer, this.byValue.get(writer)! + 1)
    if (flags & FLAG_PICKLE) {
      this.seen.pickles++
      if ((facts.pickleProtocol ?? 0) > 2) this.seen.high++
      if (facts.bool) this.seen.pickledBools++
    }
    if ((flags & ~FLAG_ZLIB) === 0 && facts.utf8 && facts.length > 0) this.seen.plainText++
  }

  /** `writers` is empty when another client is more likely, and has several libraries if they write alike. */
  result(): { readonly writers: readonly Writer[]; readonly explained: number } {
    if (this.items === 0 && this.values === 0) return { writers: [], explained: 0 }
    const part = (writer: Writer) =>
      Math.min(
        this.items > 0 ? this.byFlags.get(writer)! / this.items : 1,
        this.values > 0 ? this.byValue.get(writer)! / this.values : 1,
      )
    const explained = Math.max(...writers.map(part))
    if (explained < leastExplained) return { writers: [], explained: 1 - explained }
    const best = writers.filter((writer) => part(writer) >= explained - asGood)
    return { writers: this.likelier(best), explained }
  }

  /** The usual case, if the bytes alone do not decide (docs/reference/python-memcached.md#9.2, #9.3). */
  private likelier(best: readonly Writer[]): readonly Writer[] {
    const { pickles, high, plainText, flaggedText, pickledBools } = this.seen
    let left = best
    const without = (...dropped: Writer[]) => {
      const kept = left.filter((writer) => !dropped.includes(writer))
      if (kept.length > 0) left = kept
    }
    // python-memcached pickles with protocol 0 unless another one is configured.
    if (pickles > 0 && high === pickles) without('python-memcached ≤ 1.58', 'python-memcached ≥ 1.59')
    // Text has its own flag from 1.59 on; before that it is stored like bytes.
    if (flaggedText === 0 && pickledBools === 0 && plainText > 0) without('python-memcached ≥ 1.59')
    else if (left.length === 2 && left.includes('python-memcached ≥ 1.59')) without('python-memcached ≤ 1.58')
    return left
  }
}
