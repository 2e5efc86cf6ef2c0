/** Turns Python's dicts into plain objects, which is the form that JavaScript's caches return. */
import { isStandIn, standIn } from '../values/classes/stand-ins.js'

/**
 * Turns every dict whose keys are text into an object. Reading keeps a dict with a key like `'1'` as a Map, because that key would move to the front
 * in an object; here such a dict becomes an object too.
 */
export function withObjects(root: unknown): unknown {
  const made = new Map<unknown, unknown>()
  return convert(root)

  function convert(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (made.has(value)) return made.get(value)
    if (Array.isArray(value))
      return keep<unknown[]>(value, isStandIn(value) ? standIn([]) : [], (into) => {
        for (const item of value) into.push(convert(item))
      })
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) return object(value, Object.entries(value))
    if (prototype !== Map.prototype) return value
    const entries = [...(value as Map<unknown, unknown>)]
    if (entries.every(([key]) => typeof key === 'string'))
      return object(value, entries as [string, unknown][])
    return keep<Map<unknown, unknown>>(value, new Map(), (into) => {
      for (const [key, item] of entries) into.set(convert(key), convert(item))
    })
  }

  function object(value: object, entries: readonly (readonly [string, unknown])[]): object {
    return keep(value, {}, (into) => {
      for (const [key, item] of entries)
        Object.defineProperty(into, key, {
          value: convert(item),
          enumerable: true,
          configurable: true,
          writable: true,
        })
    })
  }

  /** Registered before it is filled, so that a value may contain itself. */
  function keep<T extends object>(value: unknown, into: T, fill: (into: T) => void): T {
    made.set(value, into)
    fill(into)
    return into
  }
}
