/** memshim/pymemcache and the real pymemcache on the same servers: each reads what the other wrote, where the other put it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compressedSerde, HashClient, pickleSerde, type Serde } from '../../src/pymemcache/index.js'
import { type Memcached, startMemcached } from '../support/memcached.js'

const run = promisify(execFile)
const pythons = [process.env.MEMSHIM_PYTHON_PYMEMCACHE_400, process.env.MEMSHIM_PYTHON_PYMEMCACHE_352]
const KEYS = Array.from({ length: 200 }, (_, i) => `key:${i * 7919}`)

const values: Readonly<Record<string, unknown>> = {
  text: 'café',
  number: 5,
  large: 2n ** 70n,
  list: [1, 'a', null, true],
  dict: { a: { b: [1.5] } },
  long: 'long text '.repeat(200),
}
const PYTHON_VALUES = `{'text': 'caf\\u00e9', 'number': 5, 'large': 2**70, 'list': [1, 'a', None, True], 'dict': {'a': {'b': [1.5]}}, 'long': 'long text ' * 200}`

const WRITE = `
import sys
from pymemcache.client.hash import HashClient
import pymemcache.serde as serde
client = HashClient(sys.argv[2:], serde=getattr(serde, sys.argv[1]), default_noreply=False, timeout=5)
values = ${PYTHON_VALUES}
for name, value in values.items():
    assert client.get('node:' + name) == value, (name, client.get('node:' + name))
    assert client.set('python:' + name, value)
for key in sys.stdin.read().split():
    assert client.get('node:' + key) == key, key
    assert client.set('python:' + key, key)
assert client.get(b'node:bytes') == 'bytes key'
print('equal')
`

describe.each(pythons)('with the real pymemcache of %s', (python) => {
  let servers: Memcached[] = []
  let addresses: string[] = []
  beforeAll(async () => {
    servers = await Promise.all([startMemcached(), startMemcached(), startMemcached()])
    addresses = servers.map(({ address }) => address)
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
  })

  const serdes: readonly [string, () => Serde][] = [
    ['pickle_serde', () => pickleSerde()],
    ['compressed_serde', () => compressedSerde()],
  ]
  it.runIf(python).each(serdes)(
    'values and placement agree both ways, %s',
    async (name, serde) => {
      if (name === 'compressed_serde' && python === process.env.MEMSHIM_PYTHON_PYMEMCACHE_352) return
      const client = new HashClient(addresses, { serde: serde(), defaultNoreply: false, timeout: 20 })
      try {
        for (const [key, value] of Object.entries(values))
          expect(await client.set(`node:${key}`, value)).toBe(true)
        for (const key of KEYS) await client.set(`node:${key}`, key)
        await client.set(Buffer.from('node:bytes'), 'bytes key')
        const child = run(python!, ['-c', WRITE, name, ...addresses])
        child.child.stdin!.end(KEYS.join('\n'))
        expect((await child).stdout.trim()).toBe('equal')
        for (const [key, value] of Object.entries(values))
          expect(await client.get(`python:${key}`)).toEqual(value)
        const found = await client.getMany(KEYS.map((key) => `python:${key}`))
        expect([...found.values()].sort()).toEqual([...KEYS].sort())
      } finally {
        client.close()
      }
    },
    60_000,
  )
})
