// The members of a client are those that the documentation names, and nothing of its pipeline is among them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Client } from './index.js'

const documented = ['docs/strict.md', 'docs/evidence/pylibmc-parity.md', 'docs/tracing.md']
  .map((page) => readFileSync(join(import.meta.dirname, '..', '..', page), 'utf8'))
  .join('\n')

test('the prototype has the methods of pylibmc and those of docs/strict.md', () => {
  const names = Object.getOwnPropertyNames(Client.prototype).filter((name) => name !== 'constructor')
  expect(names.sort()).toEqual(
    [
      'add', 'addMulti', 'addresses', 'append', 'behaviors', 'cas', 'clone', 'decr', 'delete',
      'deleteItem', 'deleteMulti', 'deserialize', 'disconnectAll', 'flushAll', 'get', 'getBehaviors', 'getItem', 'getMulti',
      'getStats', 'gets', 'has', 'hash', 'incr', 'incrMulti', 'prepend', 'replace', 'serialize', 'set', 'setBehaviors', 'setItem',
      'setMulti', 'streamMulti', 'toString', 'touch',
    ], // biome-ignore format: one list
  )
  const silent = names.filter(
    (name) => typeof name === 'string' && !new RegExp(`\\b${name}\\b`).test(documented),
  )
  expect(silent).toEqual([])
  expect(Object.getPrototypeOf(Client.prototype)).toBe(Object.prototype)
})

test('a client has no enumerable member of its own, and shows none', () => {
  const mc = new Client(['127.0.0.1:1'], { behaviors: { namespace: 'secret' } })
  expect(Object.keys(mc)).toEqual([])
  expect({ ...mc }).toEqual({})
  expect(inspect(mc)).toBe('Client {}')
})

test('a proxy of a client works as the client', async () => {
  const mc = new Proxy(new Client(['127.0.0.1:1']), {})
  expect(mc.hash('key')).toBe(0)
  expect(mc.clone().behaviors).toEqual(mc.behaviors)
  expect(String(mc)).toBe('<Client for 127.0.0.1:1, binary=False>')
  await expect(mc.get('key')).rejects.toThrow(/^error 3 from memcached_get\(key\)/)
})
