/** The shipped traces of real applications: repeated faithfully, explained completely, and every explanation confirmed. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { audit, readTrace } from '../../src/audit/index.js'
import { fixtures } from '../differential/support/recordings.js'

const folder = join(fixtures, 'traces')
const traces = readdirSync(folder).filter((name) => name.endsWith('.jsonl.gz'))

it('there are at least the traces of Django’s and of python-memcached’s own tests', () => {
  expect(traces).toEqual(
    expect.arrayContaining(['django-4.0-cache.jsonl.gz', 'python-memcached-1.59-tests.jsonl.gz']),
  )
})

it.each(traces)('%s', async (name) => {
  const trace = await readTrace(join(folder, name))
  const report = await audit(trace, { verify: true })
  expect(report.totals.operations).toBeGreaterThan(90)
  expect(report.fidelity.findings).toEqual([])
  expect(report.fidelity.same).toBe(report.totals.operations)
  expect(report.unexplained).toEqual([])
  expect(report.totals.differs).toBeGreaterThan(20)
  expect(report.verification?.sets.flatMap(({ refuted }) => refuted)).toEqual([])
  expect(report.verification?.untried).toBe(0)
})
