/**
 * The order of the keys in a dict or set of Python 2.7, which is the order of its hash table. Source: CPython 2.7's Objects/dictobject.c,
 * setobject.c and the hashes of str, unicode (UCS-4), int and tuple on 64 bits, without -R.
 */
import { PyFloat, PyTuple } from '../../classes/built-ins.js'

const MASK = (1n << 64n) - 1n
const PERTURB_SHIFT = 5n
const LEAST_SIZE = 8
/** A larger table grows to twice its size, a smaller one to four times its size. */
const LARGE = 50_000

/** Sorts the entries. They keep their order if the hash of one is unknown or depends on its address in memory. */
export function python2Order<T>(entries: readonly T[], keyOf: (entry: T) => unknown): T[] {
  if (entries.length < 2) return [...entries]
  const hashes: bigint[] = []
  for (const entry of entries) {
    const hash = hashOf(keyOf(entry))
    if (hash === undefined) return [...entries]
    hashes.push(hash)
  }
  return slots(hashes).map((index) => entries[index]!)
}

/** The indexes in the order of the hash table after the keys were inserted one after the other. All keys differ. */
function slots(hashes: readonly bigint[]): number[] {
  let table: (number | undefined)[] = new Array(LEAST_SIZE).fill(undefined)
  let used = 0
  for (let index = 0; index < hashes.length; index++) {
    table[free(table, hashes[index]!)] = index
    used++
    if (used * 3 < table.length * 2) continue
    let size = LEAST_SIZE
    while (size <= used * (used > LARGE ? 2 : 4)) size *= 2
    const grown: (number | undefined)[] = new Array(size).fill(undefined)
    for (const old of table) if (old !== undefined) grown[free(grown, hashes[old]!)] = old
    table = grown
  }
  return table.filter((index) => index !== undefined)
}

function free(table: readonly (number | undefined)[], hash: bigint): number {
  const mask = BigInt(table.length - 1)
  let slot = hash & mask
  for (let perturb = hash; table[Number(slot & mask)] !== undefined; perturb >>= PERTURB_SHIFT)
    slot = (slot << 2n) + slot + perturb + 1n
  return Number(slot & mask)
}

/** The hash as an unsigned number of 64 bits. */
function hashOf(key: unknown): bigint | undefined {
  if (typeof key === 'string') return textHash(Array.from(key, (character) => character.codePointAt(0)!))
  if (key instanceof Uint8Array) return textHash([...key])
  if (typeof key === 'boolean') return BigInt(key)
  if (typeof key === 'bigint' || (typeof key === 'number' && Number.isInteger(key)))
    return intHash(BigInt(key))
  if (key instanceof PyFloat && Number.isSafeInteger(key.value)) return intHash(BigInt(key.value))
  if (key instanceof PyTuple) return tupleHash(key.items)
  return Array.isArray(key) ? tupleHash(key) : undefined
}

function textHash(codes: readonly number[]): bigint {
  if (codes.length === 0) return 0n
  let hash = BigInt(codes[0]!) << 7n
  for (const code of codes) hash = ((1000003n * hash) & MASK) ^ BigInt(code)
  return settled(hash ^ BigInt(codes.length))
}

function intHash(value: bigint): bigint | undefined {
  return BigInt.asIntN(64, value) === value ? settled(value & MASK) : undefined
}

function tupleHash(items: readonly unknown[]): bigint | undefined {
  let hash = 0x345678n
  let factor = 1000003n
  let left = BigInt(items.length)
  for (const item of items) {
    const part = hashOf(item)
    if (part === undefined) return undefined
    left--
    hash = ((hash ^ part) * factor) & MASK
    factor = (factor + 82520n + left + left) & MASK
  }
  return settled((hash + 97531n) & MASK)
}

/** Python replaces −1, which means failure in C. */
function settled(hash: bigint): bigint {
  return hash === MASK ? MASK - 1n : hash
}
