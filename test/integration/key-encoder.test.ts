/**
 * key_encoder on the wire, by operation: as in the table of docs/reference/python-memcached.md#8.4, and once for each key with
 * `key-encoder-twice` set to safe.
 */
import { expect, test } from 'vitest'
import { Client, type SwitchSetting } from '../../src/compat/index.js'
import { EmbeddedServer } from '../../src/server/index.js'

const keyEncoder = (key: unknown): string => `E:${Buffer.from(key as string).toString()}`

async function keysOnWire(
  setting: SwitchSetting,
  run: (client: Client) => Promise<unknown>,
): Promise<[keys: string[], result: unknown]> {
  const keys: string[] = []
  const server = new EmbeddedServer({
    record: ({ sent }) => keys.push(...sent.toString().split('\r\n', 1)[0]!.split(' ').slice(1, 2)),
  })
  await server.start()
  const client = new Client([server.address], { keyEncoder, switches: { 'key-encoder-twice': setting } })
  try {
    const result = await run(client)
    return [keys, result instanceof Map ? Object.fromEntries(result) : result]
  } finally {
    client.disconnectAll()
    await server.stop()
  }
}

const cases: [string, (client: Client) => Promise<unknown>, twice: string, once: string][] = [
  ['get', (client) => client.get('a'), 'E:a', 'E:a'],
  ['set', (client) => client.set('a', 1), 'E:a', 'E:a'],
  ['delete', (client) => client.delete('a'), 'E:a', 'E:a'],
  ['getMulti', (client) => client.getMulti(['a']), 'E:E:a', 'E:a'],
  ['getMulti, prefix', (client) => client.getMulti(['a'], { keyPrefix: 'p_' }), 'p_E:E:a', 'p_E:a'],
  ['setMulti', (client) => client.setMulti({ a: 1 }), 'E:E:a', 'E:a'],
  ['setMulti, prefix', (client) => client.setMulti({ a: 1 }, { keyPrefix: 'p_' }), 'E:p_E:a', 'p_E:a'],
  ['deleteMulti', (client) => client.deleteMulti(['a']), 'E:E:a', 'E:a'],
  ['deleteMulti, prefix', (client) => client.deleteMulti(['a'], { keyPrefix: 'p_' }), 'E:p_E:a', 'p_E:a'],
]

test.each(cases)('%s', async (_name, run, twice, once) => {
  expect((await keysOnWire('python-memcached', run))[0]).toEqual([twice])
  expect((await keysOnWire('safe', run))[0]).toEqual([once])
})

test('results of getMulti have encoded keys, or with safe the caller’s', async () => {
  const readBack = async (client: Client) => {
    await client.setMulti({ a: 1 })
    return client.getMulti(['a'])
  }
  expect((await keysOnWire('python-memcached', readBack))[1]).toEqual({ 'E:a': 1 })
  expect((await keysOnWire('safe', readBack))[1]).toEqual({ a: 1 })
})
