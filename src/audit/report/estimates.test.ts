/** Samples of keys: which calls remain, and that the intervals hold what is true as often as they say. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import type { AuditedOperation, Verdict } from '../compare/differ.js'
import { sampledCall, sampledTrace } from '../traces/sampled.js'
import type { CallEvent, Trace, TraceEvent } from '../traces/trace.js'
import { readTrace, traceOf, writeTrace } from '../traces/trace-file.js'
import { EstimateCount } from './estimates.js'

const call = (name: string, args: CallEvent['args'], more: Partial<CallEvent> = {}): CallEvent => ({
  kind: 'call',
  line: 2,
  t: 0,
  client: 'c',
  call: name,
  args,
  kwargs: {},
  ...more,
})
const pick = (event: CallEvent, share = 0.5) => sampledCall(event, 'python-memcached', share)

describe('sampledCall', () => {
  // binascii.crc32 of CPython 3.11: a 0xe8b7be43, b 0x71beeff9, d 0x98dd4acc, e 0xefda7a5a, 1 0x83dcefb7, 2 0x1ad5be0d
  it('keeps keys by the tracer’s rule, with the values and results that belong to them', () => {
    expect(pick(call('get', ['a']))).toBeUndefined()
    expect(pick(call('get', ['b']))).toBeDefined()
    expect(pick(call('set', [{ $bytes: 'b' }, 1]))).toBeDefined()
    expect(pick(call('set', [{ $tuple: [7, 'a'] }, 1]))).toBeUndefined()
    const outcome = { result: { a: 1, b: 2 } }
    expect(pick(call('get_multi', [['a', 'b', 'd']], { outcome }))).toMatchObject({
      args: [['b']],
      outcome: { result: { b: 2 } },
    })
    expect(pick(call('set_multi', [{ a: 1, b: 2 }, 60]))).toMatchObject({ args: [{ b: 2 }, 60] })
    expect(
      pick(
        call('set_multi', [
          {
            $dict: [
              [1, 'x'],
              [2, 'y'],
            ],
          },
        ]),
      ),
    ).toMatchObject({ args: [{ $dict: [[2, 'y']] }] })
    expect(pick(call('delete_multi', [], { kwargs: { keys: ['a', 'b'] } }))).toMatchObject({
      kwargs: { keys: ['b'] },
    })
    expect(pick(call('get_multi', [{ $tuple: ['a', 'd'] }]))).toBeUndefined()
  })

  it('a prefix belongs to the key', () => {
    // crc32(b'p:a') = 0xb4ac3ef5, crc32(b'a') = 0xe8b7be43
    expect(pick(call('get_multi', [['a'], 'p:']), 0.8)).toBeDefined()
    expect(pick(call('get_multi', [['a']], { kwargs: { key_prefix: 'p:' } }), 0.8)).toBeDefined()
    expect(pick(call('get_multi', [['a'], 'p:']), 0.7)).toBeUndefined()
    expect(pick(call('get_multi', [['a']]), 0.8)).toBeUndefined()
  })

  it('calls without keys are in every sample', () => {
    for (const name of ['flush_all', 'get_stats', 'disconnect_all'])
      expect(pick(call(name, []), 0.001)).toBeDefined()
  })
})

test('the true count is in the interval 19 times of 20', () => {
  const verdict: Verdict = {
    status: 'differs',
    impact: 'raises',
    explanations: [{ switch: 'x', how: 'announced', impact: 'raises', lines: [] }],
  }
  const keys = Array.from({ length: 3000 }, (_, i) => [`k${i}`, 1 + (i % 17)] as const)
  const truth = keys.reduce((sum, [, count]) => sum + count, 0)
  let state = 5
  const random = () => {
    state = (Math.imul(state, 48271) >>> 0) % 2147483647
    return state / 2147483647
  }
  let held = 0
  const rounds = 300
  for (let round = 0; round < rounds; round++) {
    const count = new EstimateCount(0.1)
    for (const [key, times] of keys)
      if (random() < 0.1)
        for (let i = 0; i < times; i++)
          count.add({ keys: [key], line: 2 } as unknown as AuditedOperation, verdict)
    const { switches, statuses } = count.result()
    expect(statuses.differs).toEqual(switches.x)
    if (switches.x!.low <= truth && truth <= switches.x!.high) held++
  }
  expect(held / rounds).toBeGreaterThan(0.91)
})

test('a sample of a file has the events of a sample of the same trace in memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'memshim-sample-'))
  try {
    const texts = ['plain', 'ä', 'quote"', 'back\\slash', '', 'a b', '😀', 'tab\t']
    const events: TraceEvent[] = [
      { kind: 'new', line: 2, t: 0, client: 'c', servers: ['a:1'], kwargs: {} },
      ...Array.from({ length: 400 }, (_, i) => {
        const key = `${texts[i % texts.length]}${i}`
        const made = [
          call('get', [key]),
          call('set', [key, { a: key }, 5], { at: 'app.py:1' }),
          call('get_multi', [[key, `${key}x`]]),
          call('get', [], { kwargs: { key } }),
          call('flush_all', []),
        ]
        return { ...made[i % made.length]!, line: i + 3, t: i / 8 }
      }),
    ]
    const whole = traceOf(
      't',
      { format: 'memshim-trace/1', library: 'pylibmc', version: '1.6.3', servers: 1 },
      events,
    )
    const path = join(folder, 't.jsonl')
    await writeTrace(path, whole)
    const drawn = async (trace: Trace) => {
      const found: TraceEvent[] = []
      for await (const event of sampledTrace(trace, 0.3).events()) found.push(event)
      return found
    }
    const expected = await drawn(whole)
    expect(expected.length).toBeGreaterThan(100)
    expect(expected.length).toBeLessThan(300)
    expect(await drawn(await readTrace(path))).toEqual(expected)
  } finally {
    await rm(folder, { recursive: true })
  }
})
