/**
 * Real memcached processes that are stopped, killed and frozen (SIGSTOP): the failure state machine as in the timelines of
 * docs/reference/pylibmc.md#10.
 */
import { afterEach, describe, expect, it } from 'vitest'
import {
  Client,
  type ClientOptions,
  ConnectionError,
  type MemcachedError,
  ServerDown,
} from '../../src/strict/index.js'
import { type Memcached, memcachedBinary, startMemcached } from '../support/memcached.js'

const started: Memcached[] = []
const clients: Client[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnectAll()
  for (const server of started.splice(0)) await server.stop()
})

async function servers(count: number): Promise<Memcached[]> {
  const made = await Promise.all(Array.from({ length: count }, () => startMemcached()))
  started.push(...made)
  return made
}

function client(on: readonly Memcached[], options: ClientOptions): Client {
  const mc = new Client(
    on.map(({ address }) => address),
    options,
  )
  clients.push(mc)
  return mc
}

const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error)
const protocols: [string, ClientOptions][] = [
  ['text', {}],
  ['binary', { binary: true }],
]

describe.each(protocols)('over %s', (_, options) => {
  it('killed: ConnectionError, then ServerDown, and back after retry_timeout', async () => {
    const [server] = await servers(1)
    let now = 1_000_000
    const mc = client([server!], { ...options, now: () => now, behaviors: { retry_timeout: 4 } })
    expect(await mc.set('k', 'v')).toBe(true)
    await server!.down()
    expect(await outcome(mc.get('k'))).toBeInstanceOf(ConnectionError)
    expect(await outcome(mc.get('k'))).toBeInstanceOf(ConnectionError)
    expect(await outcome(mc.get('k'))).toBeInstanceOf(ServerDown)
    await server!.up()
    expect(await outcome(mc.get('k'))).toBeInstanceOf(ServerDown)
    now += 5
    expect(await mc.get('k')).toBeUndefined()
    expect(await mc.set('k', 'w')).toBe(true)
  })

  it('ketama with ejecting: after the one ServerDead its keys are served elsewhere', async () => {
    const all = await servers(3)
    const behaviors = { ketama: true, remove_failed: 1, failure_limit: 1, dead_timeout: 30 }
    const mc = client(all, { ...options, behaviors })
    const keys = Array.from({ length: 60 }, (_, i) => `key-${i}`)
    expect(await mc.setMulti(Object.fromEntries(keys.map((key) => [key, key])))).toEqual([])
    const lost = keys.filter((key) => mc.hash(key) === 1)
    await all[1]!.down()
    const [key = ''] = lost
    const codes: (number | undefined)[] = []
    for (let i = 0; i < 3; i++) codes.push(((await outcome(mc.get(key))) as MemcachedError).retcode)
    expect(codes).toEqual([3, 3, 35])
    expect(mc.hash(key)).not.toBe(1)
    for (const each of lost) expect(await mc.set(each, 'again')).toBe(true)
    for (const each of keys) expect(await mc.get(each)).toBe(lost.includes(each) ? 'again' : each)
  })

  it.skipIf(!memcachedBinary())(
    'frozen: a timeout counts for nothing, and all is well once it goes on',
    async () => {
      const [server] = await servers(1)
      const mc = client([server!], options)
      expect(await mc.set('k', 'v')).toBe(true)
      server!.freeze()
      const get = () => outcome(mc.get('k', undefined, { timeout: 200 }))
      // The signal stops each thread when it gets to it.
      await expect.poll(get, { timeout: 10_000 }).toMatchObject({ code: 31 })
      for (let i = 0; i < 3; i++) expect(await get()).toMatchObject({ code: 31 })
      server!.thaw()
      expect(await mc.get('k')).toBe('v')
    },
  )
})
