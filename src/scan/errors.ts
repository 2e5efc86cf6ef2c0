/** What keeps a scan from being made. */

/** Options of a scan that do not fit. */
export class ScanError extends RangeError {
  override readonly name = 'ScanError'
}
