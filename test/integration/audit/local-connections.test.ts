/** Connections inside the process: both clients on an embedded server without a socket, and what is the same as over the network. */
import { afterEach, expect, test } from 'vitest'
import { Client as CompatClient } from '../../../src/compat/index.js'
import { EmbeddedServer } from '../../../src/server/index.js'
import { Client as StrictClient } from '../../../src/strict/index.js'
import { withDirectSessions } from '../../../src/transport/direct.js'

const big = 'x'.repeat(300_000)
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** By sockets inside the process, and without. */
const ways = {
  sockets: (server: EmbeddedServer) => () => server.connect(),
  direct: (server: EmbeddedServer) =>
    withDirectSessions(
      () => server.connect(),
      () => server.session(),
    ),
}
const names = Object.keys(ways) as (keyof typeof ways)[]

function clients(server: EmbeddedServer, way: keyof typeof ways) {
  const connect = ways[way](server)
  const all = [
    new StrictClient(['nowhere:1'], { connect }),
    new StrictClient(['nowhere:1'], { connect, binary: true }),
    new CompatClient(['nowhere:1'], { connect, emulate: 'python-memcached-1.59' }),
    new CompatClient(['nowhere:1'], { connect, emulate: 'pylibmc' }),
  ]
  for (const client of all) closing.push(() => client.disconnectAll())
  return all
}

test.each(names)('%s: values come back as they were stored, small, large and many', async (way) => {
  const server = new EmbeddedServer()
  for (const client of clients(server, way)) {
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

test.each(names)(
  '%s: a closed connection is opened again, and a server that stops is noticed',
  async (way) => {
    const server = new EmbeddedServer()
    const [strict] = clients(server, way) as [StrictClient]
    await strict.set('k', 'v')
    strict.disconnectAll()
    expect(await strict.get('k')).toBe('v')
    await server.stop()
    await new Promise((resolve) => setImmediate(resolve))
    await expect(strict.get('k')).rejects.toThrow('server has disconnected')
    expect(await strict.get('k')).toBe('v')
  },
)

type Call = (client: StrictClient) => unknown

/** What is asked of both: hits and misses, refusals, errors of the server and of the client, silence, the end of the connection. */
const calls: readonly Call[] = [
  (client) => client.set('a', 'text'),
  (client) => client.add('a', 1),
  (client) => client.replace('none', 1),
  (client) => client.append('a', '!'),
  (client) => client.get('a'),
  (client) => client.gets('a'),
  (client) => client.set('n', 5),
  (client) => client.incr('n', 3),
  (client) => client.decr('n', 90),
  (client) => client.incr('a'),
  (client) => client.incr('none'),
  (client) => client.set('big', Buffer.alloc(1_100_000, 'x')),
  (client) => client.setMulti({ x: 1, y: [1, 'two', null], z: Buffer.from([0, 255, 13, 10]) }),
  (client) => client.getMulti(['x', 'none', 'y', 'z']),
  (client) => client.deleteMulti(['x', 'none']),
  (client) => client.delete('none'),
  (client) => client.touch('y', 100),
  (client) => client.set('gone', 1, -1),
  (client) => client.get('gone'),
  (client) => client.get(''),
  (client) => client.get('k'.repeat(300)),
  (client) => client.set('k', 1, 2 ** 40),
  (client) => client.disconnectAll(),
  (client) => client.get('y'),
  (client) => client.flushAll(),
  (client) => client.get('y'),
]

async function outcomes(way: keyof typeof ways): Promise<unknown[][]> {
  const found: unknown[][] = []
  for (const index of [0, 1, 2, 3]) {
    const client = clients(new EmbeddedServer({ clock: () => 1_800_000_000 }), way)[index] as StrictClient
    const own: unknown[] = []
    for (const call of calls) {
      try {
        const value = await call(client)
        own.push(value instanceof Map ? [...value].sort() : value)
      } catch (error) {
        own.push({ ...(error as Error), message: (error as Error).message, cause: undefined })
      }
    }
    found.push(own)
  }
  return found
}

test('every outcome without sockets is the one over sockets', async () => {
  expect(await outcomes('direct')).toEqual(await outcomes('sockets'))
})

test('statistics count connections and bytes alike', async () => {
  const figures = async (way: keyof typeof ways) => {
    const server = new EmbeddedServer({ clock: () => 1_800_000_000 })
    const [strict] = clients(server, way) as [StrictClient]
    await strict.set('k', 'v')
    await strict.get('k')
    const [[, stats]] = (await strict.getStats()) as [[string, Record<string, string>]]
    const { curr_connections, total_connections, bytes_read, bytes_written, cmd_get } = stats
    return { curr_connections, total_connections, bytes_read, bytes_written, cmd_get }
  }
  expect(await figures('direct')).toEqual(await figures('sockets'))
})

test('connect must be a function', () => {
  expect(() => new StrictClient(['a'], { connect: 5 as never })).toThrow('connect must be a function, not 5')
  expect(() => new CompatClient(['a'], { connect: 5 as never })).toThrow('connect must be a function, not 5')
})
