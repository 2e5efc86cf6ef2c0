/** The gate: planted differences are confirmed, races are not, and the verdict is the exact bound. No server: the calls are functions. */
import { EventEmitter } from 'node:events'
import { describe, expect, it, test } from 'vitest'
import type { Client as StrictClient } from '../../strict/index.js'
import { Shadow } from './shadow.js'
import { LatencyCount } from './shadow-latency.js'
import type { Mismatch, ShadowOptions } from './shadow-options.js'
import { checkState, emptyState, poissonBound, verdictOf } from './shadow-verdict.js'

const options: ShadowOptions = { confirmAfter: 0, controlRate: 0 }

function shadow(more: ShadowOptions = {}) {
  const emitter = new EventEmitter<{ mismatch: [Mismatch]; confirmed: [Mismatch] }>()
  const confirmed: unknown[] = []
  emitter.on('confirmed', ({ key }) => confirmed.push(key))
  const made = new Shadow(undefined as unknown as StrictClient, emitter, { ...options, ...more })
  /** Both sides as functions that are called for every read. */
  const read = (key: string, compat: () => unknown, strict: () => unknown, operation = 'get') =>
    made.follow(
      operation,
      key,
      Promise.resolve(compat()),
      () => async () => strict(),
      operation === 'get' ? async () => compat() : undefined,
    )
  return { made, read, confirmed }
}

describe('confirmation', () => {
  it('finds what is planted at one in 100,000, and nothing else', { timeout: 120_000 }, async () => {
    const { made, read, confirmed } = shadow()
    const planted = new Set([70_000, 170_000])
    for (let i = 0; i < 200_000; i++) {
      void read(
        `k${i}`,
        () => 'v',
        () => (planted.has(i) ? 'w' : 'v'),
      )
      if (i % 500 === 499) await made.idle()
    }
    await made.idle()
    expect(confirmed).toEqual(['k70000', 'k170000'])
    expect(made.state).toMatchObject({ compared: 200_000, mismatches: 2, confirmed: 2, races: 0 })
  })

  it('pure races give none: a counter, a toggle, and an item that comes and goes', async () => {
    const { made, read, confirmed } = shadow()
    let state = 1
    const random = () => {
      state = (Math.imul(state, 48271) >>> 0) % 2147483647
      return state / 2147483647
    }
    let counter = 0
    const writers = [() => counter++, () => random() < 0.5, () => (random() < 0.5 ? null : 'v')]
    for (let i = 0; i < 6000; i++) {
      const value = writers[i % 3]!
      void read(`k${i}`, value, value)
      if (i % 500 === 499) await made.idle()
    }
    await made.idle()
    expect(made.state.mismatches).toBeGreaterThan(2500)
    expect(made.state.races).toBe(made.state.mismatches)
    expect(confirmed).toEqual([])
  })

  it('a write is confirmed when the same difference is seen again, also after a restart', async () => {
    const first = shadow({ writes: true })
    void first.read(
      'a',
      () => 1,
      () => false,
      'delete',
    )
    await first.made.idle()
    expect([first.confirmed, first.made.state.seenOnce]).toEqual([[], ['delete truth 1 False']])
    const state = JSON.parse(JSON.stringify(first.made.state))
    const second = shadow({ writes: true, state })
    void second.read(
      'b',
      () => 1,
      () => false,
      'delete',
    )
    void second.read(
      'c',
      () => 1,
      () => 'other',
      'delete',
    )
    await second.made.idle()
    expect(second.confirmed).toEqual(['b'])
    expect(second.made.state).toMatchObject({ compared: 3, mismatches: 3, confirmed: 1 })
  })

  it('controls measure how often a read differs from itself', async () => {
    const { made, read } = shadow({ controlRate: 1 })
    let calls = 0
    // The same at first; the control finds another value.
    void read(
      'moving',
      () => (calls++ === 0 ? 'v' : 'w'),
      () => 'v',
    )
    void read(
      'still',
      () => 'v',
      () => 'v',
    )
    await made.idle()
    expect(made.state).toMatchObject({ compared: 2, mismatches: 0, controls: 2, noise: 1 })
  })
})

