/**
 * Detects keys that an attacker chose so that V8 puts all of them into one bucket of a Map or Set, which makes filling it quadratic. The hashes of
 * text and objects differ in each process; those of numbers, bigints, text that is an array index, and long text do not. Source: V8's
 * `ComputeUnseededHash`, `ComputeLongHash`, `StringHasher::MakeArrayIndexHash` and `StringHasher::GetTrivialHash`.
 */

/** Fewer steps take little time. The comparison of short keys is one step. */
export const LEAST_CLASHING = 2048
/** Fewer keys take little time, even if they are long and have equal hashes. */
export const LEAST_LONG = 64
/** The hash of longer text is its length (`String::kMaxHashCalcLength`). */
export const LONGEST_HASHED = 16_383
/** Shorter integers are compared in one step. Bits. */
const LONG_INTEGER = 1024
/** Characters or hexadecimal digits that are compared in one step. */
const COMPARED_AT_ONCE = 64
/** The average number of keys in the bucket of a key: about one to two if the hashes are evenly spread. */
const MOST_NEIGHBOURS = 64

/** Whether a Map would need far more steps than keys to find these keys. */
export function clashes(keys: readonly unknown[]): boolean {
  // A repeated key takes no further place.
  return tooManySteps(keys) && tooManySteps(distinct(keys))
}

function tooManySteps(keys: readonly unknown[]): boolean {
  const buckets = 2 ** Math.floor(Math.log2(keys.length + 1))
  const counts = new Uint32Array(buckets)
  /** Groups long text by length: a comparison of texts with different lengths ends at once. */
  const longTexts = new Map<number, number>()
  let steps = 0
  let least = 0
  for (const key of keys) {
    const size = stepsToCompare(key)
    least += size
    if (typeof key === 'string' && key.length > LONGEST_HASHED) {
      const alike = (longTexts.get(key.length) ?? 0) + 1
      longTexts.set(key.length, alike)
      steps += alike * size
      continue
    }
    const hash = knownHash(key)
    if (hash !== undefined) steps += ++counts[hash & (buckets - 1)]! * size
  }
  return least >= LEAST_CLASHING && steps > MOST_NEIGHBOURS * least
}

function stepsToCompare(key: unknown): number {
  if (typeof key === 'string') return key.length > LONGEST_HASHED ? key.length / COMPARED_AT_ONCE : 1
  if (typeof key !== 'bigint' || BigInt.asIntN(LONG_INTEGER, key) === key) return 1
  return key.toString(16).length / COMPARED_AT_ONCE
}

/** Counts different values by sorting them. A Set would be slow for these values. */
function distinct(keys: readonly unknown[]): unknown[] {
  const sorted = keys
    .filter((key) => knownHash(key) !== undefined || (typeof key === 'string' && key.length > LONGEST_HASHED))
    .sort((a, b) => {
      if (typeof a !== typeof b) return typeof a < typeof b ? -1 : 1
      return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
    })
  return sorted.filter((key, i) => key !== sorted[i - 1])
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/
const words = new Uint32Array(2)
const float = new Float64Array(words.buffer)

/** Undefined for keys whose hash cannot be computed here. */
function knownHash(key: unknown): number | undefined {
  if (typeof key === 'number') {
    if (key === (key | 0)) return hash32(key)
    float[0] = key
    return hash64((BigInt(words[1]!) << 32n) | BigInt(words[0]!))
  }
  if (typeof key === 'bigint') return hash64(BigInt.asUintN(64, key < 0n ? -key : key))
  return typeof key === 'string' && key.length <= 10 && INDEX.test(key) ? Number(key) | 0 : undefined
}

function hash32(key: number): number {
  let hash = ~key + (key << 15)
  hash ^= hash >>> 12
  hash = (hash + (hash << 2)) | 0
  hash ^= hash >>> 4
  hash = Math.imul(hash, 2057)
  hash ^= hash >>> 16
  return hash & 0x3fffffff
}

const MASK = (1n << 64n) - 1n

function hash64(key: bigint): number {
  let hash = (~key + (key << 18n)) & MASK
  hash ^= hash >> 31n
  hash = (hash * 21n) & MASK
  hash ^= hash >> 11n
  hash = (hash + (hash << 6n)) & MASK
  hash ^= hash >> 22n
  return Number(hash & 0x3fffffffn)
}
