/**
 * The compat client's constructor with every switch off: pylibmc's own options in it, and python-memcached's keywords in pylibmc's
 * words. What its methods then do is in test/differential/everything-off.test.ts.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Client, type ClientOptions, type SwitchSetting, switchNames } from '../../src/compat/index.js'
import { EmbeddedServer } from '../../src/server/index.js'
import {
  defaultBehaviors,
  MemcachedError,
  Client as StrictClient,
  type ClientOptions as StrictOptions,
} from '../../src/strict/index.js'
import { settlesBefore } from '../support/settles-before.js'

const SERVERS = ['10.0.0.1:11211', '10.0.0.2:11211']
const off = (options: ClientOptions = {}): Client => new Client(SERVERS, { emulate: 'pylibmc', ...options })

describe('pylibmc’s options', () => {
  test('are those of the strict client', () => {
    const pylibmc: StrictOptions = { behaviors: { ketama: true, no_block: true, cas: true }, binary: true }
    const client = off({ pylibmc })
    expect(client.pylibmc!.behaviors).toEqual(new StrictClient(SERVERS, pylibmc).behaviors)
    expect(String(client.pylibmc)).toBe(String(new StrictClient(SERVERS, pylibmc)))
    expect(off().pylibmc!.behaviors).toEqual(defaultBehaviors)
  })

  test('are refused as the strict client refuses them', () => {
    expect(() => off({ pylibmc: { behaviors: { ketma: 1 } as object } })).toThrow(
      'unknown behavior names: ketma',
    )
    expect(() => off({ pylibmc: { binry: true } as object })).toThrow("unexpected option 'binry'")
    expect(() => off({ pylibmc: { username: 'u', password: 'p' } })).toThrow('SASL requires')
    expect(() => off({ pylibmc: 5 as unknown as object })).toThrow(TypeError)
  })

  test.each<[ClientOptions, string]>([
    [{}, `${switchNames[0]} is 'python-memcached' (and ${switchNames.length - 1} more are on)`],
    [{ emulate: 'pylibmc', switches: { errors: 'python-memcached' } }, "errors is 'python-memcached'"],
    [{ emulate: 'pylibmc', switches: { 'set-multi-losses': 'safe' } }, "set-multi-losses is 'safe'"],
  ])('need every switch off: %o', (options, named) => {
    expect(() => new Client(SERVERS, { ...options, pylibmc: {} })).toThrow(named)
    expect(new Client(SERVERS, options).pylibmc).toBeUndefined()
  })

  test('do not ask which version it was', () => {
    const switches = Object.fromEntries(switchNames.map((name) => [name, 'pylibmc' as SwitchSetting]))
    const client = new Client(SERVERS, {
      emulate: 'python-memcached-1.44',
      switches,
      pylibmc: { binary: true },
    })
    expect(String(client.pylibmc)).toContain('binary=True')
  })

  test.each<[ClientOptions, StrictOptions]>([
    [{ cacheCas: false }, { behaviors: { cas: true } }],
    [{ socketTimeout: 1 }, { timeout: 1000 }],
    [{ socketTimeout: 1 }, { behaviors: { _poll_timeout: 1000 } }],
    [{ socketTimeout: 1 }, { behaviors: { connect_timeout: 1000 } }],
    [{ pickleProtocol: 2 }, { behaviors: { pickle_protocol: 2 } }],
    [{ preserve: true }, { preserve: true }],
    [{ now: () => 0 }, { now: () => 0 }],
    [{ compressor: (data) => data }, { behaviors: { pickle_protocol: 2 } }],
  ])('%o and %o say the same twice', (options, pylibmc) => {
    expect(() => off({ ...options, pylibmc })).toThrow(/say the same/)
    expect(() => off({ ...options, pylibmc: {} })).not.toThrow()
    expect(() => off({ pylibmc })).not.toThrow()
  })
})

describe('python-memcached’s keywords', () => {
  test('are behaviors', () => {
    const { behaviors } = off({ cacheCas: true, socketTimeout: 0.5, pickleProtocol: 2 }).pylibmc!
    expect(behaviors).toEqual({ ...defaultBehaviors, cas: 1, connect_timeout: 500, pickle_protocol: 2 })
    expect(off({ socketTimeout: 1e-6 }).pylibmc!.behaviors.connect_timeout).toBe(1)
  })

  test('weights count where pylibmc’s behaviors say so', () => {
    const pylibmc = { behaviors: { ketama_weighted: true } }
    const ours = new Client([['10.0.0.1:11211', 5], '10.0.0.2:11211'], { emulate: 'pylibmc', pylibmc })
    const strict = new StrictClient(['10.0.0.1:11211:5', '10.0.0.2:11211'], pylibmc)
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
    expect(keys.map((key) => ours.hash(key))).toEqual(keys.map((key) => strict.hash(key)))
  })

  test('setServers goes on with the same options; there must be servers', () => {
    const client = off({ cacheCas: true, pylibmc: { binary: true } })
    client.setServers(['unix:/tmp/memcached.sock', ['unix:/tmp/other.sock', 2]])
    expect(client.pylibmc!.behaviors.cas).toBe(1)
    expect(client.servers.map(({ name }) => name)).toEqual(['/tmp/memcached.sock', '/tmp/other.sock'])
    expect(() => client.setServers([])).toThrow(MemcachedError)
    client.setServers(['inet6:[::1]:11212'])
    expect(client.servers.map(({ name }) => name)).toEqual(['[::1]:11212'])
  })
})

describe('on a server', () => {
  let server: EmbeddedServer
  let sent: string[]
  let client: Client
  beforeEach(async () => {
    sent = []
    server = new EmbeddedServer({ record: (entry) => sent.push(entry.sent.split('\r\n', 1)[0]!) })
    await server.start()
  })
  afterEach(async () => {
    client.disconnectAll()
    client.pylibmc?.disconnectAll()
    await server.stop()
  })
  const made = (options: ClientOptions): Client =>
    (client = new Client([server.address], { emulate: 'pylibmc', ...options }))

  test('noreply is _noreply for one call', async () => {
    const mc = made({})
    expect(await mc.set('k', 1, { noreply: true })).toBe(true)
    expect(await mc.incr('k', 2, { noreply: true })).toBe(2n ** 64n - 1n)
    expect(await mc.setMulti({ m: 1 }, { noreply: true })).toEqual([])
    expect(await mc.deleteMulti(['missing'], { noreply: true })).toBe(true)
    expect(await mc.delete('missing', { noreply: true })).toBe(true)
    expect(await mc.get('k')).toBe(3)
    expect(await mc.delete('missing')).toBe(false)
    expect(sent).toEqual([
      'set k 4 0 1 noreply',
      'incr k 2 noreply',
      'set m 4 0 1 noreply',
      'delete missing noreply',
      'delete missing noreply',
      'get k',
      'delete missing',
    ])
  })

  test('keyEncoder encodes every key once, also those of pylibmc’s own methods and of clones', async () => {
    const mc = made({ keyEncoder: (key) => `E:${key}`, pylibmc: { behaviors: { cas: true } } })
    await mc.setMulti({ a: 1 }, { keyPrefix: 'p_' })
    expect(await mc.getMulti(['a'], { keyPrefix: 'p_' })).toEqual(new Map([['a', 1]]))
    await mc.pylibmc!.addMulti({ b: 2 })
    const twin = mc.pylibmc!.clone()
    expect(await twin.get('b')).toBe(2)
    twin.disconnectAll()
    expect(sent).toEqual(['set p_E:a 4 0 1', 'gets p_E:a', 'add E:b 4 0 1', 'gets E:b'])
  })

  test('hooks make up the value encoding', async () => {
    const mc = made({
      pickler: (value) => Buffer.from(JSON.stringify(value)),
      unpickler: (data) => JSON.parse(data.toString()),
      compressor: (data) => data.subarray(0, 4),
      decompressor: (data) => Buffer.from(`${data}:"${'x'.repeat(20)}"}`),
    })
    await mc.set('list', [1, 'two'])
    expect(await mc.get('list')).toEqual([1, 'two'])
    await mc.set('long', { a: 'y'.repeat(20) }, { minCompressLen: 10 })
    expect(await mc.get('long')).toEqual({ a: 'x'.repeat(20) })
    await mc.set('text', 'plain')
    expect(await mc.getMulti(['text', 'list'])).toEqual(
      new Map<string, unknown>([
        ['text', 'plain'],
        ['list', [1, 'two']],
      ]),
    )
    expect(sent.slice(0, 1)).toEqual(['set list 1 0 9'])
  })

  test('cas takes the CAS unique, and a number, once the time, for none', async () => {
    const mc = made({ cacheCas: true })
    await mc.set('k', 1)
    const [, unique] = (await mc.gets('k')) as [number, bigint]
    expect(await mc.cas('k', 2, unique, { time: 60 })).toBe(true)
    sent.length = 0
    await expect(mc.cas('k', 3, 60)).rejects.toThrow(TypeError)
    await expect(mc.cas('k', 3)).rejects.toThrow(TypeError)
    expect(sent).toEqual([])
  })

  test('times and failures are pylibmc’s', async () => {
    const mc = made({ socketTimeout: 0.05 })
    await mc.set('k', 1)
    await server.fault({ fault: 'stall', count: -1 })
    const value = mc.get('k')
    expect(await settlesBefore(value, 2000)).toBe(true)
    await expect(value).rejects.toMatchObject({ code: 31 })
  })
})

test('keys that are not ASCII keep their server, and their item under cas', async () => {
  const servers = await Promise.all(Array.from({ length: 3 }, () => new EmbeddedServer().start()))
  const addresses = servers.map(({ address }) => address)
  const client = new Client(addresses, { switches: { 'cas-fallback': 'pylibmc' }, cacheCas: true })
  const keys = ['schlüssel', 'ключ', '鍵', 'clé', 'kľúč', 'avain', 'nøkkel', 'ääkkönen']
  for (const key of keys) {
    await client.set(key, key)
    const held = await Promise.all(
      addresses.map(async (address) => {
        const one = new Client([address])
        const value = await one.get(key)
        one.disconnectAll()
        return value === key
      }),
    )
    expect(held.indexOf(true), key).toBe(client.hash(key))
    await client.gets(key)
    expect(await client.cas(key, 'new'), key).toBe(true)
    expect(await client.get(key)).toBe('new')
  }
  client.disconnectAll()
  await Promise.all(servers.map((server) => server.stop()))
})
