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

export class HotKeys {
  private readonly counts = new Map<string, number>()
  private accesses = 0
  private readonly servers = new Map<string, readonly [number | undefined, number | undefined]>()

  add({ keys, sourceServer, servers }: AuditedOperation): void {
    const single = keys.length === 1
    for (const key of keys) {
      this.accesses++
      const known = this.counts.get(key)
      this.counts.set(key, (known ?? 0) + 1)
      if (known === 1 && single) this.servers.set(key, [sourceServer, servers[0]])
      if (known === undefined && this.counts.size > 2 * counted) this.forget()
    }
  }

  private forget(): void {
    const sorted = [...this.counts].sort(([, a], [, b]) => b - a)
    for (const [key] of sorted.slice(counted)) {
      this.counts.delete(key)
      this.servers.delete(key)
    }
  }

  result(): readonly HotKey[] {
    return [...this.counts]
      .filter(([, count]) => count > 1 && count >= hot * this.accesses)
      .sort(([, a], [, b]) => b - a)
      .slice(0, shown)
      .map(([key, count]) => {
        const [before, after] = this.servers.get(key) ?? []
        const text = Buffer.from(key, 'latin1').toString('utf8')
        return { key: text, count, share: count / this.accesses, before, after }
      })
  }
}
