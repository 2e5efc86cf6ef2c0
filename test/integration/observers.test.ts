/** Observers look on: what they throw reaches no result and no other observer, and goes to `memshim:observer-error`. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Client, ShadowedClient, type ShadowOptions } from '../../src/compat/index.js'
import type { ObserverError } from '../../src/ground/observers.js'
import { EmbeddedServer } from '../../src/server/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'

const seen: ObserverError[] = []
const record = (message: unknown): void => void seen.push(message as ObserverError)
const unexpected: unknown[] = []
const catching = (error: unknown): void => void unexpected.push(error)

beforeEach(() => {
  seen.length = 0
  unexpected.length = 0
  subscribe('memshim:observer-error', record)
  process.on('unhandledRejection', catching)
})
afterEach(() => {
  unsubscribe('memshim:observer-error', record)
  process.off('unhandledRejection', catching)
})

/** Long enough for Node to notice a rejection that nobody handles. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 20))

const large = 'x'.repeat(2 ** 20 + 1)

async function everything(client: Client): Promise<unknown[]> {
  const calls = [
    () => client.incr('missing'),
    () => client.get('a'),
    () => client.set('negative', 1, -1),
    () => client.delete('missing'),
    () => client.set('large', large),
    () => client.setMulti({ a: 1, b: 2 }),
    () => client.get('a'),
    () => client.getMulti(['a', 'b']),
    () => client.touch('a', 100),
    () => client.flushAll(),
    () => Promise.all([client.get('a'), client.incr('missing'), client.set('z', 1), client.get('z')]),
  ]
  const outcomes: unknown[] = []
  for (const call of calls) outcomes.push(await call().catch((error: Error) => error.message))
  return outcomes
}

test.each([
  [
    'throws',
    () => {
      throw new Error('listener')
    },
  ],
  [
    'rejects',
    async () => {
      throw new Error('listener')
    },
  ],
] as const)('a divergence listener that %s changes no outcome', async (_how, listener) => {
  await using server = await new EmbeddedServer().start()
  const options = { emulate: 'python-memcached-1.59' } as const
  const plain = new Client([server.address], options)
  const expected = await everything(plain)
  const listened = new Client([server.address], options)
  let later = 0
  listened.on('divergence', listener).on('divergence', () => later++)
  expect(await everything(listened)).toEqual(expected)
  await aMoment()
  expect(later).toBeGreaterThan(5)
  expect(seen).toHaveLength(later)
  expect(seen[0]).toEqual({ observer: 'divergence', error: expect.objectContaining({ message: 'listener' }) })
  expect(unexpected).toEqual([])
  for (const client of [plain, listened]) client.disconnectAll()
})

test('a listener that throws about a server that is down changes nothing', async () => {
  const client = new Client(['127.0.0.1:1'], { emulate: 'python-memcached-1.59' })
  client.on('divergence', () => {
    throw new Error('listener')
  })
  expect(await Promise.all([client.get('a'), client.set('a', 1)])).toEqual([null, 0])
  expect(await client.get('a')).toBeNull()
  expect(seen.length).toBeGreaterThan(0)
})

test('a function for debug lines that throws changes nothing', async () => {
  await using server = await new EmbeddedServer().start()
  const client = new Client([server.address], {
    debug: () => {
      throw new Error('no space left')
    },
  })
  expect(await client.delete('missing')).toBe(0)
  expect(seen).toEqual([{ observer: 'debug', error: expect.any(Error) }])
  client.disconnectAll()
})

test('a mismatch listener that throws stops no comparison', async () => {
  await using server = await new EmbeddedServer().start()
  const strict = new StrictClient([server.address])
  const client = new ShadowedClient([server.address], {}, strict, { writes: true })
  let later = 0
  client.onMismatch(() => {
    throw new Error('listener')
  })
  client.onMismatch(() => later++)
  expect(await client.incr('missing')).toBeNull()
  expect(await client.incr('missing')).toBeNull()
  await client.shadowIdle()
  expect([later, client.shadowCounts.mismatches]).toEqual([2, 2])
  expect(seen.map(({ observer }) => observer)).toEqual(['mismatch', 'mismatch'])
  for (const each of [client, strict]) each.disconnectAll()
})

const broken = () => {
  throw new Error('hook')
}
const late = async () => {
  throw new Error('hook')
}

const hooksThatFail: readonly (readonly [string, ShadowOptions])[] = [
  ['clean', { clean: broken }],
  ['clean', { clean: late }],
  ['compare', { compare: broken }],
  ['compare', { compare: late as never }],
  ['ignore', { ignore: broken, compare: () => false }],
  ['ignore', { ignore: late as never, compare: () => false }],
  ['random', { random: broken, sampleRate: 0.5 }],
  ['random', { random: late as never, sampleRate: 0.5 }],
]

test.each(hooksThatFail)(
  'the hook %s of shadow mode that throws or rejects changes no outcome',
  async (name, hooks) => {
    await using server = await new EmbeddedServer().start()
    const strict = new StrictClient([server.address])
    const client = new ShadowedClient([server.address], {}, strict, { confirmAfter: 0, ...hooks })
    await client.set('k', [1])
    expect(await client.get('k')).toEqual([1])
    await client.shadowIdle()
    await aMoment()
    expect(seen[0]?.observer).toBe(name)
    expect(unexpected).toEqual([])
    for (const each of [client, strict]) each.disconnectAll()
  },
)

test('a key that throws when shadow mode looks at it is refused as without shadow mode', async () => {
  await using server = await new EmbeddedServer().start()
  const strict = new StrictClient([server.address])
  const client = new ShadowedClient([server.address], {}, strict, { sampleBy: 'key', sampleRate: 0.5 })
  const key = [1, new Proxy({}, { get: broken })] as never
  const plain = new Client([server.address])
  expect(await client.get(key).catch(String)).toEqual(await plain.get(key).catch(String))
  expect(await client.getMulti(key).catch(String)).toEqual(await plain.getMulti(key).catch(String))
  await aMoment()
  expect(unexpected).toEqual([])
  for (const each of [plain, client, strict]) each.disconnectAll()
})

test('without a subscriber the process is warned once', async () => {
  unsubscribe('memshim:observer-error', record)
  const warning = once(process, 'warning')
  const client = new Client(['127.0.0.1:1'], { emulate: 'python-memcached-1.59' })
  client.on('divergence', () => {
    throw new Error('listener')
  })
  await client.get('a')
  await client.get('a')
  const [{ name, code, message }] = (await warning) as [Error & { code: string }]
  expect({ name, code }).toEqual({ name: 'MemshimWarning', code: 'MEMSHIM_OBSERVER' })
  expect(message).toContain('an observer of divergence failed')
})
