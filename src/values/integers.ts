/** Python's int(text, 10) for stored numbers. Sources: docs/reference/pylibmc.md#4.3, docs/reference/python-memcached.md#9.4. */
import { ValueError } from '../python/errors.js'
import { MAX_INTEGER_DIGITS, shrink } from './pickle/text.js'

/** ASCII blanks, one sign, digits with single underscores between them. */
const INTEGER = /^[ \t\n\v\f\r]*([+-]?)(\d+(?:_\d+)*)[ \t\n\v\f\r]*$/

/**
 * @param repr how the message shows what is no number: pylibmc reads text, python-memcached bytes
 * @returns number when safe, else bigint @throws ValueError like Python's int()
 */
export function pythonInteger(data: Buffer, repr: (text: string) => string): number | bigint {
  const text = data.toString('latin1')
  const match = INTEGER.exec(text)
  if (!match) throw new ValueError(`invalid literal for int() with base 10: ${repr(text.slice(0, 80))}`)
  const digits = match[2]!.replaceAll('_', '')
  if (digits.length > MAX_INTEGER_DIGITS) {
    throw new ValueError(
      `Exceeds the limit (${MAX_INTEGER_DIGITS} digits) for integer string conversion: value has ${digits.length} digits`,
    )
  }
  if (digits.length < 16) return Number(`${match[1]}${digits}`) + 0
  return shrink(BigInt(match[1] === '-' ? `-${digits}` : digits))
}

/** Decimal digits of an integer. @throws ValueError beyond CPython's limit */
export function integerText(value: number | bigint): string {
  const text = value.toString()
  if (text.length > MAX_INTEGER_DIGITS + 1) {
    throw new ValueError(`Exceeds the limit (${MAX_INTEGER_DIGITS} digits) for integer string conversion`)
  }
  return text
}

/** Is it an integer to Python? Numbers outside the safe range are floats there. */
export function isInteger(value: unknown): value is number | bigint {
  return (
    typeof value === 'bigint' ||
    (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0))
  )
}
