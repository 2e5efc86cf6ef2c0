/** The textual and numeric encodings inside pickles. Source: CPython's pickle module. */

import { isUtf8 } from 'node:buffer'
import { MAX_INTEGER_DIGITS } from '../../python/repr.js'

/** Two's complement, little-endian; number when safe, else bigint. */
export function decodeLong(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0
  if (bytes.length <= 6) return bytes.readIntLE(0, bytes.length)
  // One conversion from hexadecimal is nearly linear; a loop of shifts would be quadratic.
  const hex = Buffer.from(bytes).reverse().toString('hex')
  return shrink(BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`)))
}

/** Two's complement, little-endian, as short as possible. */
export function encodeLong(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0)
  const magnitude = (value < 0n ? -value - 1n : value).toString(16)
  const bits = (magnitude.length - 1) * 4 + 32 - Math.clz32(Number.parseInt(magnitude[0]!, 16))
  // One more bit for the sign.
  const needed = Math.floor(bits / 8) + 1
  const hex = BigInt.asUintN(needed * 8, value)
    .toString(16)
    .padStart(needed * 2, '0')
  return Buffer.from(hex, 'hex').reverse()
}

export function shrink(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

/** Python's int(text, 0), as the I and L opcodes read it. */
export function parseIntegerText(text: string): number | bigint | undefined {
  if (text.length > 2 * MAX_INTEGER_DIGITS) return undefined
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|\d+)\s*$/.exec(text)
  if (!match || match[2]!.length > MAX_INTEGER_DIGITS) return undefined
  const magnitude = BigInt(match[2]!)
  return shrink(match[1] === '-' ? -magnitude : magnitude)
}

/** Python's float(text) for the output of repr(). */
export function parseFloatText(text: string): number | undefined {
  if (text === 'inf') return Number.POSITIVE_INFINITY
  if (text === '-inf') return Number.NEGATIVE_INFINITY
  if (text === 'nan') return Number.NaN
  return /^\s*[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : undefined
}

const BACKSLASH = 0x5c
const LOWER_U = 0x75
const UPPER_U = 0x55

/** The V opcode's "raw unicode escape": Latin-1 bytes, \uXXXX, \UXXXXXXXX. */
export function unescapeUnicode(text: string): string | undefined {
  if (!text.includes('\\')) return text
  // A regular expression would need many times the memory of a long text.
  const units = new Uint16Array(text.length)
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const next = unit === BACKSLASH ? text.charCodeAt(i + 1) : 0
    if (next !== LOWER_U && next !== UPPER_U) {
      units[length++] = unit
      // A backslash after a backslash escapes nothing.
      if (next === BACKSLASH) units[length++] = text.charCodeAt(++i)
      continue
    }
    const digits = next === LOWER_U ? 4 : 8
    const code = hexadecimal(text, i + 2, digits)
    if (!(code <= 0x10ffff)) return undefined
    if (code > 0xffff) units[length++] = 0xd800 + ((code - 0x10000) >> 10)
    units[length++] = code > 0xffff ? 0xdc00 + ((code - 0x10000) & 0x3ff) : code
    i += 1 + digits
  }
  return Buffer.from(units.buffer, 0, 2 * length).toString('utf16le')
}

/** NaN if there are fewer digits. */
function hexadecimal(text: string, start: number, digits: number): number {
  const hex = text.slice(start, start + digits)
  return hex.length === digits && /^[0-9a-fA-F]+$/.test(hex) ? Number.parseInt(hex, 16) : Number.NaN
}

/** The text of protocol 0's opcode V, with one character per byte. */
export function escapeUnicode(text: string): string {
  if (/^[\x20-\x5b\x5d-\x7e]*$/.test(text)) return text
  let out = ''
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code > 0xffff) out += `\\U${code.toString(16).padStart(8, '0')}`
    else if (code > 0xff || code === 0x5c || code === 0 || code === 10 || code === 13 || code === 0x1a) {
      out += `\\u${code.toString(16).padStart(4, '0')}`
    } else out += character
  }
  return out
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'], ["'", "'"], ['"', '"'], ['n', '\n'], ['r', '\r'], ['t', '\t'], ['a', '\x07'], ['b', '\b'], ['f', '\f'], ['v', '\v'],
]) // biome-ignore format: one table

/** The S opcode's quoted string: Python 2's repr of a byte string. */
export function unescapeString(text: string): Buffer | undefined {
  const quote = text[0]
  const end = text.length - 1
  if (end < 1 || (quote !== "'" && quote !== '"') || text[end] !== quote) return undefined
  const bytes = Buffer.allocUnsafe(end - 1)
  let length = 0
  for (let i = 1; i < end; i++) {
    if (text.charCodeAt(i) !== BACKSLASH) {
      bytes[length++] = text.charCodeAt(i)
      continue
    }
    const letter = ++i < end ? text[i]! : ''
    const named = ESCAPES.get(letter)
    if (letter === '') return undefined
    if (named !== undefined) bytes[length++] = named.charCodeAt(0)
    else if (letter === 'x') {
      const code = i + 2 < end ? hexadecimal(text, i + 1, 2) : Number.NaN
      if (Number.isNaN(code)) return undefined
      bytes[length++] = code
      i += 2
    } else if (letter >= '0' && letter <= '7') {
      const [octal] = /^[0-7]{1,3}/.exec(text.slice(i, Math.min(i + 3, end)))!
      bytes[length++] = Number.parseInt(octal, 8) & 0xff
      i += octal.length - 1
    } else if (letter !== '\n') {
      bytes[length++] = BACKSLASH
      bytes[length++] = letter.charCodeAt(0)
    }
  }
  return bytes.subarray(0, length)
}

/** UTF-8 in which lone surrogates are encoded like any other code point (`surrogatepass`); undefined for anything else. */
export function utf8Text(bytes: Buffer): string | undefined {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  const parts: string[] = []
  let from = 0
  for (let i = bytes.indexOf(0xed); i >= 0; i = bytes.indexOf(0xed, i + 1)) {
    const [second = 0, third = 0] = [bytes[i + 1], bytes[i + 2]]
    if ((second & 0xe0) !== 0xa0 || (third & 0xc0) !== 0x80) continue
    const before = bytes.subarray(from, i)
    if (!isUtf8(before)) return undefined
    parts.push(before.toString('utf8'), String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f)))
    from = i + 3
    i += 2
  }
  const rest = bytes.subarray(from)
  return from > 0 && isUtf8(rest) ? parts.join('') + rest.toString('utf8') : undefined
}

const LONE_SURROGATE = /\p{Surrogate}/u

export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text)
}

/** The reverse of `utf8Text`. */
export function utf8Bytes(text: string): Buffer {
  if (!hasLoneSurrogate(text)) return Buffer.from(text)
  return Buffer.concat(
    text.split(/(\p{Surrogate})/u).map((part) => {
      if (!LONE_SURROGATE.test(part)) return Buffer.from(part)
      const code = part.charCodeAt(0)
      return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
    }),
  )
}
