/** Keyv's official test suite on memshim/keyv, and what Python and cache-manager make of it; a real memcached. */
import { type AddressInfo, createServer } from 'node:net'
import keyvTestSuite from '@keyv/test-suite'
import { createCache } from 'cache-manager'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'
import * as vitest from 'vitest'
import { KeyvMemcached, keyvOptions, ListingError } from '../../src/adapters/keyv.js'
import { Client as CompatClient } from '../../src/compat/index.js'
import { startServer } from '../../src/server/index.js'
import { Client } from '../../src/strict/index.js'
import { pymemcacheEncoding } from '../../src/values/index.js'
import { memcachedBinary, startMemcached } from '../support/memcached.js'

const { afterAll, beforeAll, describe, expect, it } = vitest

/** One for the file, so that a stopped one closes all of them. */
const servers = [await startMemcached(), await startMemcached()]
const addresses = servers.map(({ address }) => address)
const clients: { disconnectAll(): void }[] = []
const connected = <C extends { disconnectAll(): void }>(client: C): C => {
  clients.push(client)
  return client
}
afterAll(async () => {
  for (const client of clients) client.disconnectAll()
  for (const server of servers) await server.stop()
})

describe.each([
  ['strict', () => connected(new Client(addresses))],
  ['compat', () => connected(new CompatClient(addresses, { emulate: 'python-memcached-1.59' }))],
] as const)('official suite, %s', (_, connect) => {
  const client = connect()
  keyvTestSuite(vitest, Keyv, () => new KeyvMemcached(client))
  it('iterates over the keys of its namespace', async () => {
    const keyv = new Keyv({ store: new KeyvMemcached(client), namespace: 'iterated' })
    await keyv.set('a', 1)
    await keyv.set('b', 2)
    const found = new Map<string, unknown>()
    for await (const [key, value] of new KeyvMemcached(client).iterator('iterated')) found.set(key, value)
    expect([...found.keys()].sort()).toEqual(['iterated:a', 'iterated:b'])
  })
})

describe('Keyv 6', () => {
  const shop = (client: Client, options: object = {}) =>
    new Keyv6(keyvOptions(client, { namespace: 'shop:6', ...options }))

  it('has the keys and values that Keyv 5 and Python have', async () => {
    const mc = connected(new Client(addresses))
    const [six, five] = [shop(mc), new Keyv(keyvOptions(mc, { namespace: 'shop:6' }))]
    for (const value of [5, 1.5, 'text', null, [1, { a: null }], { '1': 'digit', b: [2] }]) {
      expect(await six.set('k', value)).toBe(true)
      expect(await six.get('k')).toEqual(value)
      expect(await five.get('k')).toEqual(value)
      expect(await six.has('k')).toBe(true)
    }
    expect(await mc.get('shop:6:k')).toEqual(new Map(Object.entries({ '1': 'digit', b: [2] })))
    expect(
      await six.setMany([
        { key: 'm', value: [1] as unknown },
        { key: 'n', value: 'two', ttl: 60_000 },
      ]),
    ).toEqual([true, true])
    expect(await six.getMany(['m', 'absent', 'n'])).toEqual([[1], undefined, 'two'])
    expect(await six.hasMany(['m', 'absent'])).toEqual([true, false])
    expect(await mc.getMulti(['shop:6:m', 'shop:6:n'])).toEqual(
      new Map<string, unknown>([
        ['shop:6:m', [1]],
        ['shop:6:n', 'two'],
      ]),
    )
    expect(await six.deleteMany(['m', 'absent'])).toEqual([true, false])
    expect(await six.delete('n')).toBe(true)
  })

  it('sends its moments of expiry as seconds, rounded up', async () => {
    const sent: unknown[] = []
    const mc = connected(new Client(addresses))
    const set = (_: string, __: unknown, { time }: { time: number }) => {
      sent.push(time)
      return Promise.resolve(true)
    }
    const noting = new Proxy(mc, {
      get: (target, name) => (name === 'set' ? set : Reflect.get(target, name).bind(target)),
    })
    const keyv = new Keyv6({ store: new KeyvMemcached(noting) })
    await keyv.set('a', 1, 100_000)
    await keyv.set('b', 1)
    // The clock may move on between Keyv's look at it and the adapter's.
    expect(sent[0]).toBeGreaterThan(60)
    expect(sent[0]).toBeLessThanOrEqual(100)
    expect(sent[1]).toBe(0)
  })

  it('iterates over its namespace, and clears it alone', async () => {
    const mc = connected(new Client(addresses))
    const [six, other] = [shop(mc, { namespace: 'six' }), shop(mc, { namespace: 'sixth' })]
    await six.set('a', 1)
    await six.set('b', { c: 2 })
    await other.set('a', 3)
    const found = new Map<string, unknown>()
    for await (const [key, value] of six.iterator()) found.set(key as string, value)
    expect(found).toEqual(
      new Map<string, unknown>([
        ['a', 1],
        ['b', { c: 2 }],
      ]),
    )
    await six.clear()
    expect([await six.get('a'), await six.get('b'), await other.get('a')]).toEqual([undefined, undefined, 3])
  })

  it('keeps the values of its own serializer under the same keys', async () => {
    const mc = connected(new Client(addresses))
    const keyv = new Keyv6({ store: new KeyvMemcached(mc), namespace: 'own6' })
    await keyv.set('a', { b: [true] })
    expect(await keyv.get('a')).toEqual({ b: [true] })
    expect(JSON.parse((await mc.get('own6:a')) as string)).toMatchObject({ value: { b: [true] } })
    expect(await new Keyv({ store: new KeyvMemcached(mc), namespace: 'own6' }).get('a')).toEqual({
      b: [true],
    })
  })
})

