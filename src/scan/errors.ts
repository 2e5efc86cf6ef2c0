/** What keeps a scan from being made. */

/** Options of a scan that do not fit. */
export class ScanError extends RangeError {
  override readonly name = 'ScanError'
}

/** A server, or a file, whose listing of keys cannot be had or cannot be believed. */
export class ListingError extends Error {
  override readonly name = 'ListingError'
  constructor(
    /** Server or file. */
    readonly source: string,
    readonly problem: string,
  ) {
    super(`${source}: ${problem}`)
  }
}
