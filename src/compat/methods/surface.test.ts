import { describe, expect, test } from 'vitest'
import { Client, type ClientOptions, type Divergence, type PresetName } from '../index.js'

const nobody = ['127.0.0.1:1']

function listened(options: ClientOptions): { client: Client; seen: Divergence[] } {
  const client = new Client(nobody, options)
  const seen: Divergence[] = []
  client.on('divergence', (divergence) => seen.push(divergence))
  return { client, seen }
}

describe('what a version does not have (docs/reference/python-memcached.md#17)', () => {
  test('get has a default from 1.60 on', async () => {
    const { client, seen } = listened({ emulate: 'python-memcached-1.59' })
    await expect(client.get('k', 'default')).rejects.toThrow(TypeError)
    expect(seen.map((event) => [event.switch, event.strict])).toEqual([['get-default', 'takes a default']])
    const off = listened({ emulate: 'python-memcached-1.59', switches: { 'get-default': 'pylibmc' } })
    expect(await off.client.get('k', 'default')).toBeNull()
  })

  test.each<[PresetName, (client: Client) => unknown, string]>([
    ['python-memcached-1.44', (client) => client.gets('k'), 'gets'],
    ['python-memcached-1.44', (client) => client.cas('k', 1), 'cas'],
    ['python-memcached-1.47', (client) => client.resetCas(), 'reset_cas'],
    ['python-memcached-1.53', (client) => client.touch('k'), 'touch'],
    ['python-memcached-1.54', (client) => client.getSlabStats(), 'get_slab_stats'],
    ['python-memcached-1.59', (client) => client.quitAll(), 'quit_all'],
  ])('%s: no %s', async (emulate, call, name) => {
    const { client, seen } = listened({ emulate })
    await expect((async () => call(client))()).rejects.toThrow(`'Client' object has no attribute '${name}'`)
    expect(seen.map((event) => event.switch)).toEqual(['version-surface'])
  })

  test('noreply came with 1.55, compressor too, key_encoder with 1.60', async () => {
    const client = new Client(nobody, { emulate: 'python-memcached-1.54' })
    await expect(client.set('k', 1, { noreply: true })).rejects.toThrow('1.54 has no noreply')
    const emulate = 'python-memcached-1.54'
    expect(() => new Client(nobody, { emulate, compressor: (data) => data })).toThrow('has no compressor')
    expect(() => new Client(nobody, { emulate: 'python-memcached-1.59', keyEncoder: (key) => key })).toThrow(
      '1.59 has no key_encoder',
    )
  })
})

describe('settings', () => {
  test('safe is a setting of the behaviours that are mistakes, and of no other', () => {
    expect(() => new Client(nobody, { switches: { errors: 'safe' } })).toThrow(
      "switch errors 'safe' is not one of python-memcached, pylibmc",
    )
    expect(() => new Client(nobody, { switches: { 'probe-limit': 'safe' } })).not.toThrow()
  })
})
