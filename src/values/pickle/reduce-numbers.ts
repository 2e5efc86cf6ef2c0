/** Decimal, Fraction, UUID, range, slice and complex in pickles. Source: CPython's decimal, fractions, uuid, copyreg. */
import { MAX_INTEGER_DIGITS } from '../../python/repr.js'
import { PyComplex, PyFloat, PyGlobal, PythonObject } from '../classes/built-ins.js'
import { PyDecimal, PyFraction, PyRange, PySlice, PyUuid } from '../classes/numbers.js'
import { type Construct, FreshText, numberOf, type Reduction } from './reduction.js'
import { shrink } from './text.js'

const isInteger = (value: unknown): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))

const decimal: Construct = ([text], reading) => {
  if (typeof text !== 'string') return undefined
  reading.spend(text.length)
  try {
    return new PyDecimal(text)
  } catch {
    return undefined
  }
}

const fraction: Construct = ([numerator, denominator]) => {
  if (typeof numerator === 'string' && denominator === undefined) return fractionText(numerator)
  if (!isInteger(numerator) || !isInteger(denominator) || denominator <= 0) return undefined
  return new PyFraction(BigInt(numerator), BigInt(denominator))
}

/** Before CPython 3.9 a fraction was pickled as its text. */
function fractionText(text: string): PyFraction | undefined {
  const match = text.length > 2 * MAX_INTEGER_DIGITS ? null : /^(-?\d+)(?:\/(\d+))?$/.exec(text)
  if (!match) return undefined
  const denominator = BigInt(match[2] ?? 1)
  return denominator === 0n ? undefined : new PyFraction(BigInt(match[1]!), denominator)
}

const range: Construct = ([start, stop, step = 1]) =>
  isInteger(start) && isInteger(stop) && isInteger(step) ? new PyRange(start, stop, step) : undefined

/** `{'int': …}`, with `is_safe` when it is known. */
function uuid(object: PythonObject): PyUuid | undefined {
  const { attributes } = object
  const int = attributes.get('int')
  const isSafe = attributes.get('is_safe')
  if (!isInteger(int) || attributes.size !== (isSafe === undefined ? 1 : 2) || object.args.length > 0)
    return undefined
  if (isSafe !== undefined && typeof isSafe !== 'number') return undefined
  if (int < 0 || BigInt(int) >= 1n << 128n) return undefined
  return PyUuid.fromInt(BigInt(int), isSafe)
}

const objectType = new PyGlobal('builtins', 'object')

export const numbers: readonly Reduction[] = [
  {
    module: 'decimal',
    name: 'Decimal',
    construct: decimal,
    type: PyDecimal,
    reduce: ({ text }: PyDecimal, type) => new PythonObject(type, [new FreshText(text)], 'call'),
  },
  {
    module: 'fractions',
    name: 'Fraction',
    construct: fraction,
    type: PyFraction,
    reduce({ numerator, denominator }: PyFraction, type) {
      return new PythonObject(type, [numerator, denominator], 'call')
    },
  },
  {
    module: 'uuid',
    name: 'UUID',
    finish: uuid,
    type: PyUuid,
    reduce(value: PyUuid, type: PyGlobal, protocol) {
      const object =
        protocol < 2
          ? new PythonObject(type, [], 'base', undefined, objectType)
          : new PythonObject(type, [], 'new')
      const state = new Map<string, unknown>([['int', shrink(value.int)]])
      if (value.isSafe !== undefined) state.set('is_safe', value.isSafe)
      object.state = state
      object.hasState = true
      return object
    },
  },
  {
    module: 'builtins',
    name: 'range',
    construct: range,
    type: PyRange,
    reduce: ({ start, stop, step }: PyRange, type) => new PythonObject(type, [start, stop, step], 'call'),
  },
  {
    module: 'builtins',
    name: 'slice',
    construct: (args) => (args.length === 3 ? new PySlice(args[0], args[1], args[2]) : undefined),
    type: PySlice,
    reduce: ({ start, stop, step }: PySlice, type) => new PythonObject(type, [start, stop, step], 'call'),
  },
  {
    module: 'builtins',
    name: 'complex',
    construct([re, im]) {
      const [real, imag] = [numberOf(re), numberOf(im)]
      return real === undefined || imag === undefined ? undefined : new PyComplex(real, imag)
    },
    type: PyComplex,
    reduce({ real, imag }: PyComplex, type) {
      return new PythonObject(type, [new PyFloat(real), new PyFloat(imag)], 'call')
    },
  },
]
