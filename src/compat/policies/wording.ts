/** Python's messages for text that cannot be converted, by version. */
import type { Bytes } from '../../ground/bytes.js'
import { bytesRepr } from '../../python/repr.js'
import type { Rules } from '../../rules/index.js'

export const isInteger = (word: Bytes): boolean => /^[+-]?\d+$/.test(word)

/** Whether Python's int() accepts the text. Underscores between digits are allowed from Python 3.6 on. */
export function isPythonInteger({ python }: Rules, line: Bytes): boolean {
  return python === 2 ? /^\s*[+-]?\d+\s*$/.test(line) : /^\s*[+-]?\d+(_\d+)*\s*$/.test(line)
}

/** A line that is not a number. */
export function notANumber({ python }: Rules, line: Bytes): string {
  const shown = bytesRepr(line).slice(0, 200)
  return `invalid literal for int() with base 10: ${python === 2 ? shown.slice(1) : shown}`
}

/** The error for unpacking a list of another length. */
export function miscounted({ python }: Rules, wanted: number, got: number): string {
  if (python === 2)
    return got < wanted ? `need more than ${got} values to unpack` : 'too many values to unpack'
  return got < wanted
    ? `not enough values to unpack (expected ${wanted}, got ${got})`
    : `too many values to unpack (expected ${wanted})`
}
