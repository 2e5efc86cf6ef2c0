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
import versions from './versions.json' with { type: 'json' }

const facts = Object.keys(rows) as Fact[]
/** Facts that do not apply to pylibmc keep the version's value. */
const knownToPylibmc = (fact: Fact): boolean => {
  const row: Row = rows[fact]
  return 'pylibmc' in row || 'off' in row
}
const governed = new Set(switches.flatMap(({ governs }) => governs))

test('every switch governs facts, and has a value of theirs for each of its settings', () => {
  for (const { name, governs } of switches) {
    expect(governs.length, name).toBeGreaterThan(0)
    for (const fact of governs) {
      if (settingsOf(name).includes('safe')) expect('safe' in rows[fact], `${fact}, safe`).toBe(true)
    }
    expect(governs.some(knownToPylibmc), name).toBe(true)
  }
})

test.each(facts)('%s differs from pylibmc in some version, or no switch governs it', (fact) => {
  if (!governed.has(fact) || !knownToPylibmc(fact)) return
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
  for (const fact of governed) if (knownToPylibmc(fact)) expect(a[fact], fact).toEqual(b[fact])
})

test('a switch can be set to another version: its facts are those of that version', () => {
  const { facts: version, switches: preset } = presets['python-memcached-1.59']
  const settings = Object.fromEntries(Object.keys(preset).map((name) => [name, 'python-memcached']))
  for (const { name, governs } of switches) {
    const after = rulesFor(version, { ...settings, [name]: 'python-memcached-1.62' } as typeof preset)
    for (const fact of governs) expect(after[fact]).toEqual(presets['python-memcached-1.62'].facts[fact])
  }
})

test.each([
  ['1.55', '1.56'],
  ['1.61', '1.60'],
] as const)('%s, whose module is that of %s, has its facts', (version, same) => {
  expect(versions['python-memcached'][version].same).toBe(same)
  const { version: _, ...facts } = presets[`python-memcached-${version}`].facts
  expect({ ...facts, version: same }).toEqual(presets[`python-memcached-${same}`].facts)
})
