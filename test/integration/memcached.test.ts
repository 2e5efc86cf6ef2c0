import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Memcached, startMemcached } from '../support/memcached.js'

let memcached: Memcached
beforeAll(async () => {
  memcached = await startMemcached()
})
afterAll(() => memcached.stop())

async function ask(command: string): Promise<string> {
  const socket = connect(memcached.port, memcached.host)
  socket.write(command)
  const [reply] = await once(socket, 'data')
  socket.destroy()
  return String(reply)
}

test('the tests talk to a real memcached of a line that the specifications cover', async () => {
  expect(await ask('version\r\n')).toMatch(/^VERSION 1\.[4-6]\./)
})

test('a stopped memcached refuses connections and comes back empty on the same port', async () => {
  expect(await ask('set k 0 0 1\r\nv\r\n')).toBe('STORED\r\n')
  const { port } = memcached
  await memcached.down()
  await expect(ask('get k\r\n')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await memcached.up()
  expect(memcached.port).toBe(port)
  expect(await ask('get k\r\n')).toBe('END\r\n')
})
