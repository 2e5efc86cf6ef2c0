/** The faults of docs/reference/field.md#3 that come from the caller or lie in an item, on a server that works. */
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client as CompatClient } from '../../src/compat/index.js'
import * as pymemcache from '../../src/pymemcache/index.js'
import { EmbeddedServer, type RecordedExchange, startServer } from '../../src/server/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import { decompress, FLAG_TEXT, FLAG_ZLIB, rawEncoding, ValueDecodeError } from '../../src/values/index.js'
import { type Memcached, memcachedBinary, startMemcached } from '../support/memcached.js'
import { certificate, startStage } from './stage.js'

const tls = certificate()

interface Kind {
  readonly name: string
  readonly make: (address: string) => StrictClient | CompatClient
  /** Keys are checked for the text protocol alone. */
  readonly anyKey: boolean
  readonly tls?: boolean
}

const strict = (options: object) => (address: string) =>
  new StrictClient([address], { timeout: 10_000, ...options })
const kinds: readonly Kind[] = [
  { name: 'strict, text', make: strict({}), anyKey: false },
  { name: 'strict, binary', make: strict({ binary: true }), anyKey: true },
  {
    name: 'strict, text over TLS',
    make: (address) => strict({ tls: { ca: tls!.cert } })(address),
    anyKey: false,
    tls: true,
  },
  {
    name: 'compat, text',
    make: (address) => new CompatClient([address], { socketTimeout: 10 }),
    anyKey: false,
  },
]

describe.each(kinds.filter((kind) => !kind.tls || tls))(
  '$name',
  ({ name: kind, make, anyKey, tls: encrypted }) => {
    let stage: Awaited<ReturnType<typeof startStage>>
    /** A compat client answers to these calls as well. */
    let client: StrictClient
    beforeAll(async () => {
      stage = await startStage(encrypted ? tls : undefined)
      client = make(stage.address) as StrictClient
    })
    afterAll(async () => {
      client.disconnectAll()
      await stage.stop()
    })

    it('200 first calls at once open one connection', async () => {
      const before = stage.connections()
      const fresh = make(stage.address)
      await Promise.all(Array.from({ length: 200 }, (_, i) => fresh.set(`first:${i}`, i)))
      expect(stage.connections() - before).toBe(1)
      fresh.disconnectAll()
    })

    const hostileKeys = [
      'a\r\nflush_all\r\n',
      'a b',
      'a\0b',
      'k'.repeat(251),
      'ж'.repeat(200),
      '\x7f',
      'a\u0085',
      ' ',
    ]
    it.each(hostileKeys.map((key) => [JSON.stringify(key.slice(0, 20)), key]))(
      'the key %s runs nothing',
      async (_, key) => {
        await client.set('guard', 'untouched')
        const calls = [
          () => client.get(key),
          () => client.set(key, 'v'),
          () => client.getMulti([key, 'guard']),
          () => client.setMulti(new Map([[key, 'v']])),
          () => client.delete(key),
          () => client.incr(key),
          () => client.touch(key, 1),
          () => client.deleteMulti([key]),
        ]
        for (const call of calls) {
          const outcome = await Promise.resolve()
            .then(call)
            .catch((error: unknown) => error)
          if (outcome instanceof Error) expect(outcome).toHaveProperty('python')
        }
        expect(await client.get('guard')).toBe('untouched')
        if (!anyKey) expect(await client.getMulti(['guard'])).toEqual(new Map([['guard', 'untouched']]))
      },
    )

    const texts = [
      '',
      'END',
      'ERROR',
      'a\r\nb',
      'x\r\nEND\r\n',
      'VALUE k 0 1\r\nx\r\nEND\r\n',
      '\0',
      'ж\u2028😀',
    ]
    it.each(texts.map((text) => [JSON.stringify(text), text]))(
      'the value %s comes back as it is',
      async (_, text) => {
        expect(await client.set('v', text)).toBe(true)
        expect(await client.get('v')).toBe(text)
        expect((await client.getMulti(['v', 'none'])).get('v')).toBe(text)
      },
    )

    it('bytes that are not UTF-8 come back as they are', async () => {
      const bytes = Buffer.from([
        0xff,
        0xfe,
        0x0d,
        0x0a,
        0xc3,
        0x28,
        0x0d,
        0x0a,
        ...Buffer.from('flush_all\r\n'),
      ])
      await client.set('guard', 'untouched')
      await client.set('v', bytes)
      expect(await client.get('v')).toEqual(bytes)
      expect(await client.get('guard')).toBe('untouched')
    })

    it('2 MB are refused, and the next operation is right', async () => {
      const outcome = await Promise.resolve()
        .then(() => client.set('large', Buffer.alloc(2 * 1024 * 1024, 7)))
        .catch((error: { name: string }) => error.name)
      expect([false, 0, 'TooBig']).toContain(outcome)
      expect(await client.set('small', 1)).toBe(true)
      expect(await client.get('small')).toBe(1)
    })

    it.each([
      ['time', (mc: StrictClient) => mc.set('k', 1, { time: '1\r\nflush_all' as never })],
      ['touch time', (mc: StrictClient) => mc.touch('k', '1\r\nflush_all' as never)],
      ['delta', (mc: StrictClient) => mc.incr('k', '1\r\nflush_all' as never)],
      ['delta of decr', (mc: StrictClient) => mc.decr('k', { toString: () => '1\r\nflush_all' } as never)],
      ['cas', (mc: StrictClient) => mc.cas('k', 1, '1\r\nflush_all' as never)],
    ])('line breaks in %s run nothing', async (_, call) => {
      await client.set('guard', 'untouched')
      await Promise.resolve()
        .then((): Promise<unknown> => call(client))
        .catch(() => undefined)
      expect(await client.get('guard')).toBe('untouched')
      expect(await client.set('next', 2)).toBe(true)
    })

    it('a bomb is refused before it inflates, and the next operation is right', async () => {
      const bomb = deflateSync(deflateOnce)
      const raw = new StrictClient([stage.address], {
        encoding: rawEncoding,
        ...(encrypted ? { tls: { ca: tls!.cert } } : {}),
      })
      await raw.set('bomb', { flags: FLAG_ZLIB | FLAG_TEXT, data: bomb })
      raw.disconnectAll()
      const outcome = await Promise.resolve()
        .then(() => client.get('bomb'))
        .catch((error: unknown) => error)
      if (kind.startsWith('strict')) expect(outcome).toBeInstanceOf(ValueDecodeError)
      else expect(outcome === null || outcome instanceof Error).toBe(true)
      expect(await client.set('next', 2)).toBe(true)
      expect(await client.get('next')).toBe(2)
    })
  },
)

