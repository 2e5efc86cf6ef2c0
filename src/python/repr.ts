/** Python's repr() of text, bytes and numbers. */
import type { Bytes } from '../ground/bytes.js'
import { ValueError } from './errors.js'

const NAMED: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }
const PLAIN = /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/
/** Characters that are not printable in Python (str.isprintable()), and for bytes all that are not ASCII. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u
const NOT_ASCII = /[^\x20-\x7e]/

/** `b'a\x00'` */
export function bytesRepr(bytes: Bytes): string {
  return `b${byteTextRepr(bytes)}`
}

/** `'a\x00'`: Python 2's repr() of a str, and Python 3's of text that stands for bytes. */
export function byteTextRepr(bytes: Bytes): string {
  return quoted(bytes, NOT_ASCII)
}

/** `'é\x00'`: Python 3's repr() of a str. */
export function textRepr(text: string): string {
  return quoted(text, UNPRINTABLE)
}

function quoted(text: string, unprintable: RegExp): string {
  if (PLAIN.test(text)) return `'${text}'`
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  let body = ''
  for (const character of text) {
    if (character === quote) body += `\\${quote}`
    else if (character === ' ' || (NAMED[character] === undefined && !unprintable.test(character)))
      body += character
    else body += NAMED[character] ?? escapedCharacter(character.codePointAt(0)!)
  }
  return `${quote}${body}${quote}`
}

/** A character by its code point: `\\xe9`. */
export function escapedCharacter(code: number): string {
  const hex = code.toString(16)
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** Python's repr() of a float. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  // In this range Python and JavaScript write the same digits; JavaScript leaves `.0` away.
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [, sign = '', digits = '', exponent = '0'] = /^(-?)([\d.]+)(?:e([+-]\d+))?$/.exec(String(value)) ?? []
  const point = digits.indexOf('.')
  const bare = digits.replace('.', '')
  const leading = /^0*/.exec(bare)![0].length
  const mantissa = bare.slice(leading).replace(/0+$/, '') || '0'
  if (mantissa === '0') return `${sign}0.0`
  // Position of the decimal point relative to the first significant digit.
  const scale = (point < 0 ? digits.length : point) - leading + Number(exponent)
  if (scale > 16 || scale < -3) {
    const power = scale - 1
    const rest = mantissa.slice(1)
    const shown = `${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
    return `${sign}${mantissa[0]}${rest ? `.${rest}` : ''}e${shown}`
  }
  if (scale <= 0) return `${sign}0.${'0'.repeat(-scale)}${mantissa}`
  if (mantissa.length <= scale) return `${sign}${mantissa}${'0'.repeat(scale - mantissa.length)}.0`
  return `${sign}${mantissa.slice(0, scale)}.${mantissa.slice(scale)}`
}

/** CPython's own limit for the decimal digits of an integer (sys.int_info.default_max_str_digits). */
export const MAX_INTEGER_DIGITS = 4300
/** An integer of that many digits has no more bits, its sign included. */
const MAX_INTEGER_BITS = 14_286

/**
 * The decimal digits of an integer with its sign; undefined where there are more than CPython's 4300. Longer integers are never
 * converted: it takes seconds for one of a megabyte, and an item of a kilobyte can hold one of 16.
 */
export function digitsOf(value: number | bigint): string | undefined {
  if (typeof value === 'bigint' && BigInt.asIntN(MAX_INTEGER_BITS, value) !== value) return undefined
  const text = String(value)
  return text.length - (text.startsWith('-') ? 1 : 0) > MAX_INTEGER_DIGITS ? undefined : text
}

/** Python's str() of an integer. @throws ValueError beyond CPython's limit, with its message */
export function integerText(value: number | bigint): string {
  const digits = digitsOf(value)
  if (digits === undefined)
    throw new ValueError(`Exceeds the limit (${MAX_INTEGER_DIGITS} digits) for integer string conversion`)
  return digits
}

/** The digits of an integer, or its length if Python refuses to write them. */
export function integerRepr(value: number | bigint): string {
  return digitsOf(value) ?? `<int of ${4 * value.toString(16).replace('-', '').length} bits>`
}
