/** The time of a replay: set from the trace, so that a day of the application passes without waiting. */
import { checkObject } from '../../ground/arguments.js'

/** Seconds between two crawls for expired items. */
const crawlEvery = 30

export class ReplayClock {
  private elapsed = 0
  private nextCrawl = crawlEvery

  /**
   * @param epoch Unix time in seconds at the start of the trace
   * @param crawl called from time to time to remove expired items
   */
  constructor(
    private readonly epoch: number,
    private readonly crawl: () => void = () => {},
  ) {}

  /** Seconds since the start of the trace; never runs back. */
  advanceTo(t: number): void {
    if (t <= this.elapsed) return
    this.elapsed = t
    if (t < this.nextCrawl) return
    this.nextCrawl = t + crawlEvery
    this.crawl()
  }

  /** Unix time in seconds. */
  readonly now = (): number => this.epoch + this.elapsed
}

/** Unix time at `t` = 0: from the trace, else the time or day of the recording, else `fallback`. */
export function epochOf(
  header: { readonly epoch?: number; readonly recorded?: string | undefined },
  fallback: number,
): number {
  checkObject('header', header)
  if (header.epoch !== undefined) return header.epoch
  const recorded = header.recorded === undefined ? Number.NaN : Date.parse(header.recorded) / 1000
  return Number.isFinite(recorded) ? recorded : fallback
}
