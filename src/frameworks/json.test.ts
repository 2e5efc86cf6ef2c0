// JSON as Python's module json reads and writes it.
import { describe, expect, test } from 'vitest'
import { PyFloat } from '../values/index.js'
import { readJson, writeJson } from './json.js'

describe('JSON as Python writes it', () => {
  test.each([
    [
      '{"a": 1, "b": [1.5, null, true]}',
      new Map<string, unknown>([
        ['a', 1],
        ['b', [1.5, null, true]],
      ]),
    ],
    ['"\\u00e9\\ud83d\\ude00\\u007f\\n\\"\\\\/"', 'é😀\x7f\n"\\/'],
    [
      '[1.0, 1e+16, 1e-07, NaN, -Infinity, -0.0]',
      [new PyFloat(1), new PyFloat(1e16), 1e-7, Number.NaN, -Infinity, -0],
    ],
    [
      '{"1": 2, "null": 3, "true": 4, "1.5": 5}',
      new Map<unknown, unknown>([
        [1, 2],
        [null, 3],
        [true, 4],
        [1.5, 5],
      ]),
    ],
    ['123456789012345678901234567890', 123456789012345678901234567890n],
  ])('%s', (text, value) => {
    expect(writeJson(value)).toBe(text)
    expect(writeJson(readJson(text, { preserve: true }))).toBe(text)
  })
  test.each([
    '',
    '{',
    '[1,]',
    '{"a" 1}',
    '{a: 1}',
    '"\n"',
    '"\\x"',
    '01',
    '1 2',
    'nul',
    '"a',
    '-',
    '[1 2]',
    '{"a": 1,}',
  ])('refuses %j', (text) => {
    expect(() => readJson(text)).toThrow(/char \d+/)
  })
  test('nesting is limited, prototypes stay, values in themselves are refused', () => {
    expect(() => readJson('['.repeat(100_000))).toThrow('nested deeper')
    const value = readJson('{"__proto__": {"a": 1}}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(writeJson(value)).toBe('{"__proto__": {"a": 1}}')
    const circle: unknown[] = []
    circle.push(circle)
    expect(() => writeJson(circle)).toThrow('Circular')
    expect(readJson(`"${'\\\\'.repeat(3)}"`)).toBe('\\\\\\')
    expect(readJson(`"${'x'.repeat(3_000_000)}"`)).toHaveLength(3_000_000)
  })
})
