/**
 * No operation outlives its deadline, whether the server is silent or slow byte by byte. A deadline covers connecting, queueing,
 * sending and waiting (docs/strict.md).
 */
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client as CompatClient } from '../../../src/compat/index.js'
import { EmbeddedServer } from '../../../src/server/index.js'
import { MemcachedError, Client as StrictClient } from '../../../src/strict/index.js'

const DEADLINE = 150
/** Far above the deadline, far below what a hanging operation would take: this is not a measurement. */
const HANGS = 5000

const strictCalls: Record<string, (client: StrictClient) => Promise<unknown>> = {
  get: (c) => c.get('k'),
  gets: (c) => c.gets('k'),
  getMulti: (c) => c.getMulti(['a', 'b']),
  set: (c) => c.set('k', 1),
  setMulti: (c) => c.setMulti({ a: 1, b: 2 }),
  add: (c) => c.add('k', 1),
  addMulti: (c) => c.addMulti({ a: 1, b: 2 }),
  replace: (c) => c.replace('k', 1),
  append: (c) => c.append('k', 'x'),
  prepend: (c) => c.prepend('k', 'x'),
  cas: (c) => c.cas('k', 1, 5n),
  incr: (c) => c.incr('k'),
  decr: (c) => c.decr('k'),
  incrMulti: (c) => c.incrMulti(['a', 'b']),
  delete: (c) => c.delete('k'),
  deleteMulti: (c) => c.deleteMulti(['a', 'b']),
  touch: (c) => c.touch('k', 10),
  flushAll: (c) => c.flushAll(),
  getStats: (c) => c.getStats(),
}

const compatCalls: Record<string, (client: CompatClient) => Promise<unknown>> = {
  get: (c) => c.get('k'),
  gets: (c) => c.gets('k'),
  getMulti: (c) => c.getMulti(['a', 'b']),
  set: (c) => c.set('k', 1),
  setMulti: (c) => c.setMulti({ a: 1, b: 2 }),
  add: (c) => c.add('k', 1),
  replace: (c) => c.replace('k', 1),
  append: (c) => c.append('k', 'x'),
  prepend: (c) => c.prepend('k', 'x'),
  cas: (c) => c.cas('k', 1),
  incr: (c) => c.incr('k'),
  decr: (c) => c.decr('k'),
  delete: (c) => c.delete('k'),
  deleteMulti: (c) => c.deleteMulti(['a', 'b']),
  touch: (c) => c.touch('k', 10),
  flushAll: (c) => c.flushAll(),
  getStats: (c) => c.getStats(),
  getSlabs: (c) => c.getSlabs(),
  getSlabStats: (c) => c.getSlabStats(),
}

async function settled(call: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const hanging = new Promise((resolve) => {
    timer = setTimeout(() => resolve('hangs'), HANGS)
  })
  const outcome = await Promise.race([call.catch((error: unknown) => error), hanging])
  clearTimeout(timer)
  return outcome
}

/** Accepts connections and says nothing; `slow` sends one byte of an endless line now and then. */
function mute(slow: boolean): Server {
  return createServer((socket) => {
    socket.on('error', () => undefined)
    socket.resume()
    if (!slow) return
    const timer = setInterval(() => socket.write('V'), 20)
    socket.on('close', () => clearInterval(timer))
  })
}

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

const servers = { silent: mute(false), trickling: mute(true) }
const addresses: Record<string, string> = {}
beforeAll(async () => {
  for (const [name, server] of Object.entries(servers)) addresses[name] = await listen(server)
})
afterAll(() => {
  for (const server of Object.values(servers)) server.close()
})

describe.each(['silent', 'trickling'])('a server that is %s', (kind) => {
  it.concurrent.each(Object.keys(strictCalls))(
    'strict %s rejects with a libmemcached error',
    async (name) => {
      const client = new StrictClient([addresses[kind]!], { timeout: DEADLINE, behaviors: { cas: true } })
      const outcome = await settled(strictCalls[name]!(client))
      client.disconnectAll()
      // Partial results instead of an exception: docs/reference/pylibmc.md#5.2.
      if (name === 'getMulti') expect(outcome).toEqual(new Map())
      else expect(outcome).toBeInstanceOf(MemcachedError)
    },
  )

  it.concurrent.each(Object.keys(compatCalls))('compat %s settles', async (name) => {
    const client = new CompatClient([addresses[kind]!], {
      emulate: 'python-memcached-1.59',
      socketTimeout: DEADLINE / 1000,
    })
    const outcome = await settled(compatCalls[name]!(client))
    client.disconnectAll()
    expect(outcome).not.toBe('hangs')
    // Only these let exceptions through (docs/reference/python-memcached.md#13.1).
    if (!['flushAll', 'getStats', 'getSlabs', 'getSlabStats'].includes(name))
      expect(outcome).not.toBeInstanceOf(Error)
  })
})

it('operations queued behind a silent server end at their own deadlines, and the next connection works', async () => {
  const server = await new EmbeddedServer().start()
  const client = new StrictClient([server.address], {
    timeout: DEADLINE,
    behaviors: { retry_timeout: 0 },
  })
  await client.set('k', 'v')
  await server.fault({ fault: 'stall', server: 0, count: -1 })
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => settled(client.get('k'))))
  expect(outcomes.filter((outcome) => !(outcome instanceof MemcachedError))).toEqual([])
  await server.fault({ fault: 'up', server: 0 })
  expect(await client.get('k')).toBe('v')
  client.disconnectAll()
  await server.stop()
})
