/** What the error says of a JavaScript value that has no form in Python: the value to write instead. */
import { types } from 'node:util'

const CONVERTER = 'or give a converter for its class'

/** A sentence about a value that no pickle can have. */
export function unwritable(value: unknown): string {
  if (value === undefined) return 'undefined has no form in Python: write null for None, or leave the key out'
  if (typeof value === 'function')
    return 'a function has no form in Python: write a PyGlobal for a function or class of Python, or leave the key out'
  if (typeof value === 'symbol') return 'a symbol has no form in Python: write its description'
  const object = value as object
  const kind = kindOf(object)
  const own = ownClass(object, kind)
  return own ?? `${kind} has no form in Python: ${instead(object)}`
}

/** A subclass of a type that can be written. */
function ownClass(value: object, kind: string): string | undefined {
  const advice = types.isMap(value)
    ? 'a Map with a class of its own: write new Map(value) for a dict'
    : types.isSet(value)
      ? 'a Set with a class of its own: write new Set(value) for a set'
      : Array.isArray(value)
        ? 'an Array with a class of its own: write [...value] for a list'
        : undefined
  return advice && `${kind} is ${advice}, ${CONVERTER}`
}

function instead(value: object): string {
  if (types.isDate(value)) return 'write PyDateTime.fromDate(date), or its time as a number'
  if (types.isAnyArrayBuffer(value)) return 'write Buffer.from(value) for its bytes'
  if (types.isDataView(value))
    return 'write Buffer.from(value.buffer, value.byteOffset, value.byteLength) for its bytes'
  if (ArrayBuffer.isView(value)) return 'write [...value] for a list of numbers, or a Buffer of its bytes'
  if (types.isBoxedPrimitive(value)) return 'write value.valueOf()'
  if (types.isPromise(value)) return 'await it first'
  if (types.isRegExp(value)) return 'write value.source for the text of its pattern'
  if (types.isNativeError(value))
    return "write value.message, or new PythonObject(new PyGlobal('builtins', 'Exception'), [value.message], 'call') for an exception"
  if (value instanceof URL) return 'write value.href for its text'
  const other = `a PythonObject for an object of a Python class, ${CONVERTER}`
  if (Object.keys(value).length > 0) return `write a plain object ({ ...value }) for a dict, ${other}`
  // A copy by { ...value } would be empty.
  return Symbol.iterator in value
    ? `write [...value] for a list, or Object.fromEntries(value) for a dict if it has pairs, ${CONVERTER}`
    : `write its text or its parts, ${other}`
}

/** `a Point object`, `an Int32Array`. */
function kindOf(value: object): string {
  const { constructor } = value
  const name = typeof constructor === 'function' ? constructor.name : ''
  if (name === '') return 'an object without a class name'
  const known =
    types.isDate(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    Array.isArray(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isPromise(value)
  return `${/^[AEIOaeio]/.test(name) ? 'an' : 'a'} ${name}${known ? '' : ' object'}`
}
