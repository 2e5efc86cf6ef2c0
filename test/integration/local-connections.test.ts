/** Connections inside the process: both clients on an embedded server without a socket, and what is the same as over the network. */
import { afterEach, expect, test } from 'vitest'
import { Client as CompatClient } from '../../src/compat/index.js'
import { EmbeddedServer } from '../../src/server/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'

const big = 'x'.repeat(300_000)
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

function clients(server: EmbeddedServer) {
  const connect = () => server.connect()
  const all = [
    new StrictClient(['nowhere:1'], { connect }),
    new StrictClient(['nowhere:1'], { connect, binary: true }),
    new CompatClient(['nowhere:1'], { connect, emulate: 'python-memcached-1.59' }),
    new CompatClient(['nowhere:1'], { connect, emulate: 'pylibmc' }),
  ]
  for (const client of all) closing.push(() => client.disconnectAll())
  return all
}

test('values come back as they were stored, small, large and many', async () => {
  const server = new EmbeddedServer()
  for (const client of clients(server)) {
    await client.set('k', 'v')
    await client.set('big', Buffer.from(big))
    const [small, large, many] = await Promise.all([
      client.get('k'),
      client.get('big'),
      (client as StrictClient).getMulti(['k', 'none', 'big']),
    ])
    expect(small).toBe('v')
    expect(String(large)).toBe(big)
    expect([...many.keys()].sort()).toEqual(['big', 'k'])
    expect(await client.get('none')).toBeFalsy()
  }
})

test('a connection that was closed is opened again, and a server that stops is noticed', async () => {
  const server = new EmbeddedServer()
  const [strict] = clients(server) as [StrictClient]
  await strict.set('k', 'v')
  strict.disconnectAll()
  expect(await strict.get('k')).toBe('v')
  await server.stop()
  await new Promise((resolve) => setImmediate(resolve))
  await expect(strict.get('k')).rejects.toThrow('server has disconnected')
  expect(await strict.get('k')).toBe('v')
})

test('connect must be a function', () => {
  expect(() => new StrictClient(['a'], { connect: 5 as never })).toThrow('connect must be a function, not 5')
  expect(() => new CompatClient(['a'], { connect: 5 as never })).toThrow('connect must be a function, not 5')
})
