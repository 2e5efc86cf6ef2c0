/**
 * libmemcached's failure state machine of one server. Pure: the clock is handed in. Source: docs/reference/pylibmc.md#10.
 *
 * Only failed connection attempts count. Errors on an open connection close it and nothing more.
 */

/** Behaviors that steer it, in seconds. */
export interface HealthSettings {
  readonly retryTimeout: number
  readonly deadTimeout: number
  readonly failureLimit: number
  /** `auto_eject` or `remove_failed`. */
  readonly eject: boolean
}

/** `go` = try; `down` = still waiting for the retry; `dead` = has just been ejected, or is for ever. */
export type Admission = 'go' | 'down' | 'dead'

export class Health {
  /** Failed connection attempts since the last success. */
  failures = 0
  /** Whole seconds; the wait is over when the clock's whole seconds have passed it. */
  nextRetry = 0
  private waiting = false
  /** The attempt under way is a retry: its failure reads as ServerDown. */
  private retrying = false

  /** Asked before a connection is opened. @param now seconds */
  admit(now: number, settings: HealthSettings): Admission {
    const second = Math.floor(now)
    if (settings.eject && this.failures >= settings.failureLimit) {
      if (settings.deadTimeout > 0) {
        this.nextRetry = second + settings.deadTimeout
        // One failed retry ejects again.
        this.failures = settings.failureLimit - 1
        this.waiting = true
      }
      return 'dead'
    }
    // Without ejecting, a server at its limit waits whatever has happened since.
    if (this.failures >= settings.failureLimit) this.waiting = true
    if (!this.waiting) {
      this.retrying = false
      return 'go'
    }
    if (second <= this.nextRetry) return 'down'
    this.waiting = false
    this.retrying = true
    return 'go'
  }

  /** A connection attempt failed. Returns true when it was a retry. Attempts that failed together count once. */
  failed(now: number, settings: HealthSettings): boolean {
    if (!this.waiting) {
      this.failures++
      this.nextRetry = Math.floor(now) + settings.retryTimeout
      this.waiting = true
    }
    return this.retrying
  }

  /** A connection was opened. */
  connected(): void {
    this.failures = 0
    this.nextRetry = 0
    this.waiting = false
    this.retrying = false
  }

  /** disconnect_all: the next operation connects at once, the count stays. */
  endWait(): void {
    this.waiting = false
  }

  /** Left out when a continuum is rebuilt with ejecting on. */
  isOut(now: number): boolean {
    return this.nextRetry > Math.floor(now)
  }
}
