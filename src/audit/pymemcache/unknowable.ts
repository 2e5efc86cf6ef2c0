/** Values whose text in Python cannot be known from a trace. */
import { PyGlobal, PyIterator, PythonObject, PyUnpicklable } from '../../values/index.js'
import { builtinOf } from '../methods/builtins.js'
import { itemsOf } from '../methods/conversions.js'

/**
 * Its `str()` is code of its class, which is not in a trace, or contains its address in memory. Subclasses of text have the `str` of their text, unless
 * they are made by a call of their class, like members of enums.
 */
export function isUnknowable(value: unknown): boolean {
  if (value instanceof PythonObject) {
    const builtin = builtinOf(value)
    return typeof builtin !== 'string' || value.how === 'call'
  }
  if (value instanceof PyIterator || value instanceof PyGlobal || value instanceof PyUnpicklable) return true
  const items = value instanceof Map ? [...value.keys(), ...value.values()] : (itemsOf(value) ?? [])
  return typeof value === 'object' && !(value instanceof Uint8Array) && items.some(isNestedUnknowable)
}

/** Inside of a container it is the `repr` that counts. */
function isNestedUnknowable(value: unknown): boolean {
  return value instanceof PythonObject || isUnknowable(value)
}
