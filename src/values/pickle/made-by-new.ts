/** Brings objects from pickles of protocols 0 and 1 into the form that later protocols give them, so that they can be compared. */
import { isPlain } from '../../python/options.js'
import { PyFloat, PyTuple, PythonObject } from '../classes/built-ins.js'

/**
 * Converts an object that `copyreg._reconstructor` made from a built-in value into the later form: `__new__`, then the items.
 * The result must not be stored: a class whose `__new__` takes other arguments (a namedtuple) cannot be made this way, and the pickle does not
 * say which arguments it takes.
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

/** The built-in type from whose value an instance of a subclass is made. */
export function builtinName(value: unknown): string | undefined {
  if (typeof value === 'string') return 'str'
  if (typeof value === 'number' || typeof value === 'bigint') return 'int'
  if (value instanceof PyFloat) return 'float'
  if (value instanceof PyTuple) return 'tuple'
  if (value instanceof Uint8Array) return 'bytes'
  if (Array.isArray(value)) return 'list'
  return value instanceof Map || isPlain(value) ? 'dict' : undefined
}
