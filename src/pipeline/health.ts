/**
 * libmemcached's state of one server: the number of failed attempts to connect, and the time of the next attempt. Pure: the clock is an argument.
 * Sources: docs/reference/pylibmc.md#10; libmemcached 1.1.4, connect.cc (`backoff_handling`, `_memcached_connect`) and server.hpp
 * (`memcached_mark_server_for_timeout`), whose names are given beside each method.
 *
 * Only failed attempts to connect count. Errors on an open connection only close it.
 */

/** The behaviors of the state machine, in seconds. */
export interface HealthSettings {
  readonly retryTimeout: number
  readonly deadTimeout: number
  readonly failureLimit: number
  /** `auto_eject` or `remove_failed`. */
  readonly eject: boolean
}

/** pylibmc's defaults (docs/reference/pylibmc.md#9.2). */
export const defaultHealth: HealthSettings = {
  retryTimeout: 2,
  deadTimeout: 0,
  failureLimit: 5,
  eject: false,
}

/** `go` = try; `down` = still waiting for the retry; `dead` = has just been ejected, or is ejected permanently. */
export type Admission = 'go' | 'down' | 'dead'

export class Health {
  /** Failed attempts to connect since the last success. */
  failures = 0
  /** Whole seconds; the wait is over when the clock's whole seconds have passed it. 0 = none. */
  nextRetry = 0
  /** MEMCACHED_SERVER_STATE_IN_TIMEOUT. */
  private waiting = false
  /** The attempt under way is a retry: its failure reads as ServerDown. */
  private retrying = false
  /** The call whose failure was counted last. */
  private counted: object | undefined = undefined

  /** Called before a connection is opened (`backoff_handling`). @param now seconds */
  admit(now: number, settings: HealthSettings): Admission {
    const second = Math.floor(now)
    this.retrying = false
    if (this.failures >= settings.failureLimit) {
      // Ejecting does not change whether it waits.
      if (settings.eject) {
        if (settings.deadTimeout > 0) {
          this.nextRetry = second + settings.deadTimeout
          // One failed retry ejects again.
          this.failures = settings.failureLimit - 1
        }
        return 'dead'
      }
      this.waiting = true
      if (this.nextRetry === 0) this.nextRetry = 1
    }
    if (!this.waiting) return 'go'
    if (this.nextRetry >= second) return 'down'
    this.waiting = false
    this.retrying = true
    return 'go'
  }

  /**
   * An attempt to connect failed (`memcached_mark_server_for_timeout`). Returns true when it was a retry. Operations that waited for
   * the same attempt count once.
   * @param call of one call that attempts several times, only the first failure counts
   */
  failed(now: number, settings: HealthSettings, call?: object): boolean {
    if (!this.waiting) {
      this.nextRetry = Math.floor(now) + settings.retryTimeout
      this.waiting = true
      if (call === undefined || this.counted !== call) this.failures++
      this.counted = call
    }
    return this.retrying
  }

  /** A connection was opened (`mark_server_as_clean`). */
  connected(): void {
    this.failures = 0
    this.nextRetry = 0
    this.waiting = false
    this.retrying = false
  }

  /** The socket was closed, or there was none to close (`close_socket`): the wait is over, the count stays. */
  closed(): void {
    this.waiting = false
  }

  /** Whether it has a state that a successful connection resets. */
  get marked(): boolean {
    return this.nextRetry !== 0 || this.failures !== 0
  }

  /** Left out of a continuum with ejecting on (`update_continuum`). */
  isOut(now: number): boolean {
    return this.nextRetry > Math.floor(now)
  }
}
