/** The simulation on traces whose outcomes can be counted by hand, and the properties that hold for every trace. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TypedJson } from '../../values/index.js'
import type { CallEvent, TraceEvent } from '../traces/trace.js'
import { traceOf } from '../traces/trace-file.js'
import { type PlanOptions, plan } from './plan.js'
import { renderPlan } from './render.js'
import { bigBang, byPercentage, byPrefix, dualPlacement, serverByServer, shareOf, ways } from './ways.js'

const header = {
  format: 'memshim-trace/1',
  library: 'python-memcached',
  version: '1.59',
  servers: 2,
} as const
let line = 1
const call = (t: number, name: string, args: TypedJson[], result?: TypedJson): CallEvent => ({
  kind: 'call',
  line: ++line,
  t,
  client: 'c',
  call: name,
  args,
  kwargs: {},
  ...(result === undefined ? {} : { outcome: { result } }),
})
/** Keys that begin with `m` move from server 0 to server 1. */
const options: PlanOptions = {
  from: () => 0,
  to: (key) => (key.startsWith('m') ? 1 : 0),
  servers: 2,
  begin: 100,
  hours: 100 / 3600,
}
const planned = (events: TraceEvent[], more: Partial<PlanOptions> = {}) =>
  plan(traceOf('t', header, events), { ...options, ...more })

describe('plan', () => {
  it('a key that moves misses once after a big bang, and the application stores it again', async () => {
    const { ways: found } = await planned(
      [
        call(0, 'set', ['m:1', 'v']),
        call(0, 'set', ['s:1', 'v']),
        ...[50, 150, 160].flatMap((t) => [call(t, 'get', ['m:1']), call(t, 'get', ['s:1'])]),
      ],
      { ways: [bigBang] },
    )
    expect(found[0]).toMatchObject({
      extraCalls: 1,
      hitRatio: 5 / 6,
      peakExtraPerMinute: 1,
      oldQuiet: 0,
      settled: 80,
      peakDoubledBytes: 3,
    })
    expect(found[0]?.minutes.map(({ minute, extra }) => [minute, extra])).toEqual([
      [0, 0],
      [2, 1],
    ])
  })

  it('with both placements for a while, keys that are read meanwhile do not miss; the others miss later', async () => {
    const { ways: found } = await planned(
      [
        call(0, 'set', ['m:read', 'v']),
        call(0, 'set', ['m:idle', 'v']),
        call(150, 'get', ['m:read']),
        call(250, 'get', ['m:read']),
        call(250, 'get', ['m:idle']),
      ],
      { ways: [dualPlacement] },
    )
    expect(found[0]).toMatchObject({ extraCalls: 1, hitRatio: 2 / 3, oldQuiet: 50 })
  })

  it('an item that has expired by itself does not count as lost', async () => {
    const { ways: found, hitRatio } = await planned(
      [call(0, 'set', ['m:1', 'v', 60]), call(150, 'get', ['m:1'])],
      { ways: [bigBang] },
    )
    expect([hitRatio, found[0]?.extraCalls]).toEqual([0, 0])
  })

  it('counters that the move loses are counted, and kept if both placements are asked', async () => {
    const events = [call(0, 'set', ['m:n', 1]), call(150, 'incr', ['m:n']), call(250, 'incr', ['m:n'])]
    const { ways: found } = await planned(events, { ways: [bigBang, dualPlacement] })
    expect(found.map(({ lostCounters }) => lostCounters)).toEqual([2, 0])
  })

  it('a recorded hit shows an item from before the trace, and a recorded miss an item that was evicted', async () => {
    const { hitRatio, ways: found } = await planned(
      [
        call(50, 'get', ['m:1'], 'v'),
        call(150, 'get', ['m:2'], 'v'),
        call(160, 'set', ['m:3', 'v']),
        call(170, 'get', ['m:3'], null),
      ],
      { ways: [bigBang] },
    )
    expect(hitRatio).toBeCloseTo(2 / 3)
    expect(found[0]?.extraCalls).toBe(1)
  })

  it('items of a scan are stored when the trace begins', async () => {
    const items = [{ key: 'm:1', bytes: 10, expires: Number.POSITIVE_INFINITY }]
    const { hitRatio, ways: found } = await planned([call(150, 'get', ['m:1'])], { items, ways: [bigBang] })
    expect([hitRatio, found[0]?.extraCalls]).toEqual([1, 1])
  })

  it('a move that begins behind the end of the trace is an error', async () => {
    await expect(planned([call(0, 'get', ['m:1']), call(99, 'get', ['m:1'])])).rejects.toThrow(
      'begin 100 is after the end of the trace, which has 99.0 s',
    )
  })

  it('load, moved keys and hot keys', async () => {
    const result = await planned([
      call(0, 'get', ['m:1']),
      call(1, 'get', ['m:1']),
      call(200, 'get_multi', [['s:1', 's:2']]),
    ])
    expect(result).toMatchObject({
      keys: 3,
      movedKeys: 1,
      movedAccesses: 0.5,
      load: { before: [1, 0], after: [0.5, 0.5] },
    })
    expect(result.hotKeys[0]).toEqual({ key: 'm:1', accesses: 2, before: 0, after: 1 })
    expect(renderPlan(result)).toContain('1 of 3 keys move (33.3 %)')
  })

  it('no way has a cost if no key moves', async () => {
    const events = [call(0, 'set', ['a', 1]), ...[1, 150, 300].map((t) => call(t, 'get', ['a']))]
    const { ways: found, movedKeys } = await planned(events, { to: () => 0 })
    expect(movedKeys).toBe(0)
    for (const way of found)
      expect(way).toMatchObject({ extraCalls: 0, hitRatio: 1, peakDoubledBytes: 0, settled: 0 })
  })

  it('refuses a trace without accesses, and options that do not fit', async () => {
    await expect(planned([])).rejects.toThrow('holds no access to a key')
    await expect(planned([], { servers: 0 })).rejects.toThrow('servers is 0')
    await expect(planned([], { hours: -1 })).rejects.toThrow('hours is -1')
    await expect(planned([], { from: 5 as never })).rejects.toThrow('from is 5')
  })
})

