/**
 * The items of a slab class in the order of their use, as a list that is linked through the items themselves. A Map that every access
 * reorders allocates a new table every few thousand accesses, and an audit makes millions.
 */

/** The neighbours of an item in its list. */
export interface Linked<T> {
  older: T | undefined
  newer: T | undefined
}

export class LruList<T extends Linked<T>> {
  size = 0
  /** The item that was used least recently. */
  oldest: T | undefined
  private newest: T | undefined

  /** @param item an item that is in no list */
  add(item: T): void {
    item.older = this.newest
    item.newer = undefined
    if (this.newest) this.newest.newer = item
    else this.oldest = item
    this.newest = item
    this.size++
  }

  /** @param item an item of this list */
  remove(item: T): void {
    const { older, newer } = item
    if (older) older.newer = newer
    else this.oldest = newer
    if (newer) newer.older = older
    else this.newest = older
    item.older = undefined
    item.newer = undefined
    this.size--
  }

  /** @param item an item of this list that has just been used */
  use(item: T): void {
    if (item === this.newest) return
    this.remove(item)
    this.add(item)
  }

  /** The items, oldest first. The list must not change during the iteration. */
  *values(): Generator<T> {
    for (let item = this.oldest; item; item = item.newer) yield item
  }
}
