/**
 * After a reply that belongs to another command the connection is closed (docs/reference/field.md#2, 3). Which words belong to which command:
 * memcached's protocol.txt. pylibmc reads on after words that it knows (fixtures/recordings, replies/*), python-memcached always.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { type AuditedClient, invoke } from '../../../src/audit/methods/calls.js'
import { type ClientOptions, Client as CompatClient } from '../../../src/compat/index.js'
import { Client as StrictClient } from '../../../src/strict/index.js'
import { answering, stopAnswering } from '../../support/answering.js'

afterAll(stopAnswering)

const stores = ['STORED', 'NOT_STORED', 'EXISTS', 'NOT_FOUND']
const errors = ['ERROR', 'CLIENT_ERROR no', 'SERVER_ERROR no', 'SERVER_ERROR out of memory storing object']
const others = ['DELETED', 'TOUCHED', 'OK', 'END', '5', 'RESET', 'VERSION 1', '', 'no word']
const words = [...stores, ...errors, ...others]
const operations: [call: string, args: unknown[], own: string[]][] = [
  ['get', ['k'], ['END']],
  ['get_multi', [['k', 'm']], ['END']],
  ['set', ['k', 1], stores],
  ['delete', ['k'], ['DELETED', 'NOT_FOUND']],
  ['incr', ['k'], ['5', 'NOT_FOUND']],
  ['touch', ['k', 60], ['TOUCHED', 'NOT_FOUND']],
  ['flush_all', [], ['OK']],
]
const rows = operations.flatMap(([call, args, own]) => words.map((word) => ({ word, call, args, own })))

const python = { name: 'python-memcached', version: '1.59' } as const
const compat = (options?: ClientOptions) => ({
  library: python,
  make: (address: string) =>
    new CompatClient([address], { emulate: 'python-memcached-1.59', socketTimeout: 2, ...options }),
})
const clients = {
  strict: {
    library: { name: 'pylibmc', version: '1.6.3' } as const,
    make: (address: string) => new StrictClient([address], { behaviors: { _poll_timeout: 2000 } }),
  },
  compat: compat(),
  'compat out of step': compat({ switches: { desynchronisation: 'python-memcached' } }),
}

/** Is the connection used again after two replies of this word? */
async function kept(client: keyof typeof clients, word: string, call: string, args: readonly unknown[]) {
  const { library, make } = clients[client]
  const { address, seen } = await answering(() => Buffer.from(`${word}\r\n`))
  const mc: AuditedClient = make(address)
  for (let i = 0; i < 2; i++) await invoke(mc, library, { call, args: [...args], kwargs: {} })
  mc.disconnectAll()
  return seen.usedAgain
}

describe('strict', () => {
  it.concurrent.each(rows)('"$word" to $call', async ({ word, call, args, own }) => {
    expect(await kept('strict', word, call, args)).toBe(own.includes(word) || errors.includes(word))
  })
})

describe('compat', () => {
  it.concurrent.each(rows)('"$word" to $call', async ({ word, call, args, own }) => {
    // get_multi of python-memcached waits for END after every other word, until its time is over.
    const ends = call === 'get_multi' ? own : [...own, ...errors]
    expect(await kept('compat', word, call, args)).toBe(ends.includes(word))
  })

  it.concurrent.each(rows.filter(({ call }) => call !== 'get_multi'))(
    'out of step: kept after "$word" to $call',
    async ({ word, call, args }) => {
      expect(await kept('compat out of step', word, call, args)).toBe(true)
    },
  )
})

it.each(['set', 'delete', 'incr'])('%s without an answer keeps its connection', async (call) => {
  const { address, seen } = await answering(() => Buffer.of())
  const strict = new StrictClient([address], { behaviors: { _noreply: true } })
  const args = call === 'set' ? ['k', 1] : ['k']
  for (let i = 0; i < 2; i++) {
    await invoke(strict, clients.strict.library, { call, args, kwargs: {} })
    await expect.poll(() => seen.requests).toBe(i + 1)
  }
  expect(seen.connections).toBe(1)
  strict.disconnectAll()
  const compat = new CompatClient([address], { emulate: 'python-memcached-1.62' })
  for (let i = 0; i < 2; i++) {
    await invoke(compat, { ...python, version: '1.62' }, { call, args, kwargs: { noreply: true } })
    await expect.poll(() => seen.requests).toBe(i + 3)
  }
  expect(seen.connections).toBe(2)
  compat.disconnectAll()
})
