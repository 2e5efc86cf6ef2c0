import { checkObject } from '../../ground/arguments.js'
/** The time of a replay: set from the trace, so that a day of the application passes without waiting. */

export class ReplayClock {
  private elapsed = 0

  /** @param epoch Unix time in seconds at the start of the trace */
  constructor(private readonly epoch: number) {}

  /** Seconds since the start of the trace; never runs back. */
  advanceTo(t: number): void {
    if (t > this.elapsed) this.elapsed = t
  }

  /** Unix time in seconds. */
  readonly now = (): number => this.epoch + this.elapsed
}

/** Unix time at `t` = 0: told by the trace, else the time or day of the recording, else `fallback`. */
export function epochOf(
  header: { readonly epoch?: number; readonly recorded?: string | undefined },
  fallback: number,
): number {
  checkObject('header', header)
  if (header.epoch !== undefined) return header.epoch
  const recorded = header.recorded === undefined ? Number.NaN : Date.parse(header.recorded) / 1000
  return Number.isFinite(recorded) ? recorded : fallback
}
