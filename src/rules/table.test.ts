import { expect, test } from 'vitest'
import {
  cell,
  type Fact,
  presets,
  type Row,
  rows,
  rulesFor,
  settingsOf,
  switches,
  versionsOf,
} from './index.js'

const facts = Object.keys(rows) as Fact[]
const governed = new Set(switches.flatMap(({ governs }) => governs))

test('every switch governs facts, and every fact that it governs has a value for each of its settings', () => {
  for (const { name, governs } of switches) {
    expect(governs.length, name).toBeGreaterThan(0)
    for (const fact of governs) {
      const row: Row = rows[fact]
      expect('pylibmc' in row || 'off' in row, `${fact}, pylibmc`).toBe(true)
      if (settingsOf(name).includes('safe')) expect('safe' in row, `${fact}, safe`).toBe(true)
    }
  }
})

test.each(facts)('%s differs from pylibmc in some version, or no switch governs it', (fact) => {
  if (!governed.has(fact)) return
  const off = rulesFor(presets['python-memcached-1.62'].facts, presets.pylibmc.switches)[fact]
  const versions = versionsOf('python-memcached').map((version) => cell(fact, 'python-memcached', version))
  expect(versions.some((value) => value !== off)).toBe(true)
})

test('a switch sets its own facts and no others', () => {
  const { facts: version, switches: settings } = presets['python-memcached-1.59']
  const before = rulesFor(version, settings)
  for (const { name, governs } of switches) {
    const after = rulesFor(version, { ...settings, [name]: 'pylibmc' })
    const changed = facts.filter((fact) => before[fact] !== after[fact])
    expect(
      changed.filter((fact) => !governs.includes(fact)),
      name,
    ).toEqual([])
  }
})

test('with every switch off nothing that a switch governs depends on the version', () => {
  const off = presets.pylibmc.switches
  const [oldest, newest] = ['python-memcached-1.44', 'python-memcached-1.62'] as const
  const [a, b] = [rulesFor(presets[oldest].facts, off), rulesFor(presets[newest].facts, off)]
  for (const fact of governed) expect(a[fact], fact).toEqual(b[fact])
})
