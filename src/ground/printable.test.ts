import { describe, expect, it } from 'vitest'
import { fitted } from './printable.js'

describe('lines for a narrow terminal', () => {
  it('long lines are broken between words, under the column of the text behind a name', () => {
    expect(fitted('errors: short\n  advice  catch the error and read again\n', 24)).toBe(
      'errors: short\n  advice  catch the\n          error and read\n          again\n',
    )
  })

  it('indentation stays, and a word longer than the terminal is cut', () => {
    expect(fitted('    abc def ghi', 8)).toBe('    abc\n    def\n    ghi')
    expect(fitted('abcdefghij', 4)).toBe('abcd\nefgh\nij')
  })

  it.each([1, 2, 3, 7, 19, 40])('no word is lost in %i columns, and no line is longer', (width) => {
    const text = 'name   one two three four\n\n  → plan: 12 of 345 keys move\n'
    const lines = fitted(text, width).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
    expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
  })
})
