/** Errors of a scan. */

/** A wrong option of a scan. */
export class ScanError extends RangeError {
  override readonly name = 'ScanError'
}
