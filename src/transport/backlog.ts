/** Requests that wait to be written: all of them leave together, unless so much is under way that some have to wait longer. */
import type { Slot } from './slot.js'

/** Bytes of data blocks that are written without asking whether the socket has got rid of them. */
export const PORTION = 1024 * 1024

export class Backlog {
  private slots: Slot[] = []

  get length(): number {
    return this.slots.length
  }

  push(slot: Slot): void {
    this.slots.push(slot)
  }

  /** Takes the oldest, at most `most` of them and about one portion of bytes. Those given up meanwhile are dropped. */
  take(most: number): Slot[] {
    const { slots } = this
    let bytes = 0
    let end = 0
    let dropped = false
    while (end < slots.length && end < most && bytes < PORTION) {
      const slot = slots[end++]!
      bytes += slot.size
      dropped ||= slot.aborted
    }
    this.slots = end === slots.length ? [] : slots.slice(end)
    const taken = end === slots.length ? slots : slots.slice(0, end)
    return dropped ? taken.filter((slot) => !slot.aborted) : taken
  }

  /** Everything that waits, oldest first. */
  all(): readonly Slot[] {
    return this.slots
  }
}
