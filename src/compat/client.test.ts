/** What a program sees of a compat client that is not among its methods. */
import { EventEmitter } from 'node:events'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Client as StrictClient } from '../strict/index.js'
import { Client } from './client.js'
import { ShadowedClient } from './divergence/shadowed-client.js'

const servers = ['127.0.0.1:1']
const emulate = 'python-memcached-1.59'

test.each([
  ['a client', new Client(servers, { emulate })],
  ['a client with every switch off', new Client(servers, { emulate: 'pylibmc' })],
  ['a shadowed client', new ShadowedClient(servers, { emulate }, new StrictClient(servers))],
])('%s shows nothing but the fields of an EventEmitter', (_, client) => {
  expect(Reflect.ownKeys({ ...client })).toEqual(Reflect.ownKeys({ ...new EventEmitter() }))
  expect(inspect(client)).not.toMatch(/emulation|casIds|pipeline|behaviors|announcer/)
})

test('a proxy of a client works', async () => {
  const mc = new Proxy(new Client(servers, { emulate }), {})
  expect(mc.servers).toHaveLength(1)
  await expect(mc.get('k')).resolves.toBeNull()
})
