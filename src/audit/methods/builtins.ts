/**
 * Instances of subclasses (Django's SafeString, an IntEnum) as their built-in type. C code of pylibmc uses the
 * built-in type, and so does python-memcached except for the exact type of a value.
 * Source: measured, `fixtures/vectors/calling-forms.json`.
 */
import { PyByteArray, PyFloat, PyTuple, PythonObject } from '../../values/index.js'

/**
 * The value as its built-in type; undefined when it has none. The trace has it in `$base`; for older traces it is read from the
 * pickle, where `new` with one argument of a built-in type is how Python writes a subclass of that type.
 */
export function builtinOf(value: PythonObject): unknown {
  if (value.builtin !== undefined) return value.builtin
  if (value.how === 'base') return value.args[0]
  if (value.how === 'new' && !value.kwargs) {
    const [only] = value.args
    if (value.args.length === 1 && isScalar(only)) return only
    if (value.args.length === 1 && only instanceof PyTuple && value.listItems.length === 0) return only
    if (value.args.length === 0 && value.dictItems.length > 0) return new Map(value.dictItems)
    if (value.args.length === 0 && value.listItems.length > 0) return [...value.listItems]
  }
  return undefined
}

/** Text, bytes or a number: the argument of `__new__` of a subclass of `str`, `bytes`, `int` or `float`. */
function isScalar(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    value instanceof Uint8Array ||
    value instanceof PyFloat
  )
}

/** Any value: instances of subclasses become their built-in value. */
export function asBuiltin(value: unknown): unknown {
  if (!(value instanceof PythonObject)) return value
  const builtin = builtinOf(value)
  return builtin === undefined ? value : builtin
}

/** The same, also for the items of a list, tuple or set and the keys of a dict. */
export function withBuiltinItems(value: unknown): unknown {
  const plain = asBuiltin(value)
  if (Array.isArray(plain)) return plain.map(asBuiltin)
  if (plain instanceof PyTuple) return new PyTuple(plain.items.map(asBuiltin))
  if (plain instanceof Set) return new Set([...plain].map(asBuiltin))
  if (plain instanceof Map && Object.getPrototypeOf(plain) === Map.prototype)
    return new Map([...plain].map(([key, item]) => [asBuiltin(key), item]))
  return plain
}

/**
 * The value that pylibmc stores: instances of subclasses of `str`, `bytes` and `int` as these types, other values unchanged.
 * python-memcached does the same up to 1.58.
 */
export function storedByType(value: unknown): unknown {
  if (!(value instanceof PythonObject)) return value
  const builtin = builtinOf(value)
  const scalar = isScalar(builtin) && !(builtin instanceof PyFloat) && !(builtin instanceof PyByteArray)
  return scalar ? builtin : value
}
