/**
 * Conversions of objects of further classes when they are read, and of values of further classes when they are written. The caller registers
 * conversions by class name: a pickle never decides which function is called.
 */
import { PyFrozenSet, PyTuple, PythonObject } from '../classes/built-ins.js'

/** The conversion of one class, for reading and for writing. */
export interface PickleConverter {
  /** `module.qualified.name` of the Python class (or function), e.g. `app.models.Point`. */
  readonly className: string
  /**
   * Turns a finished object into a value; undefined leaves the object as it is. Arguments, state and items are already converted, and are plain
   * JavaScript unless the option `preserve` is set.
   */
  readonly read?: (object: PythonObject) => unknown
  /** The class whose instances are converted when they are written. */
  readonly type?: abstract new (
    ...args: never[]
  ) => unknown
  /** Turns a value of `type` into the object to write. */
  readonly write?: (value: never) => PythonObject
}

/**
 * Replaces objects of registered classes, innermost first. Shared objects stay shared. Inside itself, an object that is part of itself
 * is not replaced. Containers are changed in place.
 */
export function converted(
  root: unknown,
  converters: readonly PickleConverter[],
  /** Objects that belong to the caller and are not changed, among them those that converters made. */
  foreign: Set<unknown>,
  /** Makes the view of an object that a converter receives. */
  view: (object: PythonObject) => PythonObject,
): unknown {
  const byName = new Map(converters.filter(({ read }) => read).map((one) => [one.className, one]))
  const done = new Map<unknown, unknown>([...foreign].map((value) => [value, value]))
  const lists = new Set<readonly unknown[]>()

  function convert(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    const known = done.get(value)
    if (known !== undefined) return known
    done.set(value, value)
    inside(value)
    if (!(value instanceof PythonObject)) return value
    const converter = byName.get(value.className)
    const made = converter?.read?.(view(value))
    if (made === undefined) return value
    done.set(value, made)
    foreign.add(made)
    return made
  }

  function list(items: readonly unknown[]): void {
    // Many objects may have the same arguments.
    if (lists.has(items)) return
    lists.add(items)
    const writable = items as unknown[]
    for (let i = 0; i < items.length; i++) {
      const item = items[i]
      if (typeof item !== 'object' || item === null) continue
      const made = convert(item)
      if (made !== item) writable[i] = made
    }
  }

  function set(items: Set<unknown>): void {
    const old = [...items]
    const made = old.map(convert)
    if (made.every((item, i) => item === old[i])) return
    items.clear()
    for (const item of made) items.add(item)
  }

  function map(items: Map<unknown, unknown>): void {
    const old = [...items].flat()
    const made = old.map(convert)
    if (made.every((item, i) => item === old[i])) return
    items.clear()
    for (let i = 0; i < made.length; i += 2) items.set(made[i], made[i + 1])
  }

  function inside(value: object): void {
    if (Array.isArray(value)) list(value)
    else if (value instanceof PyTuple) list(value.items)
    else if (value instanceof Set) set(value)
    else if (value instanceof PyFrozenSet) set(value.items as Set<unknown>)
    else if (value instanceof PythonObject) object(value)
    else if (!ArrayBuffer.isView(value)) {
      if (value instanceof Map) map(value)
      properties(value as Record<string, unknown>)
    }
  }

  function object(value: PythonObject): void {
    list(value.args)
    if (value.kwargs) map(value.kwargs as Map<unknown, unknown>)
    list(value.listItems)
    list(value.setItems)
    for (const pair of value.dictItems) list(pair)
    const state = convert(value.state)
    if (state !== value.state) value.state = state
  }

  function properties(value: Record<string, unknown>): void {
    for (const key of Object.keys(value)) {
      const item = value[key]
      if (typeof item !== 'object' || item === null) continue
      const made = convert(item)
      // Never an assignment to __proto__.
      if (made !== item)
        Object.defineProperty(value, key, {
          value: made,
          enumerable: true,
          configurable: true,
          writable: true,
        })
    }
  }

  return convert(root)
}