describe('ways', () => {
  const input = { begin: 100, end: 200, prefixes: ['a:', 'b:'], servers: 2 }

  it('every key is at the old placement before the begin, and at the new one after the end', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(1), (key, oldServer) => {
        for (const way of ways) {
          const stage = way.stage(input)
          expect(stage({ key, oldServer }, 99.9)).toBe('old')
          expect(stage({ key, oldServer }, 200)).toBe('new')
        }
      }),
    )
  })

  it('a key never goes back', () => {
    const order = ['old', 'both', 'new']
    fc.assert(
      fc.property(fc.string(), fc.nat(1), (key, oldServer) => {
        for (const way of ways) {
          const stage = way.stage(input)
          const places = Array.from({ length: 30 }, (_, i) =>
            order.indexOf(stage({ key, oldServer }, 90 + i * 4)),
          )
          expect(places).toEqual([...places].sort())
        }
      }),
    )
  })

  it('steps: prefixes, servers and shares in turn', () => {
    expect(byPrefix.stage(input)({ key: 'a:1', oldServer: 0 }, 120)).toBe('new')
    expect(byPrefix.stage(input)({ key: 'b:1', oldServer: 0 }, 120)).toBe('old')
    expect(serverByServer.stage(input)({ key: 'k', oldServer: 0 }, 120)).toBe('new')
    expect(serverByServer.stage(input)({ key: 'k', oldServer: 1 }, 120)).toBe('old')
    const keys = Array.from({ length: 4000 }, (_, i) => `k${i}`)
    const moved = keys.filter((key) => byPercentage.stage(input)({ key, oldServer: 0 }, 130) === 'new')
    expect(moved.length / keys.length).toBeCloseTo(0.3, 1)
    expect(keys.every((key) => shareOf(key) >= 0 && shareOf(key) < 1)).toBe(true)
  })
})
