/** What a program sees of a migrating client that is not among its methods. */
import { EventEmitter } from 'node:events'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Client } from '../strict/index.js'
import { MigratingClient } from './migrating-client.js'

test('a client shows nothing but the fields of an EventEmitter', () => {
  const client = new MigratingClient({ old: new Client(['127.0.0.1:1']), new: new Client(['127.0.0.1:2']) })
  expect(Reflect.ownKeys({ ...client })).toEqual(Reflect.ownKeys({ ...new EventEmitter() }))
  expect(inspect(client)).not.toMatch(/placements|unsettled|counted/)
  expect(new Proxy(client, {}).phase).toBe('old')
})
