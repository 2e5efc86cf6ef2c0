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

export class Snapshot {
  /** @param copy as typed JSON; undefined for values that cannot change */
  constructor(
    private readonly value: unknown,
    private readonly copy: TypedJson | undefined,
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
  if (typeof value !== 'object' || value === null) return new Snapshot(value, undefined)
  if (rest(value, maxParts) < 0) throw new TooLarge(`more than ${maxParts} parts`)
  return new Snapshot(undefined, toTypedJson(value))
}

/** The remaining number of parts, below 0 when there are more. */
function rest(value: unknown, parts: number): number {
  let left = parts - 1
  if (typeof value !== 'object' || value === null) return left
  if (value instanceof Uint8Array) return left - value.length / BYTES_A_PART
  if (Array.isArray(value) || value instanceof Set || value instanceof Map) {
    for (const inner of value) {
      left = rest(inner, left)
      if (left < 0) return left
    }
    return left
  }
  for (const name in value) {
    left = rest(value[name as keyof typeof value], left)
    if (left < 0) return left
  }
  return left
}
