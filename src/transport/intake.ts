/**
 * Reads arrived replies in a way that keeps the server busy. memcached answers a turn's requests with one write (since
 * 1.6.35 pipelined gets too), so all replies of a turn may arrive at once. If they were all read before the next requests were sent,
 * client and server would work alternately. Therefore these replies are read in two halves, and the requests that callers make after the first
 * half are sent before the second half is read. A server that answers piece by piece is still busy while a piece is read, and halves
 * would only cost time: they begin when whole turns have been answered at once, and end with the first small piece.
 *
 * Of few requests the first halving is often enough: client and server then work on two groups of requests at the same time, and go on so. Where
 * the groups meet again at once, halves cost more than they save, and are tried again after twice as many turns.
 */

// Not the global functions at the time of the call: tests that replace them must not stop the client.
const { nextTick } = process
const MICROTASK = Promise.resolve()

/** The number of requests from which a separate write is faster. */
const WORTH_A_WRITE = 4
/** Bytes from which on a chunk is only a part of the replies: the requests that follow can be sent between two chunks. */
const LARGE = 32 * 1024
/** Turns that a server has to answer at once before their replies are read in halves. */
const ENOUGH_TURNS = 3
/** Requests from which on every turn is read in halves. */
const MANY = 32
/** Pieces in which the replies of few requests come after a halving that has helped. */
const LASTING = 8
/** Turns of few requests that are waited for at most before the next halving. */
const MOST_TURNS = 1024

export interface IntakeSteps {
  /** Lets the conversation read. */
  read(bytes: Buffer): void
  /** Requests that have been written and not answered. */
  unanswered(): number
  /** Requests that have not been written. */
  queued(): number
  /** Writes them. */
  write(): void
  /** Runs a step from the event loop, unless the connection has gone. */
  later(step: () => void): void
}

export class Intake {
  private second: Buffer | undefined = undefined
  /** Turns that were answered at once, since the last small piece. */
  private turns = 0
  /** Turns of few requests that have to be answered at once before their replies are read in halves. */
  private patience = ENOUGH_TURNS
  /** Pieces that have come since replies of few requests were read in halves; −1 once they have come at once again. */
  private pieces = -1

  constructor(private readonly steps: IntakeSteps) {}

  /** @param chunk only valid until the callers that it answers have run */
  take(chunk: Buffer): void {
    const { steps } = this
    this.finish()
    this.writeEarly()
    const before = steps.unanswered()
    if (before < 2 * WORTH_A_WRITE || chunk.length > LARGE) return steps.read(chunk)
    if (this.turns < (before < MANY ? this.patience : ENOUGH_TURNS)) {
      steps.read(chunk)
      return this.learn(before - steps.unanswered(), before)
    }
    const middle = chunk.length >> 1
    const second = chunk.subarray(middle)
    steps.read(chunk.subarray(0, middle))
    const answered = before - steps.unanswered()
    // The whole chunk answers less than two thirds: the server is still busy with the rest.
    if (answered * 3 < before) {
      steps.read(second)
      return this.learn(before - steps.unanswered(), before)
    }
    this.second = second
    if (before < MANY) {
      this.turns = 0
      this.pieces = 0
    }
    // The callers run as microtasks; a tick that a microtask requests comes after all of them, and before the next chunk.
    MICROTASK.then(this.wait)
  }

  private learn(answered: number, before: number): void {
    if (answered === before) {
      this.turns++
      if (this.pieces >= 0)
        this.patience = this.pieces < LASTING ? Math.min(2 * this.patience, MOST_TURNS) : ENOUGH_TURNS
      this.pieces = -1
      return
    }
    if (answered * 3 < before) this.turns = 0
    if (this.pieces >= 0) this.pieces++
  }

  /** Reads the half that waits, if there is one. */
  finish(): void {
    const { second } = this
    if (second === undefined) return
    this.second = undefined
    this.steps.read(second)
  }

  private readonly wait = (): void => {
    nextTick(later, this.steps, this.resume)
  }

  private readonly resume = (): void => {
    if (this.second === undefined) return
    this.writeEarly()
    this.finish()
  }

  /** Writes when as many requests wait as the server still has to answer. */
  private writeEarly(): void {
    const queued = this.steps.queued()
    if (queued >= WORTH_A_WRITE && queued >= this.steps.unanswered()) this.steps.write()
  }
}

function later(steps: IntakeSteps, step: () => void): void {
  steps.later(step)
}
