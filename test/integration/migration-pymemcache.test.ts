/** A migration from python-memcached's placement to the one of a pymemcache fleet, beside the real HashClient where Python is there. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client as CompatClient } from '../../src/compat/index.js'
import { MigratingClient, oldSide, pymemcacheSide } from '../../src/migration/index.js'
import { compressedSerde, HashClient, pickleSerde } from '../../src/pymemcache/index.js'
import { EmbeddedServer } from '../../src/server/index.js'
import { type Memcached, startMemcached } from '../support/memcached.js'
import { installedPymemcache, skipped } from '../support/python-library.js'

const run = promisify(execFile)
const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`)

describe('on embedded servers', () => {
  const servers = Array.from({ length: 3 }, () => new EmbeddedServer())
  const names = ['cache-1:11211', 'cache-2:11211', 'cache-3:11211']
  let addresses: string[]
  let elsewhere: Record<string, string>
  beforeAll(async () => {
    await Promise.all(servers.map((server) => server.start()))
    addresses = servers.map(({ address }) => address)
    elsewhere = Object.fromEntries(names.map((name, i) => [name, addresses[i]!]))
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
  })

  it.each(['pickle', 'compressed', 'none'] as const)(
    'HashClient finds what the side writes, and the other way round, with the serde %s',
    async (serde) => {
      const serdes = { pickle: pickleSerde(), compressed: compressedSerde(), none: undefined }
      const fleet = new HashClient(names, {
        addresses: elsewhere,
        serde: serdes[serde],
        keyPrefix: `${serde}:`,
        defaultNoreply: false,
        allowUnicodeKeys: true,
      })
      const side = pymemcacheSide(names, { addresses: elsewhere, serde, keyPrefix: `${serde}:` })
      const values = serde === 'none' ? ['text', Buffer.from([255])] : ['é', 5, [1, 'a'], 'x'.repeat(2000)]
      for (const key of [...keys, 'schlüssel', '\u{1f511}'])
        for (const value of values) {
          expect(await side.set(key, value)).toBe(true)
          const written = await fleet.get(key)
          expect(await side.get(key)).toEqual(written)
          await fleet.set(key, value)
          expect(await side.get(key)).toEqual(written)
        }
      side.disconnectAll()
      fleet.close()
    },
  )

  it('the phases move items from python-memcached to the fleet, counters and CAS uniques as well', async () => {
    const fleet = new HashClient(names, { addresses: elsewhere, serde: compressedSerde() })
    const python = new CompatClient(addresses, { emulate: 'python-memcached-1.59' })
    const client = new MigratingClient({
      old: oldSide(addresses),
      new: pymemcacheSide(names, { addresses: elsewhere, serde: 'compressed' }),
    })
    for (const key of keys) await python.set(key, { name: key, text: 'x'.repeat(500) }, { time: 100 })
    await python.set('counter', 5)
    await client.setPhase('dual-write')
    await client.set('key-0', 'both')
    expect([await python.get('key-0'), await fleet.get('key-0')]).toEqual(['both', 'both'])
    await client.setPhase('new-first')
    for (const key of keys.slice(1)) {
      expect(await client.get(key)).toEqual({ name: key, text: 'x'.repeat(500) })
      expect(await fleet.get(key)).toEqual({ name: key, text: 'x'.repeat(500) })
    }
    expect(client.counts.copied).toBeGreaterThan(0)
    expect(await client.incr('counter', 2)).toBe(7)
    expect(await fleet.get('counter')).toBe(7)
    const seen = await client.gets('key-1')
    expect(await client.cas('key-1', 'changed', seen!.unique)).toBe(true)
    expect(await client.cas('key-1', 'again', seen!.unique)).toBe(false)
    expect(await client.delete('key-2')).toBe(true)
    expect([await python.get('key-2'), await fleet.get('key-2')]).toEqual([null, null])
    await client.setPhase('new')
    expect(await client.getMulti(['key-1', 'key-2', 'key-3'])).toEqual(
      new Map<string, unknown>([
        ['key-1', 'changed'],
        ['key-3', { name: 'key-3', text: 'x'.repeat(500) }],
      ]),
    )
    client.disconnectAll()
    python.disconnectAll()
    fleet.close()
  })

  it.each([
    [
      () => pymemcacheSide(names, { serde: 'zip' as never }),
      /serde "?'?zip"?'? is not one of pickle, compressed, none/,
    ],
    [() => pymemcacheSide(names, { ketama: true } as never), /ketama/],
    [() => pymemcacheSide(['a:b:c']), /invalid literal for int/],
    [() => pymemcacheSide(5 as never), /servers/],
  ])('wrong arguments are named: %#', (make, message) => {
    expect(make).toThrow(message)
  })

  it('without a serde a value that is no bytes is its text, and text beyond ASCII is refused', async () => {
    const side = pymemcacheSide(names, { addresses: elsewhere, serde: 'none' })
    await side.set('plain', [1, 'a'])
    expect(String(await side.get('plain'))).toBe("[1, 'a']")
    await expect(side.set('plain', 'é')).rejects.toThrow('refuses text that is not ASCII')
    side.disconnectAll()
  })
})

describe.each(installedPymemcache)('beside pymemcache $version', ({ python }) => {
  const memcacheds: Memcached[] = []
  beforeAll(async () => {
    if (python)
      memcacheds.push(...(await Promise.all([startMemcached(), startMemcached(), startMemcached()])))
  })
  afterAll(async () => {
    await Promise.all(memcacheds.map((one) => one.stop()))
  })

  const program = `
import sys, json
from pymemcache import serde
from pymemcache.client.hash import HashClient
mode, servers = sys.argv[1], sys.argv[2:]
cache = HashClient(servers, serde=serde.pickle_serde, default_noreply=False, key_prefix=b"app:", timeout=20, connect_timeout=20, allow_unicode_keys=True)
keys = ["key-%d" % i for i in range(40)] + ["schl\\u00fcssel", "\\U0001f511"]
if mode == "write":
    print([cache.set(key, {"key": key, "n": [1, True, None]}) for key in keys].count(True))
else:
    print(json.dumps([cache.get(key) for key in keys]))
`

  it.skipIf(!python)(
    `both find each other's items (${python ? 'live' : skipped})`,
    async () => {
      const servers = memcacheds.map(({ address }) => address)
      const all = [...keys, 'schlüssel', '\u{1f511}']
      const side = pymemcacheSide(servers, { keyPrefix: 'app:', timeout: 20_000 })
      expect((await run(python!, ['-c', program, 'write', ...servers])).stdout.trim()).toBe(
        String(all.length),
      )
      for (const key of all) expect(await side.get(key)).toEqual({ key, n: [1, true, null] })
      for (const key of all) await side.set(key, `from node: ${key}`)
      const read = JSON.parse((await run(python!, ['-c', program, 'read', ...servers])).stdout)
      expect(read).toEqual(all.map((key) => `from node: ${key}`))
      side.disconnectAll()
    },
    120_000,
  )
})
