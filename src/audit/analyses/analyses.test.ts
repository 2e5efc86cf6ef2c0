/** What the analyses count, on a trace whose every call is known. Limits: memcached's item size and its 30 days (docs/reference/pylibmc.md#8). */
import { beforeAll, describe, expect, it } from 'vitest'
import { audit } from '../audit.js'
import type { Report } from '../report/report.js'
import type { CallEvent, TraceEvent } from '../traces/trace.js'
import { traceOf } from '../traces/trace-file.js'

const header = {
  format: 'memshim-trace/1',
  library: 'python-memcached',
  version: '1.59',
  servers: 2,
} as const

const mebibyte = 1024 * 1024
const calls: readonly (readonly [call: string, args: CallEvent['args'], more?: Partial<CallEvent>])[] = [
  ['set', ['small', 'x', 60]],
  ['set', ['large', { $repeat: ['x', mebibyte + 1] }, 60]],
  ['set', ['near', { $repeat: [{ $bytes: 'x' }, 900_000] }, 60]],
  ['set', ['gone', 1, -1]],
  ['set', ['month', true, 31 * 24 * 3600]],
  ['set', ['date', null, 1_900_000_000]],
  ['set', ['for ever', 'x']],
  ['set', ['forever', [1]]],
  ['set_multi', [{ a: 1, b: { c: 2 } }, 5]],
  ['incr', ['nobody']],
  ['incr', ['small']],
  ['cas', ['small', 'y']],
  ['get', [{ $tuple: [1, 'small'] }]],
  ['set', ['failed', 'x', 60], { outcome: { result: 0 } }],
  ['get', ['ä']],
  ...Array.from({ length: 200 }, () => ['get', ['small']] as const),
]

let report: Report
beforeAll(async () => {
  const events: TraceEvent[] = [
    { kind: 'new', line: 2, t: 0, client: 'c', servers: ['a:1', 'b:2'], kwargs: {} },
    ...calls.map(
      ([call, args, more], i): TraceEvent => ({
        kind: 'call',
        line: i + 3,
        t: i,
        client: 'c',
        call,
        args,
        kwargs: {},
        at: `app.py:${i}`,
        ...more,
      }),
    ),
  ]
  report = await audit(traceOf('known', header, events))
})

const rows = (name: string) =>
  Object.fromEntries(
    report.analyses!.find((one) => one.name === name)?.rows.map(({ label, count }) => [label, count]) ?? [],
  )

describe('analyses', () => {
  it('sizes, times and types of values', () => {
    expect(rows('sizes')).toEqual({ 'over 1 MiB': 1, 'over 80 % of 1 MiB': 1 })
    expect(rows('times')).toEqual({
      negative: 1,
      'over 30 days: taken for a date in the past': 1,
      'a date': 1,
      'no time: stays until it is evicted': 2,
      'up to 30 days': 5,
    })
    expect(rows('value-types')).toEqual({ str: 5, bytes: 1, int: 2, bool: 1, None: 1, list: 1, dict: 1 })
  })

  it('keys, counters and compare-and-set', () => {
    expect(rows('keys-used')).toEqual({
      'with blanks or control characters': 1,
      'a tuple with its own hash': 1,
      'with characters that are not ASCII': 1,
    })
    expect(rows('counters')).toEqual({ missing: 1, 'item or delta is not a number': 1 })
    expect(rows('cas-used')).toEqual({ 'without a CAS unique: stores unconditionally': 1 })
    expect(rows('hidden-failures')['0 in the trace: nothing was stored or deleted']).toBe(1)
  })

  it('each row says when, where and which part; what is serious comes first', () => {
    const times = report.analyses!.find(({ name }) => name === 'times')!
    expect(times).toMatchObject({ severity: 'problem', operations: 10 })
    expect(times.rows[0]).toMatchObject({
      label: 'negative',
      severity: 'problem',
      count: 1,
      share: 0.1,
      first: 3,
      last: 3,
      callSites: [{ at: 'app.py:3', count: 1 }],
    })
    const severities = report.analyses!.map(({ severity }) => ['problem', 'look', 'fact'].indexOf(severity))
    expect(severities).toEqual([...severities].sort())
  })

  // A key with a blank counts with its words, which are what a server sees.
  it('hot keys have their share and their servers', () => {
    expect(report.hotKeys).toHaveLength(1)
    expect(report.hotKeys![0]).toMatchObject({ key: 'small', count: 204 })
    expect(report.hotKeys![0]!.share).toBeCloseTo(204 / 218, 3)
  })
})
