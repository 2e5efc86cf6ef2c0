/**
 * The clock of a memcached, the times of items, and flush_all. Facts: docs/reference/pylibmc.md#8, docs/reference/python-memcached.md#11, and
 * memcached 1.6.18 itself (fixtures/conversations).
 */
import { MAX_RELATIVE_TIME } from '../../ground/limits.js'
import type { ServerFacts } from '../versions.js'
import type { StoredItem } from './store.js'

/** memcached's clock begins this number of seconds before its start. */
const ageAtStart = 62

export class Lifetimes {
  /** Unix time in seconds. */
  readonly startedAt: number
  private oldestLive = 0
  private oldestCas = 0

  /** @param clock Unix time in seconds */
  constructor(
    private readonly clock: () => number,
    private readonly facts: ServerFacts,
  ) {
    this.startedAt = this.now()
  }

  now(): number {
    return Math.floor(this.clock())
  }

  /** @param delay as sent; 0 or less = now @param nextCas returns a new CAS unique */
  flush(delay: number, nextCas: () => number): void {
    const now = this.now()
    this.oldestLive = (delay > 0 ? this.expiry(delay) : now) - 1
    if (this.oldestLive <= now) this.oldestCas = nextCas()
  }

  isGone(item: StoredItem, now: number): boolean {
    return (item.exptime !== 0 && item.exptime <= now) || this.isFlushed(item, now)
  }

  isFlushed(item: StoredItem, now: number): boolean {
    if (this.oldestLive === 0 || this.oldestLive > now) return false
    return item.time <= this.oldestLive || item.cas < this.oldestCas
  }

  /** The Unix time at which an item with this exptime expires; 0 = never. */
  expiry(exptime: number): number {
    if (exptime === 0) return 0
    if (exptime > 0 && exptime <= MAX_RELATIVE_TIME) return this.now() + exptime
    // Negative times and times before the server's start have passed. 0 would mean that the item does not expire.
    const start = this.startedAt - ageAtStart
    return exptime <= start ? start + 1 : exptime
  }

  /** Up to 1.6.0 a negative time is added to the server's age, and a sum below 0 is far in the future. */
  touched(exptime: number): number {
    const start = this.startedAt - ageAtStart
    const wraps = this.facts.negativeTouch === 'lives' && exptime < 0
    if (!wraps) return this.expiry(exptime)
    const age = this.now() - start + exptime
    return start + (age < 0 ? age + 2 ** 32 : Math.max(age, 1))
  }
}
