import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { Client, type Divergence } from '../index.js'

const big = 'x'.repeat(2 ** 20 + 1)
const expected = {
  switch: 'oversize',
  operation: 'set',
  key: 'k€',
  compat: '0, nothing sent',
  strict: 'raises TooBig (37)',
  raises: 'TooBig',
  advice: expect.stringContaining('TooBig'),
  docs: 'switches.md#oversize',
}

test('a divergence goes to the listeners of its client and to the diagnostics channel', async () => {
  const seen: Divergence[] = []
  const published: unknown[] = []
  const subscriber = (message: unknown) => {
    published.push(message)
  }
  subscribe('memshim:divergence', subscriber)
  const listened = new Client(['127.0.0.1:1'])
  listened.on('divergence', (divergence) => seen.push(divergence))
  // Nothing is sent, so no server is needed (docs/reference/python-memcached.md#9.6).
  expect(await listened.set('k€', big)).toBe(0)
  expect(await new Client(['127.0.0.1:1']).set('k€', big)).toBe(0)
  unsubscribe('memshim:divergence', subscriber)
  expect(await new Client(['127.0.0.1:1']).set('k€', big)).toBe(0)
  expect(seen).toEqual([expected])
  expect(published).toEqual([expected, expected])
})
