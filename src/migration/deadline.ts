/** The time that all steps of one call have together, whatever clients the two placements have. */
import { MemcachedError } from '../strict/index.js'

/** libmemcached's return code for a timeout. */
const TIMEOUT = 31

/** Milliseconds more, so that a client whose own time is over at the same moment says so first: its error names the server. */
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
   * Begins a step and waits for it until the deadline. A step that has begun is brought to its end also when nobody waits for it any
   * more.
   * @throws MemcachedError (31) at the deadline, without a beginning when the time is over already; what the step throws
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
