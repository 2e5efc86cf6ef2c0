/**
 * The time that this process has had for its work, in milliseconds. Time in which the machine did not run it does not count: bounds in it
 * hold on a machine of any load, and after the process was stopped.
 */
const tick = 20
/** The most that counts between two ticks. */
const most = 2 * tick

export class OwnClock {
  private time = 0
  private last = performance.now()
  private readonly timer = setInterval(() => this.count(), tick).unref()

  private count(): void {
    const now = performance.now()
    this.time += Math.min(now - this.last, most)
    this.last = now
  }

  now(): number {
    return this.time
  }

  stop(): void {
    clearInterval(this.timer)
  }
}

export const clock = new OwnClock()
