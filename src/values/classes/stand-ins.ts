/**
 * Plain values that stand in for a type of Python's that JavaScript does not have: an Array for a tuple, a Set for a frozenset, a
 * Buffer for a bytearray. They are marked, so that they are written back with the same type. The mark is a private field, which is not visible.
 */

/** Returns its argument, so that the fields of a derived class are added to that object. */
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

/** Whether a value is Python's bytes: bytes that stand in for a bytearray are not. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && !isStandIn(value)
}

/** Whether an Array is a tuple, a Set a frozenset, bytes a bytearray. Copies of them are not. */
export function isStandIn(value: object): boolean {
  return Mark.on(value)
}
