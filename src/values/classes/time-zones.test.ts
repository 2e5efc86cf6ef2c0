/** Moments and texts of times in every kind of zone are those that Python gives (fixtures/vectors/zones.json). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PyDateTime, PyGlobal, PyTime, PythonObject, pickle, unpickle } from '../index.js'

const { rows } = JSON.parse(
  readFileSync(new URL('../../../fixtures/vectors/zones.json', import.meta.url), 'utf8'),
) as { rows: readonly { title: string; iso: string; milliseconds: number; data: string }[] }

/**
 * Before 1970 builds of ICU and of tzdata keep different parts of the history; and dateutil has an offset of its own for the day that Samoa
 * left out.
 */
const current = rows.filter(
  ({ iso, title }) => iso > '1970' && !(title === 'dateutil Pacific/Apia' && iso.startsWith('2011-12-30')),
)

describe('times in zones', () => {
  test.each(current)('$title: $iso', ({ title, iso, milliseconds, data }) => {
    const bytes = Buffer.from(data, 'base64')
    const time = unpickle(bytes) as PyDateTime
    expect(time.toDate().getTime()).toBe(milliseconds)
    expect(String(time)).toBe(iso)
    expect(JSON.stringify({ time })).toBe(`{"time":"${iso}"}`)
    // dateutil's tables share small integers as only Python can tell; the others are written byte for byte.
    if (!/dateutil [A-Z]/.test(title)) expect(pickle(time, { protocol: 4 }).equals(bytes)).toBe(true)
  })

  test('a zone that is not known has no Date, and its times do not look naive', () => {
    const zone = new PythonObject(new PyGlobal('shop', 'MoonTime'), [], 'new')
    const time = new PyDateTime(2020, 1, 2, 3, 4, 5, 0, zone)
    expect(() => time.toDate()).toThrow(
      /a time in a zone without a known offset has no Date: \[shop\.MoonTime\]/,
    )
    expect(String(time)).toBe('2020-01-02T03:04:05[shop.MoonTime]')
    const nowhere = new PythonObject(new PyGlobal('pytz', '_p'), ['Nowhere/Town'], 'call')
    expect(String(new PyDateTime(2020, 1, 2, 0, 0, 0, 0, nowhere))).toBe('2020-01-02T00:00:00[Nowhere/Town]')
    expect(String(new PyTime(1, 2, 3, 0, nowhere))).toBe('01:02:03[Nowhere/Town]')
  })
})
