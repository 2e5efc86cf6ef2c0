import { expect, test } from 'vitest'
import { Client, DivergenceLog } from '../index.js'

const big = 'x'.repeat(2 ** 20 + 1)
const nobody = '127.0.0.1:1'
/** Without dead servers, whose divergences would be counted as well. */
const alive = { switches: { failover: 'pylibmc' } } as const

test('counts by switch and operation, with the last example and where to read on', async () => {
  let time = 100
  const log = new DivergenceLog({ now: () => time })
  const client = new Client([nobody], alive)
  const stop = log.attach(client)
  await client.set('a', big)
  time = 200
  await client.set('b', big)
  await client.get('c')
  stop()
  await client.set('d', big)
  const [oversize, swallowed] = log.counts()
  expect(oversize).toEqual({
    switch: 'oversize',
    operation: 'set',
    count: 2,
    first: 100,
    last: 200,
    example: { key: 'b', server: undefined, compat: '0, nothing sent', strict: 'raises TooBig (37)' },
    sites: {},
    advice: expect.stringContaining('TooBig'),
    docs: 'switches.md#oversize',
  })
  expect(swallowed).toMatchObject({ switch: 'errors', operation: 'get', count: 1 })
  expect(
    log
      .jsonLines()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).count),
  ).toEqual([2, 1])
  log.clear()
  expect(log.counts()).toEqual([])
})

test('the calling line is found through promises, also after I/O', async () => {
  const log = new DivergenceLog({ sampleEvery: 1 })
  const client = new Client([nobody])
  log.attach(client)
  async function basket(): Promise<unknown> {
    return await client.get('k')
  }
  await basket()
  const { sites } = log.counts()[0]!
  expect(Object.keys(sites)).toEqual([expect.stringMatching(/divergence-log\.test\.ts:\d+:\d+$/)])
  expect(Object.values(sites)).toEqual([1])
})

test('memory is bounded: calling lines over the limit count as other', async () => {
  const log = new DivergenceLog({ sampleEvery: 1, maxSites: 1 })
  const client = new Client([nobody], alive)
  log.attach(client)
  await client.set('k', big)
  await client.set('k', big)
  expect(Object.entries(log.counts()[0]!.sites)).toEqual([
    [expect.stringContaining('divergence-log.test.ts'), 1],
    ['other', 1],
  ])
})

test('Prometheus text counts all, and samples every second one', async () => {
  const log = new DivergenceLog({ sampleEvery: 2 })
  const stop = log.attachAll()
  const client = new Client([nobody], alive)
  await client.set('k', big)
  await client.set('k', big)
  await client.set('k', big)
  stop()
  const text = log.prometheus()
  expect(text).toContain('# TYPE memshim_divergences_total counter\n')
  expect(text).toContain('memshim_divergences_total{switch="oversize",operation="set"} 3\n')
  const samples = [...text.matchAll(/^memshim_divergence_samples_total\{.*site="([^"]+)"\} (\d+)$/gm)]
  expect(samples.map((match) => match[2])).toEqual(['1', '1'])
})

test.each([-1, 0.5, Number.NaN])('a sampling rate of %s is refused', (sampleEvery) => {
  expect(() => new DivergenceLog({ sampleEvery })).toThrow(/sampleEvery is .*, not a whole number from 0/)
})
