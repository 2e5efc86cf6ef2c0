/**
 * The memory that the reading of one value may take. Inflating, text and pickles share one budget, because separate limits
 * would multiply: an item of 230 kB inflates to 240 MB, and a pickle of that size can make 10 GB of objects.
 */
import { ValueDecodeError } from './errors.js'

/** A process with a heap of 512 MB survives every value that this allows. Bytes. */
export const DEFAULT_MAX_MEMORY = 128 * 1024 * 1024

export class Budget {
  spent = 0
  /** @param limit estimated bytes; Infinity = no limit @throws RangeError unless it is positive */
  constructor(readonly limit: number = DEFAULT_MAX_MEMORY) {
    if (!(limit > 0))
      throw new RangeError(`maxMemory must be a positive number of bytes, not ${String(limit)}`)
  }

  get left(): number {
    return Math.max(0, this.limit - this.spent)
  }

  /** @returns false when the value takes more than the limit */
  spend(bytes: number): boolean {
    this.spent += bytes
    return this.spent <= this.limit
  }

  /** @param what the whole value, e.g. `text of 5 bytes` @throws ValueDecodeError `limit` */
  charge(bytes: number, what: string, flags: number): void {
    if (!this.spend(bytes)) throw overBudget(what, this.limit, flags)
  }
}

export function overBudget(what: string, limit: number, flags: number, cause?: unknown): ValueDecodeError {
  return new ValueDecodeError(
    'limit',
    `${what} takes more memory than the limit of ${limit} bytes; the option maxMemory sets another limit`,
    flags,
    cause,
  )
}
