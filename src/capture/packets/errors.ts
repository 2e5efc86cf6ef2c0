/** An error in a capture: the fault and its position. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError'
  constructor(
    /** File name, or `standard input`. */
    readonly source: string,
    /** Bytes from the beginning of the capture. */
    readonly offset: number,
    readonly problem: string,
  ) {
    super(`${source}, byte ${offset}: ${problem}`)
  }
}
