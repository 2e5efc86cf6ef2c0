/**
 * Decimal numbers as memcached reads them: C's strtol and strtoul on 64 bit, then cut to the size of the field.
 * Source: observed on memcached 1.6.18 (leading blanks and `+` pass, `1.5` and `0x1` do not, flags 2^32 become 0).
 */
const pattern = /^[\t-\r ]*([+-]?)(\d+)(?=$|[\t-\r ])/

/** Unsigned 64 bit, up to 18446744073709551615. `-1` is refused, because its value would be above 2^63. */
export function unsigned64(text: string): bigint | undefined {
  const [, sign, digits] = pattern.exec(text) ?? []
  if (digits === undefined) return undefined
  const size = BigInt(digits)
  if (size >= 1n << 64n) return undefined
  const value = sign === '-' ? BigInt.asUintN(64, -size) : size
  return value >= 1n << 63n && text.includes('-') ? undefined : value
}

/** Flags: read as 64 bit, the low 32 bits are kept. */
export function unsigned32(text: string): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text) >>> 0
  const value = unsigned64(text)
  return value === undefined ? undefined : Number(BigInt.asUintN(32, value))
}

/** Times and lengths: read as signed 64 bit, the low 32 bits are kept with their sign. */
export function signed32(text: string): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text) | 0
  const [, sign, digits] = pattern.exec(text) ?? []
  if (digits === undefined) return undefined
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits)
  if (BigInt.asIntN(64, value) !== value) return undefined
  return Number(BigInt.asIntN(32, value))
}

/** The exact form, for some commands since 1.6.40 and for all since 1.6.45: only digits, a `-` before a signed number, and a value that fits the field. */
export function exactSigned32(text: string): number | undefined {
  const value = /^-?\d{1,10}$/.test(text) ? Number(text) : undefined
  return value === undefined || (value | 0) !== value ? undefined : value
}

export function exactUnsigned32(text: string): number | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : undefined
  return value === undefined || value > 0xffffffff ? undefined : value
}

export function exactUnsigned64(text: string): bigint | undefined {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined
  return value === undefined || value >= 1n << 64n ? undefined : value
}
