/**
 * Every calling form of python-memcached's methods, as the real libraries took it (`fixtures/record/calls/calling_forms.py`), against what the
 * audit predicts for an application that makes these calls and switches to pylibmc, or to another version of python-memcached, without a change.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fixtures } from '../support/recordings.js'
import { type Compared, compareForms, readCallingForms } from './calling-forms.js'

const runs = [
  ['calling-forms.json', 'python-memcached-1.59', 'pylibmc-1.6.3'],
  ['calling-forms.json', 'python-memcached-1.62', 'pylibmc-1.6.3'],
  ['calling-forms.json', 'python-memcached-1.59', 'pylibmc-1.6.3-binary'],
  ['calling-forms-1.58.json.gz', 'python-memcached-1.58', 'pylibmc-1.6.3'],
  ['calling-forms-1.54.json.gz', 'python-memcached-1.54', 'pylibmc-1.6.3'],
  ['calling-forms-random.json', 'python-memcached-1.59', 'pylibmc-1.6.3'],
  ['calling-forms-random.json', 'python-memcached-1.62', 'pylibmc-1.6.3-binary'],
  ['calling-forms-three-servers.json', 'python-memcached-1.59', 'pylibmc-1.6.3'],
  ['calling-forms-three-servers.json', 'python-memcached-1.62', 'pylibmc-1.6.3'],
  ['calling-forms-odd-keys.json.gz', 'python-memcached-1.59', 'pylibmc-1.6.3'],
  ['calling-forms-odd-keys.json.gz', 'python-memcached-1.62', 'pylibmc-1.6.3-binary'],
  ['calling-forms-out-of-step.json.gz', 'python-memcached-1.59', 'pylibmc-1.6.3'],
  ['calling-forms.json', 'python-memcached-1.59', 'python-memcached-1.62'],
  ['calling-forms.json', 'python-memcached-1.62', 'python-memcached-1.59'],
  ['calling-forms-random.json', 'python-memcached-1.59', 'python-memcached-1.62'],
  ['calling-forms-three-servers.json', 'python-memcached-1.59', 'python-memcached-1.62'],
] as const

/** Runs with a row of their own in docs/audit.md. */
const documented = new Set([
  'calling-forms.json python-memcached-1.59 pylibmc-1.6.3',
  'calling-forms.json python-memcached-1.59 pylibmc-1.6.3-binary',
  'calling-forms-odd-keys.json.gz python-memcached-1.59 pylibmc-1.6.3',
  'calling-forms-odd-keys.json.gz python-memcached-1.62 pylibmc-1.6.3-binary',
  'calling-forms-out-of-step.json.gz python-memcached-1.59 pylibmc-1.6.3',
])
const document = readFileSync(join(fixtures, '..', 'docs', 'audit.md'), 'utf8').replace(/ +/g, ' ')

const placeOf = ({ name, call }: Compared['wrong'][number]) => `${name}: ${call}`

it.each(runs)(
  '%s: %s as it is on %s, every call is predicted with its class and value',
  { timeout: 300_000 },
  async (file, source, target) => {
    const forms = readCallingForms(join(fixtures, 'vectors', file))
    const { source: before, target: found, unexplained } = await compareForms(forms, source, target)
    if (target.startsWith('pylibmc')) expect(found.wrong).toEqual([])
    else {
      // No preset lets connections get out of step, as some of these calls do to either version of python-memcached: what the emulation
      // of the one cannot know, that of the other cannot either, but for a few calls that only one of them has.
      const known = new Set(before.wrong.map(placeOf))
      const fresh = found.wrong.filter((one) => !known.has(placeOf(one)))
      // 1.59's get_slab_stats raises on Python 3 before it asks, so that only 1.62's is out of step.
      const statistics = fresh.filter(({ call }) => /get_slab_stats/.test(call))
      expect(statistics.length).toBeLessThanOrEqual(4)
      expect(fresh.length - statistics.length).toBeLessThanOrEqual(3)
    }
    // The emulation is right about every call of the source library but those after a time of 2^63, which leaves a reply behind, and the bytes
    // of a pickled object that is appended.
    if (file === 'calling-forms.json')
      expect(before.wrong.filter(({ name }) => !/time[:=] 2\^6|pend, val: object/.test(name))).toEqual([])
    expect(found.right).toBeGreaterThan(600)
    if (documented.has(`${file} ${source} ${target}`)) {
      const { right, wrong, uncertain } = found
      const figures = [right + wrong.length + uncertain, right, wrong.length, uncertain]
      expect(document).toContain(figures.map((figure) => ` ${figure.toLocaleString('en')} |`).join(''))
    }
    expect(unexplained).toEqual([])
    // The audit says of these that it cannot tell: the connection is out of step, as it is after every line break in a key.
    const most = file.includes('out-of-step') ? 3 : file.includes('odd-keys') ? 10 : 100
    expect(found.uncertain).toBeLessThan(found.right / most)
  },
)