describe('values of Python', () => {
  let mc: Client
  let keyv: Keyv
  beforeAll(() => {
    mc = connected(new Client(addresses))
    keyv = new Keyv(keyvOptions(mc, { namespace: 'shop:1', ttl: 60_000 }))
  })

  it('are stored as themselves, under the keys of Django', async () => {
    const values = [5, 1.5, 'text', null, [1, { a: null }], { '1': 'digit', b: [2] }, Buffer.from('bytes')]
    for (const value of values) {
      expect(await keyv.set('k', value)).toBe(true)
      expect(await keyv.get('k')).toEqual(value)
      expect(await keyv.has('k')).toBe(true)
    }
    await mc.set('shop:1:from-python', { price: 12.5, tags: ['new'] })
    expect(await keyv.get('from-python')).toEqual({ price: 12.5, tags: ['new'] })
    expect(await keyv.get(['from-python', 'absent'])).toEqual([{ price: 12.5, tags: ['new'] }, undefined])
    // As pylibmc itself: another encoding keeps them.
    await keyv.set('k', true)
    expect(await keyv.get('k')).toBe(1)
    const exact = connected(new Client(addresses, { encoding: pymemcacheEncoding() }))
    const other = new Keyv(keyvOptions(exact, { namespace: 'shop:1' }))
    await other.set('k', true)
    expect(await other.get('k')).toBe(true)
    expect(await keyv.get('k')).toBe(true)
    await keyv.set('for-python', { a: [1, 'x'] })
    expect(await mc.get('shop:1:for-python')).toEqual({ a: [1, 'x'] })
    await keyv.set('for-python', undefined)
    expect(await mc.get('shop:1:for-python')).toBeUndefined()
  })

  it('expire in whole seconds, rounded up; long times are dates', async () => {
    const times: number[] = []
    const noting = Object.create(mc) as Client
    noting.set = async (_, __, given) => times.push((given as { time: number }).time) > 0
    const store = new KeyvMemcached(noting, { values: 'python' })
    for (const ttl of [undefined, 1, 1000, 1001, 2_592_000_000, 2_592_001_000, 0, -5])
      await store.set('k', { value: 1 }, ttl)
    const now = Math.floor(Date.now() / 1000)
    expect(times.slice(0, 5)).toEqual([0, 1, 1, 2, 2_592_000])
    expect(Math.abs(times[5]! - now - 2_592_001)).toBeLessThan(30)
    expect(times.slice(6)).toEqual([2_592_001, 2_592_001])
  })

  it('serve cache-manager, which NestJS uses', async () => {
    const cache = createCache({ stores: [new Keyv(keyvOptions(mc, { namespace: 'nest' }))], ttl: 60_000 })
    await cache.set('a', { b: [1] })
    expect(await cache.get('a')).toEqual({ b: [1] })
    expect(await mc.get('nest:a')).toEqual({ b: [1] })
    expect(await cache.wrap('made', async () => ({ made: true }))).toEqual({ made: true })
    expect(await mc.get('nest:made')).toEqual({ made: true })
    await cache.mset<unknown>([
      { key: 'm1', value: 1 },
      { key: 'm2', value: [2] },
    ])
    expect(await cache.mget<unknown>(['m1', 'm2', 'm3'])).toEqual([1, [2], undefined])
    await cache.del('a')
    expect(await cache.get('a')).toBeUndefined()
    await mc.set('other:key', 1)
    await cache.clear()
    expect(await mc.get('nest:made')).toBeUndefined()
    expect(await mc.get('other:key')).toBe(1)
  })
})

