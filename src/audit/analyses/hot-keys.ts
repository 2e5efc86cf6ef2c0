/**
 * The keys that are used most, in bounded memory. A dropped key is counted again from its next access on, so that a count may be too
 * low and is never too high. Hot keys are not dropped: at that time they have more accesses than twenty thousand others.
 */
import type { AuditedOperation } from '../compare/differ.js'

/** The largest number of keys that are counted. When there are more, the least used ones are dropped. */
const counted = 20_000
const shown = 10
/** The share of all accesses from which a key counts as hot. */
const hot = 0.005

/** A key with its accesses. */
export interface HotKey {
  /** The key as text. */
  readonly key: string
  readonly count: number
  /** Share of all accesses to keys, from 0 to 1. */
  readonly share: number
  /** Its server before and after the move, by index. */
  readonly before?: number | undefined
  readonly after?: number | undefined
}

interface Count {
  count: number
  before: number | undefined
  after: number | undefined
}

export class HotKeys {
  private readonly counts = new Map<string, Count>()
  private accesses = 0

  add({ keys, sourceServer, servers }: AuditedOperation): void {
    const single = keys.length === 1
    for (const key of keys) {
      this.accesses++
      const known = this.counts.get(key)
      if (known === undefined) {
        this.counts.set(key, { count: 1, before: undefined, after: undefined })
        if (this.counts.size > 2 * counted) this.forget()
        continue
      }
      if (known.count++ === 1 && single) {
        known.before = sourceServer
        known.after = servers[0]
      }
    }
  }

  /** Keeps the keys with the most accesses; no list of all keys is made, because this happens often. */
  private forget(): void {
    const keysWith: number[] = []
    for (const { count } of this.counts.values()) keysWith[count] = (keysWith[count] ?? 0) + 1
    let dropped = 0
    let least = 0
    while (dropped + (keysWith[least] ?? 0) <= this.counts.size - counted) dropped += keysWith[least++] ?? 0
    let rest = this.counts.size - counted - dropped
    for (const [key, { count }] of this.counts)
      if (count < least || (count === least && rest-- > 0)) this.counts.delete(key)
  }

  result(): readonly HotKey[] {
    return [...this.counts]
      .filter(([, { count }]) => count > 1 && count >= hot * this.accesses)
      .sort(([, a], [, b]) => b.count - a.count)
      .slice(0, shown)
      .map(([key, { count, before, after }]) => {
        const text = Buffer.from(key, 'latin1').toString('utf8')
        return { key: text, count, share: count / this.accesses, before, after }
      })
  }
}
