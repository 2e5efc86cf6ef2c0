/** Keys whose copy in the other placement may be stale, up to a limit. */
import type { Key } from '../strict/index.js'

export class Unsettled {
  private readonly kept = new Map<string, Key>()
  /** There were more keys than are kept. */
  overflowed = false

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.kept.size
  }

  has(key: Key): boolean {
    return this.kept.size > 0 && this.kept.has(nameOf(key))
  }

  add(key: Key): void {
    if (this.kept.size < this.limit) this.kept.set(nameOf(key), key)
    else this.overflowed ||= !this.has(key)
  }

  delete(key: Key): void {
    if (this.kept.size > 0) this.kept.delete(nameOf(key))
  }

  keys(): Key[] {
    return [...this.kept.values()]
  }

  clear(): void {
    this.kept.clear()
    this.overflowed = false
  }
}

/** Text and its bytes are one key. */
function nameOf(key: Key): string {
  return Buffer.from(key as string).toString('latin1')
}
