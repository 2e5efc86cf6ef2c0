/**
 * Copies of values for a later comparison, because the caller may change its objects meanwhile. The copy is made in the
 * caller's turn of the event loop, so its cost is limited before it begins.
 */
import { fromTypedJson, type TypedJson, toTypedJson } from '../../values/index.js'

/** A value whose copy would take too long. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}

/** Bytes that cost about as much to copy as one element. */
const BYTES_A_PART = 1024

/** About the bytes of memory that one part takes, and one character of text at most. */
const PART_BYTES = 64
const CHARACTER_BYTES = 2

export class Snapshot {
  /** @param copy as typed JSON; undefined for values that cannot change */
  constructor(
    private readonly value: unknown,
    private readonly copy: TypedJson | undefined,
    /** About the bytes of memory that it keeps. */
    readonly size: number,
  ) {}

  /** @throws ValueEncodeError */
  equals(other: Snapshot): boolean {
    const unchanging = this.copy === undefined && other.copy === undefined
    if (unchanging && Object.is(this.value ?? null, other.value ?? null)) return true
    return this.json() === other.json()
  }

  private json(): string {
    return JSON.stringify(this.copy === undefined ? toTypedJson(this.value ?? null) : this.copy)
  }

  /** Another object with the same encoding as the first one. */
  again(): unknown {
    return this.copy === undefined ? this.value : fromTypedJson(this.copy)
  }
}

/**
 * Text, numbers, booleans and None cannot change: they are kept without a copy.
 * @param maxParts elements, keys and values of everything inside, and kilobytes of bytes
 * @throws TooLarge; ValueEncodeError for a value without a counterpart in Python
 */
export function snapshotOf(value: unknown, maxParts: number): Snapshot {
  const measure = new Measure(maxParts)
  measure.add(value)
  const copy = typeof value === 'object' && value !== null ? toTypedJson(value) : undefined
  return new Snapshot(copy === undefined ? value : undefined, copy, measure.bytes)
}

/** About the bytes of memory of a key or of a list of keys, without looking at each. */
export function sizeOfKeys(keys: unknown): number {
  if (typeof keys === 'string') return keys.length * CHARACTER_BYTES
  if (Array.isArray(keys)) return keys.length * PART_BYTES
  return keys instanceof Map || keys instanceof Set ? keys.size * PART_BYTES : PART_BYTES
}

/** Counts the bytes of a copy. */
class Measure {
  private parts = 0
  bytes = 0

  constructor(private readonly maxParts: number) {}

  /** @throws TooLarge */
  add(value: unknown): void {
    this.count(1, PART_BYTES)
    if (typeof value === 'string') this.bytes += value.length * CHARACTER_BYTES
    if (typeof value !== 'object' || value === null) return
    if (value instanceof Uint8Array) this.count(value.length / BYTES_A_PART, value.length * CHARACTER_BYTES)
    else if (Array.isArray(value) || value instanceof Set || value instanceof Map)
      for (const inner of value) this.add(inner)
    else for (const name in value) this.add(value[name as keyof typeof value])
  }

  private count(parts: number, bytes: number): void {
    this.parts += parts
    this.bytes += bytes
    if (this.parts > this.maxParts) throw new TooLarge(`more than ${this.maxParts} parts`)
  }
}
