/** What unstorage asks of a driver in its own tests of drivers (test/drivers/utils.ts there), on memshim/unstorage and a real memcached. */
import { createStorage, type Storage } from 'unstorage'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { unstorageDriver } from '../../src/adapters/unstorage.js'
import { Client as CompatClient } from '../../src/compat/index.js'
import { Client } from '../../src/strict/index.js'
import { type Memcached, startMemcached } from '../support/memcached.js'

let servers: Memcached[]
beforeAll(async () => {
  servers = [await startMemcached(), await startMemcached()]
})
afterAll(async () => {
  for (const server of servers ?? []) await server.stop()
})

describe.each([
  ['strict', '', (all: string[]) => new Client(all)],
  ['strict', 'shop:1', (all: string[]) => new Client(all)],
  ['compat', 'shop:1', (all: string[]) => new CompatClient(all, { emulate: 'python-memcached-1.59' })],
] as const)('%s, base "%s"', (_, base, connect) => {
  let mc: ReturnType<typeof connect>
  let storage: Storage
  beforeAll(() => {
    mc = connect(servers.map(({ address }) => address))
    storage = createStorage({ driver: unstorageDriver(mc, { base }) })
  })
  afterEach(() => storage.clear())
  afterAll(() => storage.dispose())
  const stored = (key: string) => mc.get(base === '' ? key : `${base}:${key}`)

  it('has nothing at first', async () => {
    expect(await storage.hasItem('a:b')).toBe(false)
    expect(await storage.getItem('a:b')).toBeNull()
    expect(await storage.getKeys()).toEqual([])
    await storage.clear()
  })

  it('sets, gets and removes; queries are no part of a key', async () => {
    await storage.setItem('a:b', 'text')
    await storage.setItem('c:d?q=1', 'other')
    expect(await storage.hasItem('a:b')).toBe(true)
    expect(await storage.getItem('a:b')).toBe('text')
    expect(await storage.getItem('c:d?q=2')).toBe('other')
    await storage.removeItem('a:b')
    expect(await storage.hasItem('a:b')).toBe(false)
    expect(await storage.getItem('a:b')).toBeNull()
  })

  it('lists keys, by base and depth', async () => {
    for (const key of ['top', 'one:a', 'one:b?q=1', 'one:two:c', 'oneself:d']) await storage.setItem(key, 'v')
    expect((await storage.getKeys()).sort()).toEqual(['one:a', 'one:b', 'one:two:c', 'oneself:d', 'top'])
    expect((await storage.getKeys('one')).sort()).toEqual(['one:a', 'one:b', 'one:two:c'])
    expect(await storage.getKeys(undefined, { maxDepth: 0 })).toEqual(['top'])
    expect((await storage.getKeys(undefined, { maxDepth: 1 })).sort()).toEqual([
      'one:a',
      'one:b',
      'oneself:d',
      'top',
    ])
    // unstorage hands a base over only for whole mounts.
    await storage.getMount('').driver.clear?.('one:', {})
    expect((await storage.getKeys()).sort()).toEqual(['oneself:d', 'top'])
  })

  it('keeps types, and stores values that Python reads', async () => {
    const values = [
      { a: 'b', n: [1, null] },
      { '1': 'digit', b: 2 },
      [1, 2],
      true,
      false,
      0,
      5,
      1.5,
      'text',
      'véga',
    ]
    for (const [index, value] of values.entries()) {
      await storage.setItem(`v${index}`, value)
      expect(await storage.getItem(`v${index}`)).toEqual(value)
    }
    expect(await stored('v0')).toEqual({ a: 'b', n: [1, null] })
    expect(await stored('v6')).toBe(5)
    expect(await stored('v3')).toBe('true')
    // What only looks like JSON is text, to the byte.
    for (const text of ['{"a": 1}', '1.0', '12345678901234567890', '[', '"', '-']) {
      await storage.setItem('text', text)
      expect(await stored('text')).toBe(text)
    }
    class Shown {
      toJSON() {
        return { shown: true }
      }
    }
    await storage.setItem('shown', new Shown() as never)
    expect(await storage.getItem('shown')).toEqual({ shown: true })
    class Odd {}
    await expect(storage.setItem('odd', new Odd() as never)).rejects.toThrow('Cannot stringify')
  })

  it('takes raw values', async () => {
    const bytes = new Uint8Array([1, 2, 255])
    await storage.setItemRaw('raw', bytes)
    expect(Buffer.from((await storage.getItemRaw('raw')) as Uint8Array)).toEqual(Buffer.from(bytes))
    await storage.setItemRaw('set', new Set([1]))
    expect(await storage.getItemRaw('set')).toEqual(new Set([1]))
  })

  it('works on many', async () => {
    await storage.setItems([
      { key: 't:1', value: 'one' },
      { key: 't:2', value: 'two' },
    ])
    expect(await storage.getItems([{ key: 't:1' }, 't:2?q=1', 't:3'])).toEqual([
      { key: 't:1', value: 'one' },
      { key: 't:2', value: 'two' },
      { key: 't:3', value: null },
    ])
  })

  it('counts time in seconds', async () => {
    await storage.setItem('gone', 'v', { ttl: -1 })
    await storage.setItem('kept', 'v', { ttl: 100 * 86_400 })
    expect(await storage.getItem('gone')).toBeNull()
    expect(await storage.getItem('kept')).toBe('v')
    await expect(storage.setItem('bad', 'v', { ttl: '5' })).rejects.toThrow('ttl is "5"')
  })
})

it('says what is wrong', () => {
  expect(() => unstorageDriver({} as never)).toThrow('client has no method get')
  expect(() => unstorageDriver(new Client(['127.0.0.1:1']), { base: 5 as never })).toThrow('base is 5')
  expect(() => unstorageDriver(new Client(['127.0.0.1:1']), { ttl: 'x' as never })).toThrow('ttl is "x"')
})
