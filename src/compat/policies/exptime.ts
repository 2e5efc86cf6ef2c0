/** python-memcached's time arguments. Source: docs/reference/python-memcached.md#11, #10.4. */
import { OverflowError, ValueError } from '../../python/errors.js'
import { bytesRepr, integerText } from '../../python/repr.js'
import { PythonValue } from '../../values/classes/python-value.js'
import {
  describe,
  PyByteArray,
  PyDecimal,
  PyFloat,
  PyFraction,
  PyFrozenSet,
  type PyTimeDelta,
  PyTuple,
  PyUuid,
} from '../../values/index.js'

/** The number for a value in Python: a PyFloat is a float, an integer number an int. Decimals and fractions lose digits. */
export function asNumber(time: unknown): number | bigint | undefined {
  if (time instanceof PyFloat) return time.value
  if (typeof time === 'number' || typeof time === 'bigint') return time
  if (typeof time === 'boolean') return time ? 1 : 0
  if (time instanceof PyDecimal) return Number(time.text)
  if (time instanceof PyFraction) return Number(time.numerator) / Number(time.denominator)
  return undefined
}

/**
 * `'%d' % time`, as the store commands send it: truncated towards zero.
 * @throws TypeError for anything but numbers; OverflowError, ValueError for infinities and nan (TypeError on Python 2)
 */
export function storeTime(time: unknown, python: 2 | 3): number | bigint {
  // The UUID is a number for Python's formatting.
  if (time instanceof PyUuid) return time.int
  if (time instanceof PyFraction) return smallest(writable(time.numerator / time.denominator))
  const number = asNumber(time)
  if (number === undefined) throw new TypeError(`%d format: a real number is required, not ${typeof time}`)
  if (typeof number === 'bigint') return writable(number)
  if (python === 2 && !Number.isFinite(number))
    throw new TypeError('%d format: a number is required, not float')
  const float = !(time instanceof PyDecimal)
  if (Number.isNaN(number)) throw new ValueError(`cannot convert ${float ? 'float ' : ''}NaN to integer`)
  if (!Number.isFinite(number))
    throw new OverflowError(`cannot convert ${float ? 'float infinity' : 'Infinity'} to integer`)
  const whole = Math.trunc(number)
  return Number.isSafeInteger(whole) ? whole + 0 : BigInt(whole)
}

/** @throws ValueError beyond CPython's limit of digits */
function writable(whole: bigint): bigint {
  integerText(whole)
  return whole
}

function smallest(whole: bigint): number | bigint {
  const number = Number(whole)
  return Number.isSafeInteger(number) ? number : whole
}

/** Every server refuses longer texts of one argument or key; they are refused here before they use memory. */
const LONGEST = 4096

/** Python's `str(value)`: the argument of touch, incr and decr, and the key of an object. @throws ValueError beyond CPython's limit of digits */
export function pythonText(value: unknown, python: 2 | 3): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return integerText(value)
  if (value instanceof PythonValue) return value.toString().slice(0, LONGEST)
  if (!(value instanceof Uint8Array)) return describe(value, LONGEST)
  const bytes = Buffer.from(value).toString('latin1')
  return python === 2 ? bytes : bytesRepr(bytes)
}

/** `int(delta.total_seconds())`. */
export function timedeltaSeconds({ days, seconds, microseconds }: PyTimeDelta): number {
  return Math.trunc(days * 86_400 + seconds + microseconds / 1e6) + 0
}

/** Python's len(); undefined for values without a length. */
export function pythonLength(value: unknown): number | undefined {
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) return value.length
  if (value instanceof PyTuple) return value.items.length
  if (value instanceof PyByteArray) return value.bytes.length
  if (value instanceof PyFrozenSet) return value.items.size
  if (value instanceof Map || value instanceof Set) return value.size
  const dict =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  return dict ? Object.keys(value).length : undefined
}

/** Python's bool(). */
export function pythonTruth(value: unknown): boolean {
  const number = asNumber(value)
  if (number !== undefined) return Number(number) !== 0
  return value !== null && value !== undefined && pythonLength(value) !== 0
}
