/**
 * The conversions of arguments by both libraries before they use them. Source: pylibmc's argument formats (docs/reference/pylibmc.md#3.1, #5),
 * python-memcached's `isinstance` checks; measured in `fixtures/vectors/calling-forms.json`.
 */

import { AttributeError } from '../../python/errors.js'
import { typeName } from '../../python/type-name.js'
import {
  PyCounter,
  PyDeque,
  PyFloat,
  PyFrozenSet,
  PyIterator,
  PyTuple,
  PythonObject,
  PyView,
} from '../../values/index.js'
import { sourceFacts } from '../columns.js'
import { asBuiltin, builtinOf, storedByType, withBuiltinItems } from './builtins.js'
import type { Bound, Library } from './python-signatures.js'

/** Parameters that hold values to store. All others are keys, numbers, flags and texts. */
const values = new Set(['val', 'value', 'default'])
const manyValues = new Set(['mapping'])

/** The arguments as converted by the library. */
export function converted(library: Library, call: string, bound: Bound): Bound {
  const found: Record<string, unknown> = {}
  for (const name in bound) {
    const value = bound[name]
    if (values.has(name)) found[name] = name === 'default' ? value : stored(library, value)
    else if (manyValues.has(name) || (name === 'keys' && (call === 'set_multi' || call === 'add_multi')))
      found[name] = mapping(library, value)
    else if (name === 'keys') found[name] = keys(value)
    else found[name] = name === 'servers' ? value : asBuiltin(value)
  }
  return found
}

/** A version of python-memcached that checks the exact type pickles subclasses of str, bytes and int. */
function stored(library: Library, value: unknown): unknown {
  const pickles = library.name === 'python-memcached' && sourceFacts(library).exactTypes
  return pickles ? value : storedByType(value)
}

function mapping(library: Library, value: unknown): unknown {
  const plain = withBuiltinItems(value)
  if (!(plain instanceof Map)) throw noMapping(library, plain)
  const items = [...plain].map(([key, item]): [unknown, unknown] => [key, stored(library, item)])
  return new Map(items)
}

/** pylibmc asks for a length, which an iterator does not have. Its class is kept for that. */
function keys(value: unknown): unknown {
  if (value instanceof PythonObject) {
    const builtin = builtinOf(value)
    return builtin instanceof Map ? new MappingSubclass(builtin) : withBuiltinItems(value)
  }
  if (value instanceof PyIterator) return new PyIterator(value.items.map(asBuiltin), value.className)
  if (value instanceof PyView) return new PyView(value.items.map(asBuiltin), value.className)
  if (value instanceof PyCounter) return new MappingSubclass(value)
  if (value instanceof PyDeque) return value.items.map(asBuiltin)
  return withBuiltinItems(value)
}

/** A dict of a class that Python code defines: unlike a dict it counts as a sequence for C code, since it has `__len__`. */
export class MappingSubclass extends Map<unknown, unknown> {}

/** The items that a `for` loop would take; undefined when the value cannot be iterated. */
export function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (value instanceof PyTuple || value instanceof PyIterator || value instanceof PyView)
    return [...value.items]
  if (value instanceof PyFrozenSet) return [...value.items]
  // Python iterates bytes by their values.
  if (value instanceof Uint8Array) return [...value]
  if (value instanceof Map) return [...value.keys()]
  if (typeof value === 'string' || value instanceof Set || Array.isArray(value)) return [...value]
  return undefined
}

/** Whether Python's `if` takes the branch. */
export function truthy(value: unknown): boolean {
  if (value instanceof PyFloat) return value.value !== 0
  const items = itemsOf(value)
  return items ? items.length > 0 : Boolean(value)
}

/** pylibmc wants a dict; python-memcached calls `keys()` or `items()`. */
function noMapping(library: Library, value: unknown): TypeError {
  const name = typeName(value)
  return library.name === 'pylibmc'
    ? new TypeError(`argument 1 must be dict, not ${name}`)
    : new AttributeError(`'${name}' object has no attribute 'keys'`)
}
