/** One form for objects that a pickle of protocol 0 or 1 made and those that a later one made, so that they can be compared. */
import { isPlain } from '../../python/options.js'
import { PyFloat, PyTuple, PythonObject } from '../classes/built-ins.js'

/**
 * An object that `copyreg._reconstructor` made of its built-in value, as later protocols make it: by `__new__`, its items set afterwards.
 * Not for storing: a class whose `__new__` takes other arguments (a namedtuple) cannot be made this way, and which it takes is not known.
 */
export function madeByNew(object: PythonObject): PythonObject {
  const { type, base, args, state, hasState, stateSetter, how } = object
  const [value] = args
  const name = how === 'base' && base?.module === 'builtins' ? base.name : undefined
  const isList = name === 'list' && Array.isArray(value)
  const isDict = name === 'dict' && value instanceof Map
  const isPlainObject = name === 'object' && (value ?? null) === null
  if (!isList && !isDict && !isPlainObject && (name === undefined || builtinName(value) !== name))
    return object
  const made = new PythonObject(type, isList || isDict || isPlainObject ? [] : [value], 'new')
  if (isList) made.listItems.push(...value)
  if (isDict) made.dictItems.push(...value)
  return Object.assign(made, { state, hasState, stateSetter })
}

/** The built-in type of a value that a class can be made of. */
export function builtinName(value: unknown): string | undefined {
  if (typeof value === 'string') return 'str'
  if (typeof value === 'number' || typeof value === 'bigint') return 'int'
  if (value instanceof PyFloat) return 'float'
  if (value instanceof PyTuple) return 'tuple'
  if (value instanceof Uint8Array) return 'bytes'
  if (Array.isArray(value)) return 'list'
  return value instanceof Map || isPlain(value) ? 'dict' : undefined
}
