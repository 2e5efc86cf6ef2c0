/** The constructor's functions (docs/reference/python-memcached.md#3), on the embedded server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EmbeddedServer } from '../../server/index.js'
import { PyPersistent } from '../../values/index.js'
import { Client, type ClientOptions } from '../index.js'

let server: EmbeddedServer
beforeAll(async () => {
  server = await new EmbeddedServer().start()
})
afterAll(() => server.stop())

async function roundTrip(value: unknown, options: ClientOptions, minCompressLen = 0): Promise<unknown> {
  const client = new Client([server.address], options)
  expect(await client.set('k', value, { minCompressLen })).toBe(true)
  const read = await client.get('k')
  client.disconnectAll()
  return read
}

const json: ClientOptions = {
  pickler: (value) => Buffer.from(JSON.stringify(value)),
  unpickler: (data) => JSON.parse(data.toString()),
}

test('pickler and unpickler serve what has no flag of its own', async () => {
  expect(await roundTrip({ a: [1, null] }, json)).toEqual({ a: [1, null] })
  const client = new Client([server.address])
  await new Client([server.address], json).set('j', ['x'])
  // JSON is not a pickle: python-memcached reads None.
  expect(await client.get('j')).toBeNull()
  expect(await roundTrip('text', { ...json, pickler: () => expect.fail('text has its own flag') })).toBe(
    'text',
  )
})

test('compressor and decompressor take the place of zlib', async () => {
  const half: ClientOptions = {
    compressor: (data) => data.subarray(0, data.length / 2),
    decompressor: (data) => Buffer.concat([data, data]),
  }
  expect(await roundTrip('ab'.repeat(100), half, 10)).toBe('ab'.repeat(100))
  expect(await roundTrip('ab', half, 10)).toBe('ab')
})

test('what a compressor throws leaves the call', async () => {
  const broken = () => {
    throw new Error('no memory')
  }
  const client = new Client([server.address], { compressor: broken })
  await expect(client.set('k', 'x'.repeat(100), { minCompressLen: 1 })).rejects.toThrow('no memory')
})

test('persistent ids go out by persistentId and come back by persistentLoad', async () => {
  const user = { name: 'Ada' }
  const options: ClientOptions = {
    persistentId: (value) => (value === user ? 'user-1' : undefined),
    persistentLoad: (id) => (id === 'user-1' ? user : new PyPersistent(id)),
  }
  const read = (await roundTrip([user, 1], options)) as unknown[]
  expect(read[0]).toBe(user)
  expect(read[1]).toBe(1)
})
