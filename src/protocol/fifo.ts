/** A queue, first in, first out, in constant time on average. It keeps no references to removed entries, which may hold values of megabytes. */
export class Fifo<T> {
  private items: (T | undefined)[] = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  get first(): T | undefined {
    return this.items[this.head]
  }

  push(item: T): void {
    this.items.push(item)
  }

  shift(): T | undefined {
    const { items, head } = this
    const item = items[head]
    if (head === items.length) return undefined
    items[head] = undefined
    this.head = head + 1
    if (this.head === items.length) {
      items.length = 0
      this.head = 0
    } else if (this.head >= COMPACT && this.head * 2 >= items.length) {
      items.splice(0, this.head)
      this.head = 0
    }
    return item
  }

  /** Shifts everything, oldest first. */
  drain(): T[] {
    const { items, head } = this
    this.items = []
    this.head = 0
    return (head === 0 ? items : items.slice(head)) as T[]
  }

  /** All entries, oldest first, without removing them. */
  rest(): T[] {
    return this.items.slice(this.head) as T[]
  }
}

/** The array is compacted when this many places at its front are empty, and at least half of all. */
const COMPACT = 1024
