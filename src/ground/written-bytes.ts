/**
 * Bytes as JSON writes them: a string with one character per byte, or a list of such strings and `{"$repeat": [string, n]}`.
 * Format: docs/formats.md, "Python values in JSON".
 */
import type { Bytes } from './bytes.js'

/** Something that is not bytes in this notation, or is too long. */
export class WrittenBytesError extends RangeError {
  override readonly name = 'WrittenBytesError'
  constructor(readonly problem: string) {
    super(problem)
  }
}

/**
 * @param longest bytes in all; nothing longer is made
 * @throws WrittenBytesError
 */
export function writtenBytes(value: unknown, longest: number): Bytes {
  if (value === undefined) throw new WrittenBytesError('is missing')
  let bytes = ''
  for (const part of Array.isArray(value) ? value : [value]) {
    const [unit, count] = unitAndCount(part)
    if (bytes.length + unit.length * count > longest)
      throw new WrittenBytesError(`is longer than ${longest} bytes`)
    bytes += unit.repeat(count)
  }
  const wide = /[^\0-\xff]/.exec(bytes)
  if (wide)
    throw new WrittenBytesError(
      `holds a character above U+00FF at position ${wide.index}: bytes are one per character`,
    )
  return bytes
}

function unitAndCount(part: unknown): readonly [Bytes, number] {
  if (typeof part === 'string') return [part, 1]
  const repeat = typeof part === 'object' && part !== null && Object.hasOwn(part, '$repeat')
  const [unit, count, ...more] = repeat ? listOf((part as { readonly $repeat: unknown }).$repeat) : []
  if (typeof unit === 'string' && Number.isSafeInteger(count) && (count as number) >= 0 && more.length === 0)
    return [unit, count as number]
  throw new WrittenBytesError(
    'is not bytes: a string of U+0000..U+00FF, or a list of such and {"$repeat": [string, n]}',
  )
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
