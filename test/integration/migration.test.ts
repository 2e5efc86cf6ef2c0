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
  test('copies items that only the old placement has, byte for byte, with the rest of their time', async () => {
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

  test('a copy never replaces an item that was written meanwhile', async () => {
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

describe('one deadline for a call over both placements', () => {
  /** Far less than the clients' own time, far more than a busy machine needs. */
  const inTime = 20_000
  let patient: MigratingClient

  beforeEach(() => {
    const addresses = servers.map(({ address }) => address)
    patient = new MigratingClient(
      {
        old: oldSide(addresses, { socketTimeout: 60 }),
        new: new StrictClient(addresses, { behaviors: { cas: true }, timeout: 60_000 }),
      },
      { timeout: 1000 },
    )
  })
  afterEach(() => patient.disconnectAll())

  async function silent(index: number): Promise<void> {
    await servers[index]!.fault({ fault: 'stall', count: -1 })
  }
  const outcome = (call: Promise<unknown>) => call.catch(({ code }: { code?: number }) => `error ${code}`)

  test.each<[string, (key: string) => Promise<unknown>]>([
    ['get', (key) => patient.get(key)],
    ['getMulti', (key) => patient.getMulti([key])],
    ['gets', (key) => patient.gets(key)],
    ['add', (key) => patient.add(key, 'v')],
    ['replace', (key) => patient.replace(key, 'v')],
    ['append', (key) => patient.append(key, 'v')],
    ['prepend', (key) => patient.prepend(key, 'v')],
    ['touch', (key) => patient.touch(key, 60)],
    ['incr', (key) => patient.incr(key)],
    ['decr', (key) => patient.decr(key)],
  ])('%s that falls back to a silent server fails at the deadline', async (_, call) => {
    const key = movingKey()
    await patient.setPhase('new-first')
    await silent(old.hash(key))
    const started = performance.now()
    expect(await outcome(call(key))).toBe('error 31')
    expect(performance.now() - started).toBeLessThan(inTime)
  })

  test.each<[string, Phase, (key: string) => Promise<unknown>, unknown]>([
    ['set', 'dual-write', (key) => patient.set(key, 'v'), true],
    ['setMulti', 'dual-write', (key) => patient.setMulti({ [key]: 'v' }), []],
    ['delete', 'dual-write', (key) => patient.delete(key), true],
    ['append', 'dual-write', (key) => patient.append(key, 'v'), true],
    ['touch', 'dual-write', (key) => patient.touch(key, 60), true],
    ['incr', 'dual-write', (key) => patient.incr(key), 2],
  ])('%s whose copy reaches a silent server gives the authority’s result', async (_, phase, call, wanted) => {
    const key = movingKey()
    await patient.set(key, 1)
    await patient.setPhase(phase)
    await silent(pylibmc.hash(key))
    const told: unknown[] = []
    patient.on('unsettled', (which) => told.push(which))
    const started = performance.now()
    expect(await call(key)).toEqual(wanted)
    expect(performance.now() - started).toBeLessThan(inTime)
    expect(told).toEqual([key])
  })

  test('a counter that is being moved at the deadline arrives', async () => {
    const key = movingKey()
    await old.set(key, 41)
    await patient.setPhase('new-first')
    // The answer to the CAS comes after the deadline, byte by byte.
    await servers[old.hash(key)]!.fault({ fault: 'slow', ms: 40, count: -1 })
    const told = await outcome(patient.incr(key))
    if (told !== 'error 31') expect(told).toBe(42)
    await expect.poll(() => pylibmc.get(key), { timeout: inTime }).toBe(told === 42 ? 42 : 41)
  }, 60_000)

  test('a timeout of 0 is refused', () => {
    expect(() => new MigratingClient({ old, new: pylibmc }, { timeout: 0 })).toThrow(/timeout 0 is not/)
  })
})

test('an error of a listener reaches no call', async () => {
  const key = movingKey()
  client.on('unsettled', () => {
    throw new Error('of the listener')
  })
  client.on('phase', async () => {
    throw new Error('of the listener, later')
  })
  await client.setPhase('dual-write')
  await servers[pylibmc.hash(key)]!.fault({ fault: 'down' })
  expect(await client.set(key, 'v')).toBe(true)
  expect(await client.delete(key)).toBe(true)
})
