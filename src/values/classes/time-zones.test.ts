/** Moments and texts of times in every kind of zone are those that Python gives (fixtures/vectors/zones.json). */
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
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

/** Written by CPython 3.12 with python-dateutil 4.0.0 and pendulum 3.3.0: title, isoformat(), timestamp() in milliseconds, pickle. */
const newer: readonly (readonly [string, string, number, string])[] = [
  [
    'dateutil 4 tzoffset',
    '2020-07-02T12:30:00+01:30',
    1593687600000,
    'gASVawAAAAAAAACMCGRhdGV0aW1llIwIZGF0ZXRpbWWUk5RDCgfkBwIMHgAAAACUjA5kYXRldXRpbC50ei50epSMCHR6b2Zmc2V0lJOUjAFYlGgAjAl0aW1lZGVsdGGUk5RLAE0YFUsAh5RSlIaUUpSGlFKULg==',
  ],
  [
    'dateutil 4 tzoffset without a name',
    '2020-07-02T12:30:00-00:01',
    1593693060000,
    'gASVbQAAAAAAAACMCGRhdGV0aW1llIwIZGF0ZXRpbWWUk5RDCgfkBwIMHgAAAACUjA5kYXRldXRpbC50ei50epSMCHR6b2Zmc2V0lJOUTmgAjAl0aW1lZGVsdGGUk5RK/////0pEUQEASwCHlFKUhpRSlIaUUpQu',
  ],
  [
    'dateutil 4 tzutc',
    '2020-07-02T12:30:00+00:00',
    1593693000000,
    'gASVSAAAAAAAAACMCGRhdGV0aW1llIwIZGF0ZXRpbWWUk5RDCgfkBwIMHgAAAACUjA5kYXRldXRpbC50ei50epSMBXR6dXRjlJOUKVKUhpRSlC4=',
  ],
  [
    'pendulum 3 Timezone',
    '2020-07-02T12:30:00+02:00',
    1593685800000,
    'gASVigAAAAAAAACMCGRhdGV0aW1llIwIZGF0ZXRpbWWUk5RDCgfkBwIMHgAAAACUjAhidWlsdGluc5SMB2dldGF0dHKUk5SMFHBlbmR1bHVtLnR6LnRpbWV6b25llIwIVGltZXpvbmWUk5SMCV91bnBpY2tsZZSGlFKUjAxFdXJvcGUvUGFyaXOUSwGGlFKUhpRSlC4=',
  ],
  [
    'pendulum 3 FixedTimezone',
    '2020-07-02T12:30:00+01:00',
    1593689400000,
    'gASVpwAAAAAAAACMCGRhdGV0aW1llIwIZGF0ZXRpbWWUk5RDCgfkBwIMHgAAAACUjBRwZW5kdWx1bS50ei50aW1lem9uZZSMDUZpeGVkVGltZXpvbmWUk5RNEA6MBiswMTowMJSGlFKUfZQojAVfbmFtZZRoB4wHX29mZnNldJRNEA6MCl91dGNvZmZzZXSUaACMCXRpbWVkZWx0YZSTlEsATRAOSwCHlFKUdWKGlFKULg==',
  ],
  [
    'pendulum 3 UTC',
    '2020-07-02T12:30:00+00:00',
    1593693000000,
    'gASVgQAAAAAAAACMCGRhdGV0aW1llIwIZGF0ZXRpbWWUk5RDCgfkBwIMHgAAAACUjAhidWlsdGluc5SMB2dldGF0dHKUk5SMFHBlbmR1bHVtLnR6LnRpbWV6b25llIwIVGltZXpvbmWUk5SMCV91bnBpY2tsZZSGlFKUjANVVEOUSwGGlFKUhpRSlC4=',
  ],
]

/** repr() of zones, and their pickles by CPython 3.12 with pytz 2026.6, python-dateutil 4.0.0 and pendulum 3.3.0. */
const shown: readonly (readonly [string, string])[] = [
  [
    "zoneinfo.ZoneInfo(key='Europe/Paris')",
    'gASVVQAAAAAAAACMCGJ1aWx0aW5zlIwHZ2V0YXR0cpSTlIwIem9uZWluZm+UjAhab25lSW5mb5STlIwJX3VucGlja2xllIaUUpSMDEV1cm9wZS9QYXJpc5RLAYaUUpQu',
  ],
  ['<UTC>', 'gASVFAAAAAAAAACMBHB5dHqUjARfVVRDlJOUKVKULg=='],
  ['pytz.FixedOffset(-330)', 'gASVIQAAAAAAAACMBHB5dHqUjAtGaXhlZE9mZnNldJSTlEq2/v//hZRSlC4='],
  ["<StaticTzInfo 'Etc/GMT+5'>", 'gASVHwAAAAAAAACMBHB5dHqUjAJfcJSTlIwJRXRjL0dNVCs1lIWUUpQu'],
  [
    "<DstTzInfo 'US/Eastern' EDT-1 day, 20:00:00 DST>",
    'gASVLwAAAAAAAACMBHB5dHqUjAJfcJSTlCiMClVTL0Vhc3Rlcm6USsDH//9NEA6MA0VEVJR0lFKULg==',
  ],
  [
    "<DstTzInfo 'Europe/Paris' LMT+0:09:00 STD>",
    'gASVLgAAAAAAAACMBHB5dHqUjAJfcJSTlCiMDEV1cm9wZS9QYXJpc5RNHAJLAIwDTE1UlHSUUpQu',
  ],
  ['tzutc()', 'gASVHwAAAAAAAACMDmRhdGV1dGlsLnR6LnR6lIwFdHp1dGOUk5QpUpQu'],
  [
    "tzoffset('X', 5400)",
    'gASVSwAAAAAAAACMDmRhdGV1dGlsLnR6LnR6lIwIdHpvZmZzZXSUk5SMAViUjAhkYXRldGltZZSMCXRpbWVkZWx0YZSTlEsATRgVSwCHlFKUhpRSlC4=',
  ],
  [
    'tzoffset(None, -60)',
    'gASVTQAAAAAAAACMDmRhdGV1dGlsLnR6LnR6lIwIdHpvZmZzZXSUk5ROjAhkYXRldGltZZSMCXRpbWVkZWx0YZSTlEr/////SkRRAQBLAIeUUpSGlFKULg==',
  ],
  [
    "Timezone('Europe/Paris')",
    'gASVYQAAAAAAAACMCGJ1aWx0aW5zlIwHZ2V0YXR0cpSTlIwUcGVuZHVsdW0udHoudGltZXpvbmWUjAhUaW1lem9uZZSTlIwJX3VucGlja2xllIaUUpSMDEV1cm9wZS9QYXJpc5RLAYaUUpQu',
  ],
]

test.each(shown)('%s is shown as Python shows it', (repr, data) => {
  const zone = unpickle(Buffer.from(data, 'base64'))
  expect(String(zone)).toBe(repr)
  expect(inspect(new PyTime(1, 2, 3, 0, zone))).toBe(`datetime.time(1, 2, 3, tzinfo=${repr})`)
})

describe('times in zones', () => {
  test.each(newer)('%s: %s', (_, iso, milliseconds, data) => {
    const bytes = Buffer.from(data, 'base64')
    const time = unpickle(bytes) as PyDateTime
    expect(time.toDate().getTime()).toBe(milliseconds)
    expect(String(time)).toBe(iso)
    expect(pickle(time, { protocol: 4 }).equals(bytes)).toBe(true)
  })

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