/** Inflates to more than any limit allows. */
const deflateOnce = Buffer.alloc(400 * 1024 * 1024)

it('a cancelled read keeps its place: the others get their own replies', async () => {
  const server = await new EmbeddedServer().start()
  const mc = new StrictClient([server.address])
  await mc.setMulti(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i])))
  const control = new AbortController()
  const reads = Array.from({ length: 50 }, (_, i) =>
    mc.get(`k${i}`, undefined, i % 7 === 3 ? { signal: control.signal } : {}).catch(() => 'cancelled'),
  )
  setImmediate(() => control.abort())
  const values = await Promise.all(reads)
  for (const [i, value] of values.entries()) {
    if (i % 7 === 3) expect([i, 'cancelled']).toContain(value)
    else expect(value).toBe(i)
  }
  mc.disconnectAll()
  await server.stop()
})

it('an error line in the middle of a pipelined multi-get spoils no other reply', async () => {
  const heard: RecordedExchange[] = []
  const server = await startServer({ record: (exchange) => heard.push(exchange) })
  const mc = new StrictClient([server.address])
  const keys = Array.from({ length: 300 }, (_, i) => `many:${i}`)
  for (const key of keys) await mc.set(key, key)
  await server.fault({
    fault: 'reply',
    bytes: 'VALUE many:0 16 6\r\nmany:0\r\nSERVER_ERROR out of memory\r\n',
  })
  const [spoiled, ...others] = await Promise.all([
    mc.getMulti(keys).catch((error: unknown) => error),
    mc.get('many:7'),
    mc.getMulti(['many:8', 'many:9']),
  ])
  if (spoiled instanceof Map) for (const [key, value] of spoiled) expect(value).toBe(key)
  expect(others).toEqual(['many:7', new Map([['many:8', 'many:8'], ['many:9', 'many:9']])]) // biome-ignore format: short
  expect(await mc.get('many:10')).toBe('many:10')
  mc.disconnectAll()
  await server.stop()
})

describe.skipIf(!memcachedBinary())('a real memcached that is stopped by a signal', () => {
  let memcached: Memcached
  beforeAll(async () => {
    memcached = await startMemcached()
  })
  afterAll(() => memcached.stop())

  it.each([
    ['text', {}],
    ['binary', { binary: true }],
  ])('%s: operations fail at their deadline, and go on when it wakes', async (_, options) => {
    const mc = new StrictClient([memcached.address], { ...options, timeout: 500 })
    await mc.set('k', 'v')
    memcached.freeze()
    try {
      // The signal takes effect a moment later. What has timed out may still be done when the server wakes.
      const stopped = () => mc.get('k').then(() => false, () => true) // biome-ignore format: short
      while (!(await stopped())) {}
      const calls = [mc.get('k'), mc.set('other', 'w'), mc.incr('k')]
      for (const outcome of await Promise.allSettled<unknown>(calls))
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 31 } })
    } finally {
      memcached.thaw()
    }
    const patient = { timeout: 20_000 }
    expect(await mc.set('k', 'x', patient)).toBe(true)
    expect(await mc.get('k', undefined, patient)).toBe('x')
    mc.disconnectAll()
  })
})

