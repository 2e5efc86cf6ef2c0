/**
 * Converts preserved values to plain JavaScript: numbers for floats, Arrays for tuples, objects for dicts. The content of an object of a class is
 * not converted, so that it can be written back unchanged.
 */

import { PyByteArray, PyFloat, PyFrozenSet, PyTuple, PythonObject } from '../../classes/built-ins.js'
import { PyCounter, PyDefaultDict, PyDeque, PyOrderedDict } from '../../classes/collections.js'
import { standIn } from '../../classes/stand-ins.js'
import { childrenOf, isContainer } from './depth.js'
import { LONGEST_HASHED } from './hash-flood.js'

/** The form of dicts, as in `UnpickleOptions`. */
type Dicts = 'auto' | 'map' | undefined

/**
 * Converts the content of an object (its `args`, `state` or `attributes`) to plain JavaScript: numbers, Arrays and objects in place of `PyFloat`,
 * `PyTuple` and Maps. The given value is not changed.
 * @param dicts `map` makes every dict a Map
 */
export function plainValue(value: unknown, dicts: 'auto' | 'map' = 'auto'): unknown {
  return plain(value, dicts, new Map())
}

/** Converts values outside of objects to plain JavaScript. Containers in `foreign` belong to the caller and are not changed. */
export function plainOutside(root: unknown, dicts: Dicts, foreign: ReadonlySet<unknown>): unknown {
  const copies = new Map<object, unknown>()
  for (const held of heldByObjects(root, foreign)) copies.set(held, held)
  for (const value of foreign) if (isContainer(value)) copies.set(value, value)
  return plain(root, dicts, copies)
}

/** Mutable containers that an object contains. They are not converted at any other place either, because one container cannot have two forms. */
function heldByObjects(root: unknown, foreign: ReadonlySet<unknown>): Set<object> {
  const all = reached([root], foreign)
  const parts = [...all].filter((value) => value instanceof PythonObject).flatMap(childrenOf)
  const held = reached(parts, foreign)
  for (const value of held) if (value instanceof PyTuple || value instanceof PyFrozenSet) held.delete(value)
  return held
}

function reached(from: readonly unknown[], foreign: ReadonlySet<unknown>): Set<object> {
  const found = new Set<object>()
  const open = [...from]
  while (open.length > 0) {
    const value = open.pop()
    if ((!isContainer(value) && !(value instanceof PyByteArray)) || found.has(value) || foreign.has(value))
      continue
    found.add(value)
    if (isContainer(value)) for (const child of childrenOf(value)) open.push(child)
  }
  return found
}

/** @param copies the copy of each container, or the container itself if it is unchanged */
export function plain(value: unknown, dicts: Dicts, copies: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof PyFloat) return value.value
  const known = copies.get(value)
  if (known !== undefined) return known
  if (value instanceof PyByteArray) {
    const bytes = standIn(value.bytes.subarray())
    copies.set(value, bytes)
    return bytes
  }
  const inside = (item: unknown) => plain(item, dicts, copies)
  if (Array.isArray(value) || value instanceof PyTuple) return list(value, inside, copies)
  if (value instanceof Set || value instanceof PyFrozenSet) {
    const set = value instanceof Set ? new Set<unknown>() : standIn(new Set<unknown>())
    copies.set(value, set)
    for (const item of value instanceof Set ? value : value.items) set.add(inside(item))
    return set
  }
  if (value instanceof PyDeque) {
    const deque = new PyDeque<unknown>([], value.maxlen)
    deque.attributes = value.attributes
    copies.set(value, deque)
    for (const item of value.items) deque.items.push(inside(item))
    return deque
  }
  return value instanceof Map ? dict(value, dicts, inside, copies) : value
}

function list(
  value: readonly unknown[] | PyTuple,
  inside: (item: unknown) => unknown,
  copies: Map<object, unknown>,
): unknown[] {
  const made: unknown[] = value instanceof PyTuple ? standIn([]) : []
  copies.set(value, made)
  for (const item of value instanceof PyTuple ? value.items : value) made.push(inside(item))
  return made
}

function dict(
  value: Map<unknown, unknown>,
  dicts: Dicts,
  inside: (item: unknown) => unknown,
  copies: Map<object, unknown>,
): unknown {
  if (dicts !== 'map' && Object.getPrototypeOf(value) === Map.prototype && fitsObject(value)) {
    const object: Record<string, unknown> = {}
    copies.set(value, object)
    for (const [key, item] of value) setOwn(object, key as string, inside(item))
    return object
  }
  const map = emptyLike(value)
  copies.set(value, map)
  for (const [key, item] of value) map.set(inside(key), inside(item))
  return map
}

function emptyLike(value: Map<unknown, unknown>): Map<unknown, unknown> {
  if (value instanceof PyDefaultDict) return withAttributes(new PyDefaultDict(value.factory), value)
  if (value instanceof PyOrderedDict) return withAttributes(new PyOrderedDict(), value)
  return value instanceof PyCounter ? withAttributes(new PyCounter(), value) : new Map()
}

function withAttributes<T extends { attributes: unknown }>(made: T, value: T): T {
  made.attributes = value.attributes
  return made
}

/** Whether a plain object keeps the keys and their order. */
export function fitsObject(map: ReadonlyMap<unknown, unknown>): boolean {
  for (const key of map.keys()) if (typeof key !== 'string' || !isPropertyName(key)) return false
  return true
}

/**
 * Plain objects move keys that look like array indexes to the front, so that the order of a dict would be lost. V8 keeps all property names in one
 * table for the whole process, where long names of equal length have equal hashes.
 */
export function isPropertyName(key: string): boolean {
  return key.length <= LONGEST_HASHED && !(key.charCodeAt(0) < 0x3a && /^(?:0|[1-9]\d{0,9})$/.test(key))
}

/** An assignment to `__proto__` would change the object's prototype. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** The view of an object that a converter receives. @param copies shared by all objects of one reading, which may contain the same values */
export function plainObject(object: PythonObject, dicts: Dicts, copies: Map<object, unknown>): PythonObject {
  const inside = (item: unknown) => plain(item, dicts, copies)
  const args = copies.get(object.args) ?? list(object.args, inside, copies)
  const kwargs =
    object.kwargs && new Map([...object.kwargs].map(([key, value]) => [inside(key), inside(value)] as const))
  const view = new PythonObject(object.type, args as unknown[], object.how, kwargs, object.base)
  view.state = inside(object.state)
  view.hasState = object.hasState
  view.stateSetter = object.stateSetter
  for (const item of object.listItems) view.listItems.push(inside(item))
  for (const [key, value] of object.dictItems) view.dictItems.push([inside(key), inside(value)])
  for (const item of object.setItems) view.setItems.push(inside(item))
  return view
}