it('says what is wrong', async () => {
  expect(() => new KeyvMemcached({} as never)).toThrow('client has no method get')
  const mc = connected(new Client(addresses))
  expect(() => new KeyvMemcached(mc, { values: 'json' as never })).toThrow('keyv, python')
  const keyv = new Keyv({ store: new KeyvMemcached(mc, { values: 'python' }), throwOnErrors: true })
  keyv.on('error', () => undefined)
  await expect(keyv.set('a', 1)).rejects.toThrow('keyvOptions')
  // A server without the crawler does not list its keys.
  const embedded = await startServer()
  const other = connected(new Client([embedded.address]))
  const store = new KeyvMemcached(other)
  store.namespace = 'n'
  await expect(store.clear()).rejects.toThrow(ListingError)
  other.disconnectAll()
  await embedded.stop()
  await expect(store.clear()).rejects.toThrow('ECONNREFUSED')
  expect(memcachedBinary()).toBeDefined()
})

describe('what a listing server may say', () => {
  /** Answers everything with these bytes. */
  async function saying(bytes: string | Buffer) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => socket.write(bytes))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const mc = connected(new Client([`127.0.0.1:${(server.address() as AddressInfo).port}`]))
    return { mc, stop: () => server.close() }
  }
  const listed = async (mc: Client, prefix: string) => {
    const keys: string[] = []
    for await (const [key] of new KeyvMemcached(Object.assign({ addresses: mc.addresses }, unread)).iterator(
      prefix,
    ))
      keys.push(key)
    return keys
  }
  /** Every key has a value. */
  const unread = Object.fromEntries(
    ['get', 'getMulti', 'set', 'add', 'setMulti', 'delete', 'deleteMulti', 'touch', 'incr', 'decr'].map(
      (name) => [name, async () => 'v'],
    ),
  ) as never as Client

  it.each([
    ['1.4.39', 'key=n:a%20%C3%A4 exp=-1 la=1700000000\r\nkey=m:b exp=-1 la=1700000000\r\nEND\r\n'],
    ['1.5.22', 'key=n:a%20%C3%A4 exp=-1 la=1700000000 cas=1 fetch=no cls=1 size=70\nEND\r\n'],
    ['1.6.45', 'OK\r\nkey=n:a%20%C3%A4 exp=-1 la=1700000000 cas=1 fetch=no cls=1 size=70 flags=0 \nEN\r\n'],
  ])('the form of memcached %s', async (_, bytes) => {
    const { mc, stop } = await saying(bytes)
    expect(await listed(mc, 'n')).toEqual(['n:a ä'])
    stop()
  })

  it('a server that counts more items than it lists is asked again', async () => {
    const item = 'key=n:a exp=-1 la=1700000000 cas=1 fetch=yes cls=1 size=70\n'
    let listings = 0
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (request) => {
        if (request.toString().startsWith('stats')) socket.write('STAT pid 1\r\nSTAT curr_items 1\r\nEND\r\n')
        else socket.write(`${++listings < 3 ? '' : item}END\r\n`)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const mc = connected(new Client([`127.0.0.1:${(server.address() as AddressInfo).port}`]))
    expect(await listed(mc, 'n')).toEqual(['n:a'])
    expect(listings).toBe(3)
    server.close()
  })

  it('a line without end is refused before it fills the memory', async () => {
    const { mc, stop } = await saying(Buffer.alloc(1 << 20, 'k'))
    await expect(listed(mc, 'n')).rejects.toThrow(/a line of more than 4096 bytes/)
    stop()
  })

  it('what is not a listing is refused', async () => {
    const { mc, stop } = await saying('VALUE n:a 0 1\r\nx\r\nEND\r\n')
    await expect(listed(mc, 'n')).rejects.toThrow(ListingError)
    stop()
  })
})
