/**
 * An outage drill (`fixtures/record/applications/outage_drill.py`): an application on three real servers, of which one was killed and started again, on the real
 * python-memcached and, switched, on the real pylibmc. The audit's `--outage` of a quiet trace must have predicted the calls that raised.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AuditedOperation } from '../../../src/audit/compare/differ.js'
import { audit, type Outcome, parseOutage, readTrace, type TraceEvent } from '../../../src/audit/index.js'
import { agrees } from '../audit/calling-forms.js'
import { fixtures } from '../support/recordings.js'

interface Run {
  readonly calls: readonly {
    readonly step: string | null
    readonly call: string
    readonly outcome: Outcome
  }[]
  readonly answers: readonly (readonly [string, string])[]
}

const { runs, server }: { runs: Record<'drill' | 'text' | 'binary', Run>; server: number } = JSON.parse(
  readFileSync(join(fixtures, 'vectors', 'outage-drill.json'), 'utf8'),
)
const quiet = await readTrace(join(fixtures, 'applications', 'drill-quiet.jsonl.gz'))
const [down, up] = ['40 session', '90 session'] as const

type DrillTrace = Awaited<ReturnType<typeof readTrace>>

/** When the first call of each step was made, in seconds. */
async function timesOf(trace: DrillTrace): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>()
  for await (const event of trace.events() as AsyncIterable<TraceEvent>)
    if (event.kind === 'call' && event.at && !times.has(event.at)) times.set(event.at, event.t)
  return times
}

it.each(['text', 'binary'] as const)('--outage predicts every call over %s', async (protocol) => {
  const times = await timesOf(quiet)
  const [from, to] = [times.get(down)! - 0.01, times.get(up)! - 0.01]
  const operations: AuditedOperation[] = []
  const { supposedOutages } = await audit(quiet, {
    outages: [{ server, from, to }],
    binary: protocol === 'binary',
    serverVersion: '1.6.18',
    onOperation: (operation) => operations.push(operation),
  })
  const real = runs[protocol].calls.filter(({ call }) => call !== 'Client')
  expect(real.map(({ call }) => call)).toEqual(operations.map(({ call }) => call))
  const differing = operations.filter(({ call, strict }, i) => !agrees(call, strict, real[i]!.outcome))
  // libmemcached asks a dead server again after two of its whole seconds: when that is depends on the moment of the run.
  const atOnce = differing.filter(({ t }) => t < to || t > to + 3)
  expect(atOnce.map(({ at, call }) => `${at}: ${call}`)).toEqual([])
  expect(differing.length).toBeLessThan(5)
  const raising = real.filter(({ outcome }) => 'raises' in outcome)
  console.info(
    `${protocol}: ${operations.length - differing.length} of ${real.length} calls right; ${raising.length} raised, predicted ${supposedOutages?.raises}`,
  )
  // The server came back empty, so that its counters are missing until the end.
  expect(
    raising.some(({ outcome }) => 'raises' in outcome && outcome.raises.class === 'pylibmc.NotFound'),
  ).toBe(true)
  expect(supposedOutages?.raises).toBe(raising.length)
})

it('a server whose items are kept has its counters again', async () => {
  const times = await timesOf(quiet)
  const outage = { server, from: times.get(down)! - 0.01, to: times.get(up)! - 0.01, items: 'kept' } as const
  const { supposedOutages } = await audit(quiet, { outages: [outage], serverVersion: '1.6.18' })
  const raising = runs.text.calls.filter(({ outcome }) => 'raises' in outcome)
  expect(supposedOutages?.raises).toBeLessThan(raising.length)
  expect(parseOutage('server 1: 4s-8s, items kept')).toEqual({ server: 1, from: 4, to: 8, items: 'kept' })
})

it('the outage is found in a trace of it: the server, and the beginning to half a second', async () => {
  const trace = await readTrace(join(fixtures, 'applications', 'drill.jsonl.gz'))
  const { foundOutages } = await audit(trace, { serverVersion: '1.6.18' })
  expect(foundOutages).toMatchObject([{ server, confidence: 'high' }])
  const began = (await timesOf(trace)).get(down)!
  expect(Math.abs(foundOutages[0]!.from - began)).toBeLessThan(0.5)
})