describe('hooks', () => {
  it('ignore takes known differences out, clean what may differ, compare decides', async () => {
    const ignoring = shadow({ ignore: ({ key }) => key === 'known' })
    void ignoring.read(
      'known',
      () => 1,
      () => 2,
    )
    void ignoring.read(
      'new',
      () => 1,
      () => 2,
    )
    await ignoring.made.idle()
    expect([ignoring.confirmed, ignoring.made.state.ignored]).toEqual([['new'], 1])

    const cleaning = shadow({ clean: (value) => ({ ...(value as object), at: 0 }) })
    void cleaning.read(
      'k',
      () => ({ at: 1, v: 1 }),
      () => ({ at: 2, v: 1 }),
    )
    await cleaning.made.idle()
    expect(cleaning.made.state).toMatchObject({ compared: 1, mismatches: 0 })

    const comparing = shadow({ compare: (a, b) => String(a) === String(b) })
    void comparing.read(
      'k',
      () => 1,
      () => '1',
    )
    void comparing.read(
      'l',
      () => 1,
      () => '2',
    )
    await comparing.made.idle()
    expect(comparing.confirmed).toEqual(['l'])
  })

  it('a hook that throws reaches nobody, and its operation is left out', async () => {
    const broken = () => {
      throw new Error('broken')
    }
    for (const more of [{ clean: broken }, { compare: broken }]) {
      const { made, read } = shadow(more)
      expect(
        await read(
          'k',
          () => 1,
          () => 2,
        ),
      ).toBe(1)
      await made.idle()
      expect(made.counts).toMatchObject({ compared: 0, dropped: 1 })
    }
    const { made, read, confirmed } = shadow({ ignore: broken })
    void read(
      'k',
      () => 1,
      () => 2,
    )
    await made.idle()
    expect(confirmed).toEqual(['k'])
  })
})

describe('what waits for a silent shadow', () => {
  const keys = Array.from({ length: 200 }, (_, index) => `k${index}`)
  const megabyte = 'x'.repeat(1_000_000)
  it.each([
    ['results', () => megabyte, 'get', {}, 33],
    ['results within other results', () => ({ in: [megabyte] }), 'get', {}, 33],
    ['a limit of its own', () => megabyte, 'get', { maxQueueBytes: 10_000_000 }, 4],
    ['bytes', () => Buffer.alloc(1_000_000), 'get', {}, 33],
  ] as const)('%s take bounded memory', async (_name, result, operation, more, kept) => {
    const { made, read } = shadow(more)
    let answer: (value: unknown) => void = () => {}
    const silent = new Promise<unknown>((resolve) => {
      answer = resolve
    })
    for (const key of keys) await read(key, result, () => silent, operation)
    expect(made.counts.dropped).toBe(keys.length - kept)
    answer(null)
    await made.idle()
    // Nothing waits any more: there is room again.
    for (const key of keys.slice(0, kept)) await read(key, result, result, operation)
    await made.idle()
    expect(made.counts).toMatchObject({ compared: 2 * kept, dropped: keys.length - kept })
  })
})

test('a fixed share of the keys is sampled, with all of their operations', async () => {
  const { made, read } = shadow({ sampleBy: 'key', sampleRate: 0.1 })
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 1000; i++)
      void read(
        `k${i}`,
        () => 'v',
        () => 'v',
      )
    await made.idle()
  }
  const { compared } = made.counts
  expect(compared % 3).toBe(0)
  expect(compared / 3000).toBeGreaterThan(0.07)
  expect(compared / 3000).toBeLessThan(0.13)
})

describe('verdict', () => {
  // Published tables of the exact bound (Garwood, 1936; one-sided 95 %).
  it.each([
    [0, 2.9957],
    [1, 4.7439],
    [2, 6.2958],
    [10, 16.962],
    [100, 118.08],
  ])('%i events: a mean of at most %f', (events, bound) => {
    expect(poissonBound(events, 0.95)).toBeCloseTo(bound, bound > 100 ? 1 : 3)
  })

  it('says it in words', () => {
    const text = (compared: number, confirmed: number, confidence?: number) =>
      verdictOf({ ...emptyState, compared, confirmed }, confidence).text
    expect(text(1_200_000, 0)).toBe('0 of 1,200,000 confirmed: under 3 per million at 95 %')
    expect(text(1_200_000, 0, 0.99)).toBe('0 of 1,200,000 confirmed: under 4 per million at 99 %')
    expect(text(100, 3)).toBe('3 of 100 confirmed: under 7.8 % at 95 %')
    expect(text(10_000_000_000, 0)).toBe('0 of 10,000,000,000 confirmed: under 1 per billion at 95 %')
    expect(text(0, 0)).toBe('nothing has been compared')
    expect(() => verdictOf(emptyState, 1)).toThrow('confidence is 1')
  })

  it('refuses a state that is none', () => {
    for (const state of [
      undefined,
      null,
      {},
      [],
      { ...emptyState, compared: -1 },
      { ...emptyState, seenOnce: [1] },
    ])
      expect(() => checkState(state)).toThrow(TypeError)
    expect(checkState(JSON.parse(JSON.stringify(emptyState)))).toEqual(emptyState)
  })
})

test('latencies are within a tenth, in bounded memory', () => {
  const latency = new LatencyCount()
  for (let i = 1; i <= 10_000; i++) latency.add(i / 100)
  const { count, mean, p50, p99, most } = latency.result()
  expect([count, most]).toEqual([10_000, 100])
  expect(mean).toBeCloseTo(50, 0)
  expect(Math.abs(p50 - 50)).toBeLessThan(5)
  expect(Math.abs(p99 - 99)).toBeLessThan(10)
})
