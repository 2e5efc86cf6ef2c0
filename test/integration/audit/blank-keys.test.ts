/**
 * Keys with a blank, and with U+007F, over the text protocol: pylibmc's outcomes, and nothing that could be taken for another key or
 * command. Which outcomes: docs/reference/pylibmc.md#3, and pylibmc 1.6.3 itself where it is installed.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Client, ClientError, type ClientOptions, type MemcachedError } from '../../../src/strict/index.js'
import { answering, stopAnswering } from '../../support/answering.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

let server: Memcached
beforeAll(async () => {
  server = await startMemcached()
})
afterAll(async () => {
  stopAnswering()
  await server.stop()
})
const clients: Client[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnectAll()
})
function client(address: string, options: ClientOptions = {}): Client {
  const made = new Client([address], options)
  clients.push(made)
  return made
}

const misses: [string, (mc: Client, key: string) => Promise<unknown>, unknown][] = [
  ['get', (mc, key) => mc.get(key), undefined],
  ['gets', (mc, key) => mc.gets(key), [undefined, undefined]],
  ['getMulti', (mc, key) => mc.getMulti([key]), new Map()],
  ['has', (mc, key) => mc.has(key), false],
]
const line = 'bad command line format'
const refusals: [string, (mc: Client, key: string) => Promise<unknown>, string][] = [
  ['set', (mc, key) => mc.set(key, 'v'), `error 9 from memcached_set: ${line}`],
  ['add', (mc, key) => mc.add(key, 'v'), `error 9 from memcached_add: ${line}`],
  ['replace', (mc, key) => mc.replace(key, 'v'), `error 9 from memcached_replace: ${line}`],
  ['append', (mc, key) => mc.append(key, 'v'), `error 9 from memcached_append: ${line}`],
  ['prepend', (mc, key) => mc.prepend(key, 'v'), `error 9 from memcached_prepend: ${line}`],
  ['cas', (mc, key) => mc.cas(key, 'v', 5n), `error 9 from memcached_cas(a b): ${line}`],
  ['setMulti', (mc, key) => mc.setMulti({ [key]: 'v' }), `error 9 from memcached_set_multi: ${line}`],
  ['addMulti', (mc, key) => mc.addMulti({ [key]: 'v' }), `error 9 from memcached_add_multi: ${line}`],
  ['incr', (mc, key) => mc.incr(key), '1 keys failed'],
  ['decr', (mc, key) => mc.decr(key), '1 keys failed'],
  ['incrMulti', (mc, key) => mc.incrMulti([key]), '1 keys failed'],
  [
    'touch',
    (mc, key) => mc.touch(key, 60),
    'error 9 from memcached_touch(a b): Error occcured while reading response',
  ],
  [
    'delete',
    (mc, key) => mc.delete(key),
    `error 9 from memcached_delete(a b): ${line}.  Usage: delete <key> [noreply]`,
  ],
  [
    'deleteMulti',
    (mc, key) => mc.deleteMulti([key]),
    `error 9 from memcached_delete(a b): ${line}.  Usage: delete <key> [noreply]`,
  ],
]
const failure = (call: Promise<unknown>) =>
  call.then(
    (value) => ({ value }),
    (error: MemcachedError) => error,
  )

describe('a key with a blank', () => {
  it.each(misses)('%s misses it, and sends nothing', async (_, call, miss) => {
    const { address, seen } = await answering(() => Buffer.from('END\r\n'))
    expect(await call(client(address, { behaviors: { cas: 1 } }), 'a b')).toEqual(miss)
    expect(seen.connections).toBe(0)
  })

  it.each(refusals)(
    '%s raises ClientError (9) in pylibmc’s words, and sends nothing',
    async (name, call, message) => {
      const { address, seen } = await answering(() => Buffer.from('ERROR\r\n'))
      const error = await failure(call(client(address, { behaviors: { cas: 1 } }), 'a b'))
      expect(error).toBeInstanceOf(ClientError)
      const host = message.startsWith('error') ? `,  host: ${address}` : ''
      expect(error).toMatchObject({
        retcode: 9,
        message: message + host,
        ...(host ? { server: address } : {}),
      })
      expect(seen.connections).toBe(0)
      expect(name).not.toBe('')
    },
  )

  it('getMulti answers the other keys', async () => {
    const mc = client(server.address)
    await mc.setMulti({ x: 'X', y: 'Y' })
    expect(await mc.getMulti(['x', 'a b', 'y'])).toEqual(new Map(Object.entries({ x: 'X', y: 'Y' })))
  })

  it('setMulti and deleteMulti have done the keys before it, and not those behind', async () => {
    const mc = client(server.address)
    await mc.deleteMulti(['m1', 'm2'])
    await expect(mc.setMulti({ m1: 1, 'a b': 2, m2: 3 })).rejects.toBeInstanceOf(ClientError)
    expect(await mc.getMulti(['m1', 'm2', 'a', 'b'])).toEqual(new Map([['m1', 1]]))
    await mc.set('m2', 3)
    await expect(mc.deleteMulti(['m1', 'a b', 'm2'])).rejects.toBeInstanceOf(ClientError)
    expect(await mc.getMulti(['m1', 'm2'])).toEqual(new Map([['m2', 3]]))
  })

  it('incrMulti counts the others', async () => {
    const mc = client(server.address)
    await mc.setMulti({ n1: 1, n2: 1 })
    await expect(mc.incrMulti(['n1', 'a b', 'n2'])).rejects.toThrow('1 keys failed')
    expect(await mc.getMulti(['n1', 'n2'])).toEqual(new Map(Object.entries({ n1: 2, n2: 2 })))
  })

  it('a blank in the prefix counts like one in the key', async () => {
    const mc = client(server.address)
    expect(await mc.getMulti(['a'], { keyPrefix: 'p ' })).toEqual(new Map())
    await expect(mc.setMulti({ a: 1 }, { keyPrefix: 'p ' })).rejects.toBeInstanceOf(ClientError)
  })

  it('over the binary protocol it is a key like any other', async () => {
    const mc = client(server.address, { binary: true })
    expect(await mc.set('a b', 'v')).toBe(true)
    expect(await mc.get('a b')).toBe('v')
  })
})

it.each(['\x7f', 'a\x7fb', 'a\x7f'])(
  'the key %j is stored as pylibmc stores it, and read back',
  async (key) => {
    const mc = client(server.address)
    expect(await mc.set(key, 'v')).toBe(true)
    expect(await mc.get(key)).toBe('v')
    expect(await mc.getMulti(['absent', key])).toEqual(new Map([[key, 'v']]))
    expect(await mc.delete(key)).toBe(true)
  },
)

it('a prefix with U+007F is stored as pylibmc stores it, and read back, where pylibmc raises SystemError', async () => {
  const mc = client(server.address)
  expect(await mc.setMulti({ a: 1, bc: 'v' }, { keyPrefix: 'x\x7f' })).toEqual([])
  expect(await mc.getMulti(['a', 'bc'], { keyPrefix: 'x\x7f' })).toEqual(
    new Map(Object.entries({ a: 1, bc: 'v' })),
  )
})

it.each(['a\r\nflush_all', 'a\nb', 'a\0b', 'a\tb', 'a\x01'])(
  'the key %j is refused everywhere',
  async (key) => {
    const { address, seen } = await answering(() => Buffer.from('ERROR\r\n'))
    const mc = client(address)
    for (const [, call] of [...misses, ...refusals].filter(([name]) => !['gets', 'cas'].includes(name)))
      expect(await failure(call(mc, key))).toMatchObject({ code: expect.toBeOneOf([33, undefined]) })
    expect(seen.connections).toBe(0)
  },
)
