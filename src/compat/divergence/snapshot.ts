/**
 * Values as they are now, for a comparison later: the caller may go on changing the objects it has. The copy is made in the
 * caller's turn, so that its cost is bounded before it begins.
 */
import { fromTypedJson, type TypedJson, toTypedJson } from '../../values/index.js'

/** A value whose copy would take too long. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}

/** Bytes that cost about as much to copy as one element. */
const BYTES_A_PART = 1024

export class Snapshot {
  /** @param copy as typed JSON; undefined for what cannot change */
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

  /** Another object, which encodes as the first one did. */
  again(): unknown {
    return this.copy === undefined ? this.value : fromTypedJson(this.copy)
  }
}

/**
 * Text, numbers, booleans and None cannot change: they are kept as they are.
 * @param maxParts elements, keys and values of everything inside, and kilobytes of bytes
 * @throws TooLarge; ValueEncodeError for what Python has no counterpart of
 */
export function snapshotOf(value: unknown, maxParts: number): Snapshot {
  if (typeof value !== 'object' || value === null) return new Snapshot(value, undefined)
  if (rest(value, maxParts) < 0) throw new TooLarge(`more than ${maxParts} parts`)
  return new Snapshot(undefined, toTypedJson(value))
}

/** What is left of so many parts, below 0 as soon as they are spent. */
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
