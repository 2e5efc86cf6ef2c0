/** Values whose text in Python no trace can tell. */
import { PyGlobal, PyIterator, PythonObject } from '../../values/index.js'
import { builtinOf } from '../methods/builtins.js'
import { itemsOf } from '../methods/conversions.js'

/**
 * Its `str()` is code of its class, which no trace has, or names where it lies in memory. Subclasses of text keep `str` of their text, unless
 * they are made by a call of their class, as members of enums are.
 */
export function isUnknowable(value: unknown): boolean {
  if (value instanceof PythonObject) {
    const builtin = builtinOf(value)
    return typeof builtin !== 'string' || value.how === 'call'
  }
  if (value instanceof PyIterator || value instanceof PyGlobal) return true
  const items = value instanceof Map ? [...value.keys(), ...value.values()] : (itemsOf(value) ?? [])
  return typeof value === 'object' && !(value instanceof Uint8Array) && items.some(isNestedUnknowable)
}

/** Inside of a container it is the `repr` that counts. */
function isNestedUnknowable(value: unknown): boolean {
  return value instanceof PythonObject || isUnknowable(value)
}
