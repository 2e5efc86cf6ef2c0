/** The time of one call, shared by all its steps on both placements. */
import { MemcachedError } from '../strict/index.js'

/** libmemcached's return code for a timeout. */
const TIMEOUT = 31

/** Additional milliseconds, so that the error of a client whose own timeout ends at the same moment comes first: it names the server. */
const GRACE = 20

/** The end of one call. */
export class Deadline {
  private readonly ends: number

  /** @param milliseconds that the call has from now on */
  constructor(milliseconds: number) {
    this.ends = performance.now() + milliseconds
  }

  /** A deadline after half of the time that is left. */
  half(): Deadline {
    return new Deadline((this.ends - performance.now()) / 2)
  }

  /**
   * Begins a step and waits for it until the deadline. A step that has begun is finished, also when the call does not wait for it any
   * more.
   * @throws MemcachedError (31) at the deadline, without starting the step if the time is already over; errors of the step
   */
  async step<T>(begin: () => Promise<T>): Promise<T> {
    const left = this.ends - performance.now()
    if (left <= 0) throw timedOut()
    const step = begin()
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(timedOut()), left + GRACE)
    })
    try {
      return await Promise.race([step, over])
    } finally {
      clearTimeout(timer)
    }
  }
}

function timedOut(): MemcachedError {
  const message = 'A TIMEOUT OCCURRED, the time of the call over both placements is over'
  return new MemcachedError(message, { code: TIMEOUT })
}
