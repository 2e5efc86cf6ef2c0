/** Python's int(text, 10) for stored numbers. Sources: docs/reference/pylibmc.md#4.3, docs/reference/python-memcached.md#9.4. */
import { ValueError } from '../../python/errors.js'
import { byteTextRepr, MAX_INTEGER_DIGITS } from '../../python/repr.js'
import { shrink } from '../pickle/text.js'

/** One sign, digits with single underscores between them. */
const INTEGER = /^([+-]?)(\d+(?:_\d+)*)$/
/** Longer input is checked without the regular expression, which would run out of stack. */
const LONGEST = 4 * MAX_INTEGER_DIGITS

/**
 * @param repr how the message shows a value that is not a number: pylibmc reads text, python-memcached bytes
 * @returns number when safe, else bigint @throws ValueError like Python's int()
 */
export function pythonInteger(data: Buffer, repr: (text: string) => string): number | bigint {
  const trimmed = withoutBlanks(data)
  if (trimmed.length > LONGEST) throw longInteger(data, trimmed, repr)
  const match = INTEGER.exec(trimmed.toString('latin1'))
  if (!match)
    throw new ValueError(
      `invalid literal for int() with base 10: ${repr(data.toString('latin1', 0, 200)).slice(0, 200)}`,
    )
  const digits = match[2]!.replaceAll('_', '')
  if (digits.length > MAX_INTEGER_DIGITS) {
    throw new ValueError(
      `Exceeds the limit (${MAX_INTEGER_DIGITS} digits) for integer string conversion: value has ${digits.length} digits`,
    )
  }
  if (digits.length < 16) return Number(`${match[1]}${digits}`) + 0
  return shrink(BigInt(match[1] === '-' ? `-${digits}` : digits))
}

/** Without the ASCII blanks at both ends. */
function withoutBlanks(data: Buffer): Buffer {
  let start = 0
  let end = data.length
  while (start < end && isBlank(data[start]!)) start++
  while (end > start && isBlank(data[end - 1]!)) end--
  return data.subarray(start, end)
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 9 && byte <= 13)
}

function longInteger(data: Buffer, trimmed: Buffer, repr: (text: string) => string): ValueError {
  const strange = trimmed.findIndex((byte, i) => (byte < 0x30 || byte > 0x39) && byte !== 0x5f && i > 0)
  return strange < 0
    ? new ValueError(
        `Exceeds the limit (${MAX_INTEGER_DIGITS} digits) for integer string conversion: value has ${trimmed.length} digits`,
      )
    : new ValueError(
        `invalid literal for int() with base 10: ${repr(data.toString('latin1', 0, 200)).slice(0, 200)}`,
      )
}

/** Whether a value becomes an integer in Python. Numbers outside of the safe range become floats. */
export function isInteger(value: unknown): value is number | bigint {
  return (
    typeof value === 'bigint' ||
    (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0))
  )
}

/** Whether an integer becomes a `long` in Python 2, which it does from 64 bits on. */
export function isLong(value: unknown): value is number | bigint {
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value))) return false
  return BigInt.asIntN(64, BigInt(value)) !== BigInt(value)
}

/** Python 2's grammar has no underscores in numbers, and its messages show bytes as text. @throws ValueError */
export function python2Integer(data: Buffer, type: 'int' | 'long'): number | bigint {
  if (data.includes(0)) throw new ValueError(`null byte in argument for ${type}()`)
  // Blanks may follow the sign, and a long may end with an L.
  const [, sign, digits, end] = /^\s*([+-]?)\s*(\d+)([lL]?)\s*$/.exec(data.toString('latin1')) ?? []
  if (digits === undefined || (end !== '' && type === 'int')) throw noInteger(data, type)
  try {
    return pythonInteger(Buffer.from(`${sign}${digits}`), byteTextRepr)
  } catch {
    throw noInteger(data, type)
  }
}

function noInteger(data: Buffer, type: 'int' | 'long'): ValueError {
  return new ValueError(
    `invalid literal for ${type}() with base 10: ${byteTextRepr(data.toString('latin1'))}`,
  )
}
