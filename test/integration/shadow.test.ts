/** Shadow mode on embedded servers: what is published, and that the caller neither waits nor fails. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Mismatch, ShadowedClient, type ShadowOptions } from '../../src/compat/index.js'
import { EmbeddedServer } from '../../src/server/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'

let server: EmbeddedServer
let aside: EmbeddedServer
let strict: StrictClient
let seen: Mismatch[]

beforeEach(async () => {
  server = await new EmbeddedServer().start()
  aside = await new EmbeddedServer().start()
  seen = []
})
afterEach(async () => {
  strict.disconnectAll()
  await server.stop()
  await aside.stop()
})

function shadowed(options?: ShadowOptions, to = aside, timeout = 1000): ShadowedClient {
  strict = new StrictClient([to.address], { timeout })
  const client = new ShadowedClient([server.address], { emulate: 'python-memcached-1.59' }, strict, options)
  client.onMismatch((mismatch) => seen.push(mismatch))
  return client
}

test('reads are compared on the same server, and agree', async () => {
  const client = shadowed({}, server)
  await client.set('k', ['x', 1])
  expect(await client.get('k')).toEqual(['x', 1])
  expect(await client.getMulti(['k', 'missing'])).toEqual(new Map([['k', ['x', 1]]]))
  await client.shadowIdle()
  expect(client.shadowCounts).toEqual({ compared: 2, mismatches: 0, dropped: 0, large: 0 })
  client.disconnectAll()
})

test('writes go along when asked, and every kind of difference has its name', async () => {
  const client = shadowed({ writes: true })
  await client.set('flag', true)
  await client.get('flag')
  await client.incr('missing')
  await client.delete('flag')
  await client.delete('flag')
  await client.set('late', 1, -1)
  await client.get('late')
  await client.shadowIdle()
  expect(
    seen.map(({ kind, operation, key, compat, strict }) => [kind, operation, key, compat, strict]),
  ).toEqual([
    // A boolean comes back as an integer from pylibmc.
    ['spelling', 'get', 'flag', 'True', '1'],
    ['raises', 'incr', 'missing', 'None', 'raises NotFound (16)'],
    ['spelling', 'delete', 'flag', '1', 'True'],
    // python-memcached says 1 for a key that was not there.
    ['truth', 'delete', 'flag', '1', 'False'],
    // A negative time: gone at once there, for ever here.
    ['truth', 'get', 'late', 'None', '1'],
  ])
  client.disconnectAll()
})

test('a value that the caller changes afterwards does not count', async () => {
  const client = shadowed({}, server)
  await client.set('k', { list: [1] })
  const value = (await client.get('k')) as { list: number[] }
  value.list.push(2)
  await client.shadowIdle()
  expect(seen).toEqual([])
  client.disconnectAll()
})

test('a written value or a list of keys that the caller changes afterwards does not count either', async () => {
  const client = shadowed({ writes: true })
  const value = { list: [1], bytes: Buffer.from('abc') }
  const keys = ['k']
  const stored = client.set('k', value)
  value.list.push(2)
  value.bytes[0] = 0
  await stored
  const read = client.getMulti(keys)
  keys.push('other')
  await read
  await client.shadowIdle()
  expect(seen).toEqual([])
  expect(client.shadowCounts).toEqual({ compared: 2, mismatches: 0, dropped: 0, large: 0 })
  expect(await strict.get('k')).toEqual({ list: [1], bytes: Buffer.from('abc') })
  client.disconnectAll()
})

test('values of more parts than allowed are left out and counted, read or written', async () => {
  const client = shadowed({ writes: true, maxParts: 10 })
  await client.set('list', Array.from({ length: 9 }, String))
  await client.set('longer', Array.from({ length: 10 }, String))
  await client.set('deeper', { a: { b: [1, [2, [3, [4, [5]]]]] } })
  await client.set('bytes', Buffer.alloc(9 * 1024, 'x'))
  await client.set('more-bytes', Buffer.alloc(10 * 1024, 'x'))
  await client.set('text', 'x'.repeat(100_000))
  await client.shadowIdle()
  expect(client.shadowCounts).toMatchObject({ compared: 3, dropped: 0, large: 3 })
  for (const key of ['list', 'longer', 'deeper', 'bytes', 'more-bytes', 'text']) await client.get(key)
  await client.shadowIdle()
  expect(client.shadowCounts).toMatchObject({ compared: 6, mismatches: 0, dropped: 0, large: 6 })
  client.disconnectAll()
})

test('calls that are not sampled, or have no room, are not inspected', async () => {
  let looked = 0
  const value = {}
  Object.defineProperty(value, 'x', { enumerable: true, get: () => ++looked })
  strict = new StrictClient([server.address])
  const options = { pickler: () => Buffer.from('x'), unpickler: () => value } as const
  for (const shadow of [{ sampleRate: 0 }, { maxQueue: 0 }, {}]) {
    const client = new ShadowedClient([server.address], options, strict, { writes: true, ...shadow })
    await client.set('k', value)
    await client.get('k')
    await client.shadowIdle()
    expect(looked > 0).toBe(!('sampleRate' in shadow || 'maxQueue' in shadow))
    client.disconnectAll()
  }
})

test('a shadow that stalls neither delays nor breaks the caller, and its waiting calls are limited', async () => {
  const client = shadowed({ maxQueue: 3, concurrency: 1 }, aside, 60_000)
  await client.set('k', 'v')
  await aside.fault({ fault: 'stall', count: -1 })
  for (let i = 0; i < 20; i++) expect(await client.get('k')).toBe('v')
  // The first comparison waits still.
  expect(client.shadowCounts.compared).toBe(0)
  await aside.fault({ fault: 'down' })
  await client.shadowIdle()
  const { compared, dropped } = client.shadowCounts
  expect(compared + dropped).toBe(20)
  expect(compared).toBeLessThanOrEqual(4)
  expect(seen.every(({ kind, compat }) => kind === 'raises' && compat === "'v'")).toBe(true)
  client.disconnectAll()
})

test('a value that cannot be compared does not reach the caller as a failure', async () => {
  strict = new StrictClient([server.address])
  const options = { emulate: 'python-memcached-1.59', unpickler: () => Symbol('of the application') } as const
  const client = new ShadowedClient([server.address], options, strict)
  await client.set('k', [1])
  expect(typeof (await client.get('k'))).toBe('symbol')
  await client.shadowIdle()
  expect(client.shadowCounts).toEqual({ compared: 0, mismatches: 0, dropped: 1, large: 0 })
  client.disconnectAll()
})

test('a sample is a sample', async () => {
  let next = 0
  const client = shadowed({ sampleRate: 0.25, random: () => (next++ % 4) / 4 }, server)
  for (let i = 0; i < 8; i++) await client.get('k')
  await client.shadowIdle()
  expect(client.shadowCounts.compared).toBe(2)
  client.disconnectAll()
})

test.each([{ sampleRate: 2 }, { maxQueue: -1 }, { concurrency: 0 }, { maxParts: 0 }])(
  '%o is refused',
  (options) => {
    expect(() => shadowed(options)).toThrow(RangeError)
  },
)

test('options that do not exist or have another type, and what is no client, are refused', () => {
  const made = (options: unknown, strict: unknown = new StrictClient(['127.0.0.1:1'])) =>
    new ShadowedClient(['127.0.0.1:1'], {}, strict as StrictClient, options as object)
  expect(() => made({ sampleRat: 0.1 })).toThrow(
    "unexpected option 'sampleRat'; there are writes, sampleRate",
  )
  expect(() => made({ sample_rate: 0.1 })).toThrow("it is called 'sampleRate' here")
  expect(() => made(null)).toThrow('options must be a plain object, not NoneType')
  expect(() => made({ random: 5 })).toThrow('random is 5, not a function')
  expect(() => made({ writes: 'no' })).toThrow('writes is "no", neither true nor false')
  for (const none of [null, {}, 5]) expect(() => made({}, none)).toThrow('not a client of memshim/strict')
})
