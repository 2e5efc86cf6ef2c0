/** Calls of one turn: gets may leave before commands of other keys, and every call has the outcome of its own key's order. */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { startServer } from '../../../src/server/index.js'
import { Client } from '../../../src/strict/index.js'
import '../../support/seed.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function started(behaviors = {}) {
  const sent: string[] = []
  const server = await startServer({ record: (exchange) => sent.push(exchange.sent) })
  const client = new Client([server.address], { behaviors })
  stops.push(() => client.disconnectAll())
  stops.push(() => server.stop())
  await client.get('connected')
  sent.length = 0
  return { client, sent, server }
}

/** The commands with their keys, without data. */
const commands = (sent: readonly string[]) => sent.map((each) => each.split('\r\n')[0])

const call = fc.record({
  verb: fc.constantFrom('get', 'get', 'get', 'set', 'add', 'incr', 'delete', 'touch', 'getMulti'),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  value: fc.integer({ min: 0, max: 99 }),
})

/** What a call does to the items, and its outcome, if calls are carried out one after another. */
function expected(
  items: Map<string, number>,
  { verb, key, value }: { verb: string; key: string; value: number },
) {
  const held = items.get(key)
  switch (verb) {
    case 'get':
      return held
    case 'getMulti':
      return new Map([...items].filter(([name]) => ['a', key].includes(name)))
    case 'set':
      items.set(key, value)
      return true
    case 'add':
      if (held === undefined) items.set(key, value)
      return held === undefined
    case 'incr':
      if (held === undefined) return 'NotFound'
      items.set(key, held + value)
      return held + value
    case 'delete':
      return items.delete(key)
    default:
      return held !== undefined
  }
}

describe('calls of one turn', () => {
  it('every call has the outcome that it has when they are carried out one after another', async () => {
    const { client } = await started()
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 2, maxLength: 40 }), async (calls) => {
        await client.flushAll()
        const items = new Map<string, number>()
        const outcomes = calls.map(({ verb, key, value }) => {
          if (verb === 'get') return client.get(key)
          if (verb === 'getMulti') return client.getMulti([...new Set(['a', key])])
          if (verb === 'set' || verb === 'add') return client[verb](key, value)
          if (verb === 'incr') return client.incr(key, value).catch((error: Error) => error.name)
          return verb === 'delete' ? client.delete(key) : client.touch(key, 0)
        })
        expect(await Promise.all(outcomes)).toEqual(calls.map((each) => expected(items, each)))
      }),
      { numRuns: 150 },
    )
  })

  it('gets share a command past sets of other keys', async () => {
    const { client, sent } = await started()
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`)
    await Promise.all(keys.map((key, index) => (index % 5 === 0 ? client.set(key, 'v') : client.get(key))))
    expect(commands(sent)).toEqual([
      'get k1 k2 k3 k4 k6',
      'get k7 k8 k9 k11 k12',
      'get k13 k14 k16 k17 k18',
      'get k19',
      ...['k0', 'k5', 'k10', 'k15'].map((key) => `set ${key} 16 0 1`),
    ])
  })

  it('a buffered set, whose call succeeds before it is sent, is not overtaken', async () => {
    const { client, sent } = await started({ buffer_requests: 1 })
    await client.set('a', 'v')
    await client.get('b')
    expect(commands(sent)).toEqual(['set a 16 0 1', 'get b'])
  })
})
