/** A migration from python-memcached's placement to pylibmc's, phase by phase, on two embedded servers. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Client as CompatClient } from '../../src/compat/index.js'
import { MigratingClient, oldSide, type Phase, phaseNames } from '../../src/migration/index.js'
import { EmbeddedServer } from '../../src/server/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'

let servers: EmbeddedServer[]
let old: CompatClient
let pylibmc: StrictClient
let client: MigratingClient

beforeEach(async () => {
  servers = await Promise.all(Array.from({ length: 3 }, () => new EmbeddedServer().start()))
  const addresses = servers.map(({ address }) => address)
  old = oldSide(addresses, { socketTimeout: 1 })
  pylibmc = new StrictClient(addresses, { behaviors: { cas: true }, timeout: 1000 })
  client = new MigratingClient({ old, new: pylibmc })
})
afterEach(async () => {
  client.disconnectAll()
  await Promise.all(servers.map((server) => server.stop()))
})

/** What a server says to one command. */
async function asked(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(command)
  const [reply] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return reply.toString()
}

/** A key that the two placements put on different servers. */
function movingKey(): string {
  for (let i = 0; ; i++) if (old.hash(`key${i}`) !== pylibmc.hash(`key${i}`)) return `key${i}`
}

test.each<[Phase, inOld: unknown, inNew: unknown]>([
  ['old', 'v', undefined],
  ['dual-write', 'v', 'v'],
  ['new-first', 'v', 'v'],
  ['new', undefined, 'v'],
])('%s: a set goes where the phase says, and a delete as well', async (phase, inOld, inNew) => {
  const key = movingKey()
  await client.setPhase(phase)
  expect(await client.set(key, 'v')).toBe(true)
  expect([await old.get(key), await pylibmc.get(key)]).toEqual([inOld, inNew])
  expect(await client.get(key)).toBe('v')
  expect(await client.delete(key)).toBe(true)
  expect([await old.get(key), await pylibmc.get(key)]).toEqual([undefined, undefined])
  expect(await client.get(key)).toBeUndefined()
})

describe('new-first', () => {
  test('copies what only the old placement has, byte for byte, with the time it still has', async () => {
    const key = movingKey()
    await old.set(key, [1.5, 'x', null], 100)
    await client.setPhase('new-first')
    expect(await client.get(key)).toEqual([1.5, 'x', null])
    expect(await pylibmc.get(key)).toEqual([1.5, 'x', null])
    const reply = await asked(servers[pylibmc.hash(key)]!.port, `mg ${key} t\r\n`)
    const [, left] = /^HD t(\d+)\r\n/.exec(reply) ?? []
    expect(Number(left)).toBeGreaterThan(90)
    expect(Number(left)).toBeLessThanOrEqual(100)
    expect(client.counts).toMatchObject({ reads: 1, hitsOld: 1, hitsNew: 0, copied: 1 })
    await client.get(key)
    expect(client.counts).toMatchObject({ reads: 2, hitsOld: 1, hitsNew: 1, copied: 1 })
  })

  test('a copy never replaces what was written meanwhile', async () => {
    const key = movingKey()
    await old.set(key, 'older')
    await client.setPhase('new-first')
    const [read] = await Promise.all([client.get(key), pylibmc.set(key, 'newer')])
    expect(['older', 'newer']).toContain(read)
    expect(await pylibmc.get(key)).toBe('newer')
  })

  test('add, replace, append and touch know of items that only the old placement has', async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `key${i}`)
    for (const key of keys) await old.set(key, 'old')
    await client.setPhase('new-first')
    expect(await client.add(keys[0]!, 'x')).toBe(false)
    expect(await client.replace(keys[1]!, 'new')).toBe(true)
    expect(await client.append(keys[2]!, '+')).toBe(true)
    expect(await client.touch(keys[3]!, 50)).toBe(true)
    const read = await client.getMulti(keys)
    expect(read.size).toBe(40)
    expect(
      [...read.values()]
        .slice(0)
        .filter((value) => value !== 'old')
        .sort(),
    ).toEqual(['new', 'old+'])
  })

  test('no increment is lost while many clients move a counter', async () => {
    const key = movingKey()
    await old.set(key, 100)
    const addresses = servers.map(({ address }) => address)
    const clients = Array.from({ length: 4 }, () => {
      const side = oldSide(addresses)
      const next = new StrictClient(addresses, { behaviors: { cas: true } })
      return new MigratingClient({ old: side, new: next }, { phase: 'new-first' })
    })
    const results = await Promise.all(
      clients.flatMap((one) => Array.from({ length: 25 }, () => one.incr(key))),
    )
    for (const one of clients) one.disconnectAll()
    expect(new Set(results).size).toBe(100)
    expect(await pylibmc.get(key)).toBe(200)
  })
})

test('a write that does not reach the other placement is remembered, and settled before the phase turns to it', async () => {
  const key = movingKey()
  await client.setPhase('dual-write')
  await client.set(key, 'first')
  const down = servers[pylibmc.hash(key)]!
  await down.fault({ fault: 'down' })
  const told: unknown[] = []
  client.on('unsettled', (which) => told.push(which))
  expect(await client.set(key, 'second')).toBe(true)
  expect(told).toEqual([key])
  expect(client.counts.failedSecond).toBe(1)
  await expect(client.setPhase('new-first')).rejects.toThrow('1 keys may be stale in the other placement')
  expect(client.phase).toBe('dual-write')
  await down.fault({ fault: 'up' })
  pylibmc.disconnectAll()
  // The server kept its items: without settling, `first` would come back.
  await client.setPhase('new-first')
  expect(await client.get(key)).toBe('second')
})

test('a CAS unique belongs to the placement it was read from', async () => {
  const key = movingKey()
  await client.set(key, 'a')
  const seen = await client.gets(key)
  expect(await client.cas(key, 'b', seen!.unique)).toBe(true)
  expect(await client.cas(key, 'c', seen!.unique)).toBe(false)
  await client.setPhase('new-first')
  const again = await client.gets<string>(key)
  expect(again!.value).toBe('b')
  expect(await client.cas(key, 'd', again!.unique)).toBe(true)
  expect([await old.get(key), await pylibmc.get(key)]).toEqual([undefined, 'd'])
})

test('phases go both ways, say so, and have names', async () => {
  const seen: string[] = []
  client.on('phase', (phase, before) => seen.push(`${before} to ${phase}`))
  for (const phase of [...phaseNames, ...phaseNames.toReversed()]) await client.setPhase(phase)
  expect(seen).toEqual([
    'old to dual-write',
    'dual-write to new-first',
    'new-first to new',
    'new to new-first',
    'new-first to dual-write',
    'dual-write to old',
  ])
  await expect(client.setPhase('newer' as Phase)).rejects.toThrow(
    'phase "newer" is not one of old, dual-write, new-first, new',
  )
})
