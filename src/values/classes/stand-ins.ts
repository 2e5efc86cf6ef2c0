/**
 * Plain values that represent Python types which JavaScript lacks: an Array for a tuple, a Set for a frozenset, a
 * Buffer for a bytearray. A private field marks them, so that they are written back with the same type. The mark is not visible.
 */

/** A base class that returns its argument, so that the private field of a derived class is added to that object. */
function given(this: unknown, value: object): object {
  return value
}
const Given = given as unknown as new (value: object) => object

class Mark extends Given {
  readonly #standsIn = true
  static on(value: object): boolean {
    return #standsIn in value
  }
}

/** Marks a new Array as a tuple, a Set as a frozenset, a Buffer as a bytearray. */
export function standIn<T extends object>(value: T): T {
  new Mark(value)
  return value
}

/** Whether a value represents Python's bytes. A Buffer that represents a bytearray does not. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && !isStandIn(value)
}

/** Whether an Array represents a tuple, a Set a frozenset, or a Buffer a bytearray. Copies of them lack the mark. */
export function isStandIn(value: object): boolean {
  return Mark.on(value)
}
