/**
 * memcached 1.6.18's division of memory: pages of 1 MiB are divided into equal chunks of a class and are never freed.
 * Facts: `stats slabs` of memcached 1.6.18 with default settings (-n 48, -f 1.25, -I 1m).
 */
const page = 1024 * 1024
/** The largest item in one chunk. A larger one takes several chunks of the last class. */
const largestChunk = page / 2
/** Header of an item (48 bytes) with its CAS unique (8). */
const header = 56
/** Header of each further chunk of a large item. */
const chunkHeader = 48

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

/** The class of each size in units of eight bytes, since chunk sizes are multiples of eight. */
const classes = (() => {
  const found = new Uint8Array(largestChunk / 8 + 1)
  let index = 0
  for (let unit = 0; unit < found.length; unit++) {
    if (unit * 8 > chunkSizes[index]!) index++
    found[unit] = index
  }
  return found
})()

/** Index into `chunkSizes`. The item must not be larger than `largestItem`. */
export function classOf(size: number): number {
  return classes[Math.ceil(size / 8)] ?? chunkSizes.length - 1
}

/** The counters of `stats slabs` per class. */
const zeroHits = {
  get_hits: 0,
  cmd_set: 0,
  delete_hits: 0,
  incr_hits: 0,
  decr_hits: 0,
  cas_hits: 0,
  cas_badval: 0,
  touch_hits: 0,
}

export type SlabCounter = keyof typeof zeroHits

export interface SlabClass {
  pages: number
  /** Chunks in use. */
  used: number
  hits: typeof zeroHits
}

export class Slabs {
  readonly classes: readonly SlabClass[] = chunkSizes.map(() => ({
    pages: 0,
    used: 0,
    hits: { ...zeroHits },
  }))
  pages = 0

  /** @param limit bytes, as memcached's -m times 2^20 */
  constructor(readonly limit: number) {}

  /**
   * Takes memory for an item of this size.
   * @returns a class without a free chunk, in which an item has to be evicted first; then no memory was taken
   */
  take(size: number): number | undefined {
    if (!isChunked(size)) {
      const index = classOf(size)
      return this.takeChunk(index) ? undefined : index
    }
    const chunks = chunksOf(size)
    for (const [i, index] of chunks.entries()) {
      if (this.takeChunk(index)) continue
      for (const taken of chunks.slice(0, i)) this.classes[taken]!.used--
      return index
    }
    return undefined
  }

  give(size: number): void {
    if (!isChunked(size)) {
      this.classes[classOf(size)]!.used--
      return
    }
    for (const index of chunksOf(size)) this.classes[index]!.used--
  }

  resetHits(): void {
    for (const slab of this.classes) slab.hits = { ...zeroHits }
  }

  private takeChunk(index: number): boolean {
    const slab = this.classes[index]!
    if (slab.used === slab.pages * perPage(index)) {
      // Every class may have one page, even beyond the limit.
      if (slab.pages > 0 && (this.pages + 1) * page > this.limit) return false
      slab.pages++
      this.pages++
    }
    slab.used++
    return true
  }
}

export function isChunked(size: number): boolean {
  return size > largestChunk
}

export function perPage(index: number): number {
  return Math.trunc(page / chunkSizes[index]!)
}

/** The classes of the chunks that an item takes: one chunk, or for a large item its header, full chunks and the rest. */
function chunksOf(size: number): readonly number[] {
  if (!isChunked(size)) return [classOf(size)]
  const chunks = [classOf(header + chunkHeader)]
  for (let left = size - header; left > 0; left -= largestChunk - chunkHeader) {
    chunks.push(classOf(Math.min(left + chunkHeader, largestChunk)))
  }
  return chunks
}
