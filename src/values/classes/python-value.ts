/** The base of all classes for Python values: their text, their form in JSON, and how Node shows them. */
import { integerRepr } from '../../python/repr.js'
import { DESCRIBE, type Description, describe } from '../describe.js'

/** The longest text of `String(value)` and of `console.log`, in characters. */
const LONGEST = 10_000

/** The method that Node's `util.inspect` and `console.log` call. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

/** Base of the classes of this package that stand for Python's. */
export abstract class PythonValue {
  /** As Python's str() writes it. */
  toString(): string {
    return valueRepr(this)
  }

  /** @internal */
  abstract [DESCRIBE](into: Description): void

  /** @internal As Python's repr() shows it. */
  [INSPECT](): string {
    return valueRepr(this)
  }
}

/** Base of the classes that contain other values. */
export abstract class PythonContainer extends PythonValue {
  /** The form for JSON, with all nested values. @throws TypeError for a value that is part of itself */
  toJSON(): unknown {
    return jsonValue(this)
  }
}

/** As Python's repr() shows it. */
export function valueRepr(value: unknown): string {
  return describe(value, LONGEST)
}

/** Converts a container of Python for JSON. */
export const JSON_OF: unique symbol = Symbol.for('memshim.json') as never

type Inside = (value: unknown) => unknown

interface JsonContainer {
  [JSON_OF](inside: Inside): unknown
}

/**
 * Converts a value for JSON. Maps, Sets and bigints become objects, arrays and text, because JSON.stringify refuses bigints and writes Maps and
 * Sets as empty objects. @throws TypeError for a value that is part of itself
 */
export function jsonValue(value: unknown, open: readonly unknown[] = []): unknown {
  if (typeof value === 'bigint') return integerRepr(value)
  if (typeof value !== 'object' || value === null) return value
  if (open.includes(value)) throw new TypeError('a value that is part of itself has no JSON')
  const inside = (item: unknown) => jsonValue(item, [...open, value])
  if (JSON_OF in value) return (value as JsonContainer)[JSON_OF](inside)
  if (value instanceof Map) return jsonEntries(value, inside)
  return Array.isArray(value) || value instanceof Set ? Array.from(value, inside) : value
}

/** Entries as an object; keys that are not text are shown as Python's repr() shows them. */
export function jsonEntries(
  entries: Iterable<readonly [unknown, unknown]>,
  inside: Inside,
): Record<string, unknown> {
  return Object.fromEntries(
    Array.from(entries, ([key, value]) => [typeof key === 'string' ? key : valueRepr(key), inside(value)]),
  )
}
