/**
 * Arguments of pymemcache's constructors, also of wrong types, and what the calls of the clients do then, as recorded from both versions
 * (`fixtures/record/applications/pymemcache_arguments.py`): the audit of each recording must repeat it, and predict the other one.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { sameOutcome } from '../../../src/audit/compare/outcome.js'
import { type AuditedOperation, audit, type Outcome, readTrace } from '../../../src/audit/index.js'
import { fixtures } from '../support/recordings.js'

const read = (version: string) =>
  readTrace(join(fixtures, 'vectors', `pymemcache-arguments-${version}.jsonl.gz`))

/** The calls of a client in their order, with the recorded outcome. */
async function recorded(version: string): Promise<Map<string, { call: string; outcome: Outcome }[]>> {
  const found = new Map<string, { call: string; outcome: Outcome }[]>()
  for await (const event of (await read(version)).events()) {
    if (event.kind !== 'call' || event.at === undefined || !event.outcome) continue
    found.set(event.at, [...(found.get(event.at) ?? []), { call: event.call, outcome: event.outcome }])
  }
  return found
}

it.each([
  ['4.0.0', '3.5.2'],
  ['3.5.2', '4.0.0'],
])('pymemcache %s is repeated, and %s is predicted', { timeout: 240_000 }, async (version, other) => {
  const real = await recorded(other)
  const places = new Map<string, number>()
  const wrong: object[] = []
  let right = 0
  const report = await audit(await read(version), {
    to: `pymemcache-${other}`,
    longestWait: 60_000,
    serverVersion: '1.6.18',
    onOperation: ({ at = '', call, args, kwargs, strict }: AuditedOperation) => {
      const place = places.get(at) ?? 0
      places.set(at, place + 1)
      const row = real.get(at)?.[place]
      // A constructor that only one of the two versions accepts has calls in one recording alone.
      if (row?.call !== call) return
      if (sameOutcome(strict, row.outcome)) right++
      else wrong.push({ at, call, args, kwargs, strict, real: row.outcome })
    },
  })
  console.info(`pymemcache ${version} to ${other}: ${report.fidelity.same} repeated, ${right} predicted`)
  expect(report.fidelity.findings).toEqual([])
  expect(wrong).toEqual([])
  expect(report.unexplained).toEqual([])
  expect(right).toBeGreaterThan(10_000)
})

it.each(['python-memcached-1.62', 'pylibmc-1.6.3'])(
  'every difference to %s is explained',
  {
    timeout: 240_000,
  },
  async (to) => {
    const report = await audit(await read('4.0.0'), { to, longestWait: 60_000, serverVersion: '1.6.18' })
    expect(report.fidelity.findings).toEqual([])
    expect(report.unexplained).toEqual([])
  },
)
