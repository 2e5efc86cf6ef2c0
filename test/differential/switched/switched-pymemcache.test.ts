/**
 * Applications of python-memcached that ran with the real pymemcache 4.0.0 in its place, and applications of pymemcache 4.0.0 that ran, unchanged, on
 * the real python-memcached 1.62, pylibmc 1.6.3 and pymemcache 3.5.2 (`fixtures/record/applications/switched_pymemcache.py`): the audit of their traces must
 * have predicted every call that both runs made. Figures: docs/audit.md.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import type { AuditOptions } from '../../../src/audit/index.js'
import { fixtures } from '../support/recordings.js'
import { compareRun, followedTooOften, type SwitchedRun } from './switched-applications.js'

type Runs = Readonly<Record<string, Readonly<Record<string, SwitchedRun>>>>

const recorded: { readonly to: Runs; readonly from: Runs } = JSON.parse(
  gunzipSync(readFileSync(join(fixtures, 'vectors', 'switched-pymemcache.json.gz'))).toString('utf8'),
)
const targetOptions: Readonly<Record<string, NonNullable<AuditOptions['targetOptions']>>> = {
  defaults: {},
  answered: { default_noreply: false, serde: 'pickle_serde' },
}
const runs = [
  ...Object.entries(recorded.to).flatMap(([name, options]) =>
    Object.entries(options).map(([which, run]) => ({
      title: `${name} on pymemcache 4.0.0, ${which}`,
      path: join('switched', `${name}.jsonl.gz`),
      run,
      options: { to: 'pymemcache-4.0.0', targetOptions: targetOptions[which]! } as AuditOptions,
    })),
  ),
  ...Object.entries(recorded.from).flatMap(([name, targets]) =>
    Object.entries(targets).map(([to, run]) => ({
      title: `${name} on ${to}`,
      path: join('pymemcache', `${name}.jsonl.gz`),
      run,
      options: { to } as AuditOptions,
    })),
  ),
]

it.each(runs)('$title: predicted right, wrong, missed', { timeout: 120_000 }, async (given) => {
  const { title, path, run, options } = given
  const found = await compareRun(path, run, options)
  const { right, wrong, missed, unexplained, uncertain, afterDivergence, diverged, steps } = found
  console.info(
    `${title}: ${right} right, ${wrong.length} wrong, ${missed.length} missed, ${uncertain} cannot be told; ${diverged} of ${steps} steps took another way (${afterDivergence} calls after that)`,
  )
  expect({ wrong, missed, unexplained }).toEqual({ wrong: [], missed: [], unexplained: [] })
  expect(followedTooOften(title, found)).toEqual([])
  expect(right).toBeGreaterThan(0)
})
