/** What the strict client has around its methods: hooks, mapping helpers, per-call options, pools. On the embedded server. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EmbeddedServer } from '../../src/server/index.js'
import {
  CacheMiss,
  Client,
  ClientPool,
  MemcachedError,
  PoolEmpty,
  ThreadMappedPool,
} from '../../src/strict/index.js'
import { startMemcached } from '../support/memcached.js'

let server: EmbeddedServer
beforeAll(async () => {
  server = await new EmbeddedServer().start()
})
afterAll(() => server.stop())

describe('serialize and deserialize in a subclass (docs/reference/pylibmc.md#4.4)', () => {
  class Json extends Client {
    override serialize(value: unknown): readonly [Uint8Array, number] {
      return [Buffer.from(JSON.stringify(value)), 64]
    }
    override deserialize(data: Buffer, flags: number): unknown {
      if (flags === 4) throw new CacheMiss('an integer is stale')
      return flags & 64 ? JSON.parse(data.toString()) : super.deserialize(data, flags)
    }
  }

  it('decide for every value, compression included, also in a clone', async () => {
    const mc = new Json([server.address])
    const value = { text: 'x'.repeat(2000), list: [1, 2] }
    expect(await mc.set('json', value, { minCompressLen: 100 })).toBe(true)
    expect(await mc.get('json')).toEqual(value)
    expect(await mc.clone().getMulti(['json'])).toEqual(new Map([['json', value]]))
    const plain = new Client([server.address])
    // Flag 64 is none of pylibmc's: the plain client sees bytes.
    expect(JSON.parse(String(await plain.get('json')))).toEqual(value)
    mc.disconnectAll()
    plain.disconnectAll()
  })

  it('CacheMiss means missing: default, (None, None), absent', async () => {
    const mc = new Json([server.address], { behaviors: { cas: true } })
    const plain = new Client([server.address])
    await plain.set('stale', 5)
    await plain.set('fresh', 'text')
    expect(await mc.get('stale', 'default')).toBe('default')
    expect(await mc.gets('stale')).toEqual([undefined, undefined])
    expect(await mc.getMulti(['stale', 'fresh'])).toEqual(new Map([['fresh', 'text']]))
    expect(await mc.has('stale')).toBe(false)
    await expect(mc.getItem('stale')).rejects.toMatchObject({ python: 'builtins.KeyError' })
    mc.disconnectAll()
    plain.disconnectAll()
  })

  it.each([
    [[Buffer.from('x')], 'builtins.ValueError'],
    ['text', 'builtins.ValueError'],
    [[Buffer.from('x'), 1.5], 'builtins.ValueError'],
    [['text', 0], undefined],
  ])('a pair that is none is refused: %j', async (pair, python) => {
    class Wrong extends Client {
      override serialize(): never {
        return pair as never
      }
    }
    const error = await new Wrong([server.address]).set('k', 1).catch((caught: unknown) => caught)
    if (python === undefined) expect(error).toBeInstanceOf(TypeError)
    else expect(error).toMatchObject({ python, message: 'serialize() must return (bytes, flags)' })
  })

  it('the built-in methods give the pair of the specification', () => {
    const mc = new Client([server.address])
    expect(mc.serialize('é')).toEqual([Buffer.from('é'), 16])
    expect(mc.serialize(7)).toEqual([Buffer.from('7'), 4])
    expect(mc.deserialize(Buffer.from('7'), 4 | 8)).toBe(7)
  })
})

describe('as a mapping (docs/reference/pylibmc.md#5.8)', () => {
  it('a stored None is a hit; missing keys are KeyErrors', async () => {
    await using mc = new Client([server.address])
    await mc.setItem('none', null)
    expect(await mc.getItem('none')).toBeNull()
    expect(await mc.has('none')).toBe(true)
    await mc.deleteItem('none')
    expect(await mc.has('none')).toBe(false)
    for (const call of [() => mc.getItem('none'), () => mc.deleteItem('none'), () => mc.setItem('', 1)])
      await expect(call()).rejects.toMatchObject({ python: 'builtins.KeyError' })
  })
})

describe('options of one call', () => {
  it('an aborted signal ends the waiting; the reply that comes later answers no other call', async () => {
    await using mc = new Client([server.address])
    await mc.setMulti({ a: 'A', b: 'B' })
    await server.fault({ fault: 'slow', ms: 10, server: 0 })
    const controller = new AbortController()
    const given = mc.get('a', undefined, { signal: controller.signal })
    const kept = mc.get('b')
    setTimeout(() => controller.abort(new Error('no longer needed')), 20)
    await expect(given).rejects.toThrow('no longer needed')
    expect(await kept).toBe('B')
    expect(await mc.get('a')).toBe('A')
    await expect(mc.set('a', 1, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    expect(await mc.get('a')).toBe('A')
  })

  it('a timeout of its own ends one call', async () => {
    await using mc = new Client([server.address])
    await server.fault({ fault: 'stall', server: 0 })
    await expect(mc.get('a', undefined, { timeout: 30 })).rejects.toMatchObject({ code: 31 })
    await expect(mc.get('a', undefined, { timeout: -1 })).rejects.toThrow('timeout -1')
    expect(await mc.get('a')).toBe('A')
  })
})

describe('pools (docs/reference/pylibmc.md#12)', () => {
  it('ClientPool hands out clones first in, first out, and takes them back after an exception', async () => {
    const master = new Client([server.address])
    const pool = new ClientPool(master, 2)
    const first = await pool.reserve()
    const second = await pool.reserve()
    expect(first.client).not.toBe(second.client)
    expect(first.client).not.toBe(master)
    await expect(pool.reserve()).rejects.toBeInstanceOf(PoolEmpty)
    await expect(pool.reserve({ block: true, timeout: 0.01 })).rejects.toBeInstanceOf(PoolEmpty)
    const waiting = pool.reserve({ block: true })
    first.release()
    first.release()
    expect((await waiting).client).toBe(first.client)
    second.release()
    expect(pool.size).toBe(1)
    const failing = pool.use(() => {
      throw new MemcachedError('mine')
    })
    await expect(failing).rejects.toThrow('mine')
    expect(pool.size).toBe(1)
    pool.fill(master, 3)
    expect(pool.size).toBe(4)
    expect(await pool.use((mc) => mc.set('pooled', 1))).toBe(true)
    pool.disconnectAll()
    expect(() => pool.fill(master, -1)).toThrow('-1')
  })

  it('ThreadMappedPool keeps one client for the thread; a nested reservation gets a clone', () => {
    const pool = new ThreadMappedPool(new Client([server.address]))
    expect(pool.relinquish()).toBeUndefined()
    let outer: Client
    {
      using one = pool.reserve()
      using two = pool.reserve()
      expect(one.client).not.toBe(two.client)
      outer = one.client
    }
    expect(pool.relinquish()).toBe(outer)
    expect(pool.relinquish()).toBeUndefined()
  })
})

describe('buffer_requests, made to work', () => {
  it('buffered sets and deletes succeed at once, and are there for the next read', async () => {
    await using mc = new Client([server.address], { behaviors: { buffer_requests: true } })
    expect(await Promise.all([mc.set('b1', 1), mc.set('b2', 2), mc.delete('b1')])).toEqual([true, true, true])
    expect(await mc.getMulti(['b1', 'b2'])).toEqual(new Map([['b2', 2]]))
    expect(await mc.setMulti({ b3: 3, b4: 4 })).toEqual([])
    expect(await mc.get('b4')).toBe(4)
  })

  it('the failure of a buffered request is published on a channel', async () => {
    await using mc = new Client([server.address], { behaviors: { buffer_requests: true } })
    const failures: unknown[] = []
    const subscriber = (message: unknown) => {
      failures.push(message)
    }
    subscribe('memshim:buffered-failure', subscriber)
    expect(await mc.set('big', 'x'.repeat(2_000_000))).toBe(true)
    expect(await mc.get('big')).toBeUndefined()
    unsubscribe('memshim:buffered-failure', subscriber)
    expect(failures).toMatchObject([{ operation: 'set', key: 'big', error: { retcode: 37 } }])
  })
})

describe('num_replicas in the binary protocol (docs/reference/pylibmc.md#9.4)', () => {
  it('set and delete reach the next servers, get falls back to them', async () => {
    const servers = [await startMemcached(), await startMemcached(), await startMemcached()]
    const addresses = servers.map(({ address }) => address)
    const mc = new Client(addresses, { binary: true, behaviors: { num_replicas: 1, retry_timeout: 5 } })
    const alone = addresses.map((address) => new Client([address]))
    const primary = mc.hash('k')
    const replica = (primary + 1) % 3
    const other = (primary + 2) % 3
    expect(await mc.set('k', 'v')).toBe(true)
    await expect.poll(() => alone[replica]!.get('k')).toBe('v')
    expect(await alone[primary]!.get('k')).toBe('v')
    expect(await alone[other]!.get('k')).toBeUndefined()
    await servers[primary]!.stop()
    await expect(mc.get('k')).rejects.toBeInstanceOf(MemcachedError)
    expect(await mc.get('k')).toBe('v')
    expect(await mc.getMulti(['k'])).toEqual(new Map([['k', 'v']]))
    await expect(mc.set('k', 'w')).rejects.toBeInstanceOf(MemcachedError)
    for (const client of [mc, ...alone]) client.disconnectAll()
    for (const one of servers) await one.stop()
  })

  it('is ignored in the text protocol', async () => {
    const servers = [await startMemcached(), await startMemcached()]
    const addresses = servers.map(({ address }) => address)
    const mc = new Client(addresses, { behaviors: { num_replicas: 1 } })
    const other = new Client([addresses[1 - mc.hash('k')]!])
    await mc.set('k', 'v')
    expect(await other.get('k')).toBeUndefined()
    for (const client of [mc, other]) client.disconnectAll()
    for (const one of servers) await one.stop()
  })
})
