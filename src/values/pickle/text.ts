/** The textual and numeric encodings inside pickles. Source: CPython's pickle module. */

import { isUtf8 } from 'node:buffer'

/** Two's complement, little-endian; number when safe, else bigint. */
export function decodeLong(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0
  if (bytes.length <= 6) return bytes.readIntLE(0, bytes.length)
  // One hexadecimal conversion is linear enough where a loop of shifts would be quadratic.
  const hex = Buffer.from(bytes).reverse().toString('hex')
  return shrink(BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`)))
}

/** Two's complement, little-endian, as short as possible. */
export function encodeLong(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0)
  const magnitude = (value < 0n ? -value - 1n : value).toString(16)
  const bits = (magnitude.length - 1) * 4 + 32 - Math.clz32(Number.parseInt(magnitude[0]!, 16))
  // One bit more, for the sign.
  const needed = Math.floor(bits / 8) + 1
  const hex = BigInt.asUintN(needed * 8, value)
    .toString(16)
    .padStart(needed * 2, '0')
  return Buffer.from(hex, 'hex').reverse()
}

export function shrink(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

/** Longest decimal text of an integer: CPython's own limit for int() (sys.int_info.default_max_str_digits). */
export const MAX_INTEGER_DIGITS = 4300

/** Python's int(text, 0), as the I and L opcodes read it. */
export function parseIntegerText(text: string): number | bigint | undefined {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|\d+)\s*$/.exec(text)
  if (!match || match[2]!.length > MAX_INTEGER_DIGITS) return undefined
  const magnitude = BigInt(match[2]!)
  return shrink(match[1] === '-' ? -magnitude : magnitude)
}

/** Python's float(text) for what repr() writes. */
export function parseFloatText(text: string): number | undefined {
  if (text === 'inf') return Number.POSITIVE_INFINITY
  if (text === '-inf') return Number.NEGATIVE_INFINITY
  if (text === 'nan') return Number.NaN
  return /^\s*[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : undefined
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

/** The V opcode's "raw unicode escape": Latin-1 bytes, \uXXXX, \UXXXXXXXX. */
export function unescapeUnicode(text: string): string | undefined {
  if (!text.includes('\\')) return text
  let bad = false
  const plain = text.replace(
    /(\\+)(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|u|U)?/g,
    (all, slashes: string, escape?: string) => {
      // An even number of backslashes escapes nothing: they all stand for themselves.
      if (!escape || slashes.length % 2 === 0) return all
      const code = escape.length > 1 ? Number.parseInt(escape.slice(1), 16) : Number.NaN
      if (!(code <= 0x10ffff)) {
        bad = true
        return ''
      }
      return slashes.slice(1) + String.fromCodePoint(code)
    },
  )
  return bad ? undefined : plain
}

/** What protocol 0 writes for text, one character per byte. */
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

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\', "'": "'", '"': '"', n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v', '\n': '',
} // biome-ignore format: one table

/** The S opcode's quoted string: Python 2's repr of a byte string. */
export function unescapeString(text: string): Buffer | undefined {
  const quote = text[0]
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote) return undefined
  let bad = false
  const plain = text.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.|$)/gs, (_, escape: string) => {
    if (escape in ESCAPES) return ESCAPES[escape]!
    if (/^x../.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8) & 0xff)
    if (escape === '' || escape === 'x') bad = true
    return `\\${escape}`
  })
  return bad ? undefined : Buffer.from(plain, 'latin1')
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
