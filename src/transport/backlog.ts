/** Requests that wait to be written: all of them leave together, unless so much is under way that some have to wait longer. */
import { Fifo } from '../protocol/fifo.js'
import type { Slot } from './slot.js'

/** Bytes of data blocks that are written without asking whether the socket has got rid of them. */
export const PORTION = 1024 * 1024

export class Backlog {
  private readonly slots = new Fifo<Slot>()
  private bytes = 0
  /** One of them may have been given up. */
  private signalled = false

  get length(): number {
    return this.slots.length
  }

  push(slot: Slot): void {
    this.slots.push(slot)
    this.bytes += slot.size
    this.signalled ||= slot.signal !== undefined
  }

  /** Takes the oldest, at most `most` of them and about one portion of bytes. Those given up meanwhile are dropped. */
  take(most: number): readonly Slot[] {
    if (this.slots.length <= most && this.bytes < PORTION && !this.signalled) {
      this.bytes = 0
      return this.slots.drain()
    }
    const taken: Slot[] = []
    for (let bytes = 0; taken.length < most && bytes < PORTION; ) {
      const slot = this.slots.shift()
      if (!slot) break
      this.bytes -= slot.size
      if (slot.aborted) continue
      bytes += slot.size
      taken.push(slot)
    }
    if (this.slots.length === 0) this.signalled = false
    return taken
  }

  /** Everything that waits, oldest first. */
  all(): readonly Slot[] {
    return this.slots.rest()
  }
}
