/**
 * How memcached 1.6.18 divides memory: pages of 1 MiB given to classes of equal chunks, never given back here.
 * Facts: `stats slabs` of memcached 1.6.18 with default settings (-n 48, -f 1.25, -I 1m).
 */
const page = 1024 * 1024
/** Items above this are kept in several chunks of the last class. */
const largestChunk = page / 2
/** Header of an item (48 bytes) with its CAS unique (8). */
const header = 56

export const largestItem = page

/** Chunk sizes; the class with index i has the number i + 1. */
export const chunkSizes: readonly number[] = (() => {
  const sizes: number[] = []
  for (let size = 96; size < largestChunk / 1.25; ) {
    sizes.push(size)
    size = Math.ceil(Math.trunc(size * 1.25) / 8) * 8
  }
  return [...sizes, largestChunk]
})()

/** Memory of an item in bytes, as `stats` counts it. @param length bytes of the value */
export function itemSize(keyLength: number, flags: number, length: number): number {
  return header + keyLength + 1 + (flags === 0 ? 0 : 4) + length + 2
}

/** Index into `chunkSizes`; the item has to be no larger than `largestItem`. */
export function classOf(size: number): number {
  const index = chunkSizes.findIndex((chunk) => size <= chunk)
  return index < 0 ? chunkSizes.length - 1 : index
}

export interface SlabClass {
  pages: number
  /** Chunks in use. */
  used: number
}

export class Slabs {
  readonly classes: readonly SlabClass[] = chunkSizes.map(() => ({ pages: 0, used: 0 }))
  pages = 0

  /** @param limit bytes, as memcached's -m times 2^20 */
  constructor(readonly limit: number) {}

  /** Takes memory for an item of this size. @returns false when another item of its class has to go first */
  take(size: number): boolean {
    const index = classOf(size)
    const slab = this.classes[index]!
    const chunks = chunksOf(size)
    while (slab.pages * perPage(index) - slab.used < chunks) {
      // Every class may have one page, whatever the limit says.
      if (slab.pages > 0 && (this.pages + 1) * page > this.limit) return false
      slab.pages++
      this.pages++
    }
    slab.used += chunks
    return true
  }

  give(size: number): void {
    this.classes[classOf(size)]!.used -= chunksOf(size)
  }
}

export function perPage(index: number): number {
  return Math.trunc(page / chunkSizes[index]!)
}

function chunksOf(size: number): number {
  return Math.max(1, Math.ceil(size / largestChunk))
}
