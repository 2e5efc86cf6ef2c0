/**
 * Keeps the event loop turning while a reply is expected soon. A loop that sleeps has to be woken by the system, which takes about as long as a server nearby
 * needs for its reply. Between its turns the loop serves everything else as usual.
 */
import { setImmediate } from 'node:timers'

/** What the poll sees of a connection. */
export interface PolledConnection {
  /** Requests that have been written and not answered. */
  readonly unanswered: number
}

/** Writes without a poll after polls that saw no reply: at most so many, and twice as many after each further one. */
const MOST_LEFT_OUT = 1024

/** The connections of a client share one. */
export class BusyPoll {
  private waiting: PolledConnection[] = []
  private until = 0
  private turning = false
  /** The next writes that are not polled for, and how many these were at first. */
  private leaveOut = 0
  private leftOut = 0

  /** @param longest milliseconds that the loop turns after a write, if no reply comes */
  constructor(private readonly longest: number) {}

  /** Called after a connection has written requests that have a reply. */
  wrote(connection: PolledConnection): void {
    if (this.leaveOut > 0) {
      this.leaveOut--
      return
    }
    this.until = performance.now() + this.longest
    if (!this.waiting.includes(connection)) this.waiting.push(connection)
    if (this.turning) return
    this.turning = true
    setImmediate(this.turn)
  }

  private readonly turn = (): void => {
    const { waiting } = this
    while (waiting.length > 0 && waiting.at(-1)!.unanswered === 0) waiting.pop()
    if (waiting.length > 0 && performance.now() < this.until) {
      setImmediate(this.turn)
      return
    }
    this.turning = false
    if (waiting.length === 0) this.leftOut >>= 1
    else {
      // The server is too far away or too busy: most of the next replies are slept for.
      this.waiting = []
      this.leftOut = Math.min(2 * this.leftOut + 1, MOST_LEFT_OUT)
      this.leaveOut = this.leftOut
    }
  }
}
