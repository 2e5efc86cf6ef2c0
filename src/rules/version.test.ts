import { expect, test } from 'vitest'
import { compareVersions, valueAt, versionAtLeast } from './version.js'

test.each([
  ['1.59', '1.58', true],
  ['1.59', '1.59', true],
  ['1.59', '1.60', false],
  ['1.9', '1.10', false],
  ['2.0', '1.62', true],
  ['1.6.3', '1.6', true],
  ['1.6', '1.6.3', false],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(versionAtLeast(version, least)).toBe(expected)
})

test('a history holds from one entry to the next, in every order of its entries', () => {
  const history = { '1.10': 'new', '1.2': 'old' }
  expect(['1.2', '1.9', '1.10', '2.0'].map((version) => valueAt(history, version))).toEqual([
    'old',
    'old',
    'new',
    'new',
  ])
  expect(() => valueAt(history, '1.1')).toThrow('nothing is known of version 1.1')
})

test('versions of different length sort by number, and a missing number counts as 0', () => {
  expect(['1.10', '1.6.3', '1.6', '1.9'].sort(compareVersions)).toEqual(['1.6', '1.6.3', '1.9', '1.10'])
  expect(compareVersions('1.6', '1.6.0')).toBe(0)
  expect(compareVersions('1.6', '1.6.3')).toBeLessThan(0)
})