it('a value that inflates to more than the limit is refused while it is inflated', () => {
  const bomb = deflateSync(Buffer.alloc(8 * 2 ** 20))
  expect(() => decompress(bomb, FLAG_ZLIB, 2 ** 20)).toThrow(ValueDecodeError)
  expect(decompress(bomb, FLAG_ZLIB, 8 * 2 ** 20)).toHaveLength(8 * 2 ** 20)
})

describe('bytes whose object says something else than what they are', () => {
  const command = 'abcd\r\nflush_all\r\n'
  interface Caller {
    get(key: string): Promise<unknown>
    set(key: string, value: unknown): Promise<unknown>
    delete(key: Buffer): Promise<unknown>
    disconnectAll(): void
  }
  const clients: Readonly<Record<string, (address: string) => Caller>> = {
    strict: (address: string) => new StrictClient([address]),
    compat: (address: string) => new CompatClient([address]),
    pymemcache: (address: string) => new pymemcache.Client(address, { timeout: 10 }),
    'pymemcache, no reply': (address: string) =>
      new pymemcache.Client(address, { timeout: 10, defaultNoreply: true }),
    HashClient: (address: string) => new pymemcache.HashClient([address], { timeout: 10 }),
  }
  const lies: Readonly<Record<string, () => Uint8Array>> = {
    'a length that is too large': () => Object.defineProperty(Buffer.from('abcd'), 'length', { value: 1e6 }),
    'a length that is too small': () => Object.defineProperty(Buffer.from(command), 'length', { value: 4 }),
    'a negative byteLength': () => Object.defineProperty(Buffer.from('abcd'), 'byteLength', { value: -5 }),
    'a byteLength that is too large': () =>
      Object.defineProperty(Buffer.from('abcd'), 'byteLength', { value: 5000 }),
    'a toString of its own': () => Object.assign(Buffer.from('abcd'), { toString: () => command }),
  }
  const cases = Object.keys(clients).flatMap((client) =>
    Object.keys(lies).map((lie) => [client, lie] as const),
  )

  it.each(cases)('%s: %s', async (name, lie) => {
    await using server = await new EmbeddedServer().start()
    const client = clients[name]!(server.address)
    await client.set('kept', 'v')
    const value = lies[lie]!()
    const written = Uint8Array.prototype.slice.call(value)
    await client.set('lie', value)
    await client.delete(value as Buffer).catch(() => {})
    expect(Buffer.from((await client.get('lie')) as Buffer)).toEqual(Buffer.from(written))
    expect(String(await client.get('kept'))).toBe('v')
    client.disconnectAll()
  })

  it.each(Object.keys(clients))(
    '%s: bytes that change after the call are stored as they were',
    async (name) => {
      await using server = await new EmbeddedServer().start()
      const client = clients[name]!(server.address)
      for (const size of [10, 100_000]) {
        const overwritten = Buffer.alloc(size, 'a')
        const transferred = new Uint8Array(size).fill(98)
        const calls = [client.set('overwritten', overwritten), client.set('transferred', transferred)]
        overwritten.fill('z')
        structuredClone(transferred.buffer, { transfer: [transferred.buffer] })
        await Promise.all(calls)
        expect(String(await client.get('overwritten'))).toBe('a'.repeat(size))
        expect(Buffer.from((await client.get('transferred')) as Buffer).equals(Buffer.alloc(size, 'b'))).toBe(
          true,
        )
      }
      client.disconnectAll()
    },
  )
})

it.each([
  ['a list of 2^32 - 1 elements', () => Object.assign([], { length: 2 ** 32 - 1 })],
  [
    'a set without an end',
    () => Object.assign(new Set([1]), { *[Symbol.iterator]() { for (;;) yield 1 } }), // biome-ignore format: short
  ],
])('pymemcache refuses to write the text of %s', async (_name, value) => {
  await using server = await new EmbeddedServer().start()
  const client = new pymemcache.Client(server.address)
  await expect(client.set('k', value())).rejects.toThrow('the text of the value has over 8388608 characters')
  expect(await client.get('k')).toBeNull()
})
