/**
 * Exceptions in what the event loop runs: they end the connection on which they happen, reject everything that waits on it with a
 * typed error, and reach nobody else.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { pylibmcDialect } from '../../../src/protocol/dialects.js'
import type { Conversation, Protocol } from '../../../src/protocol/protocol.js'
import { flushAll, retrieval, store } from '../../../src/protocol/requests.js'
import { textProtocol } from '../../../src/protocol/text/text.js'
import type { ServerAddress } from '../../../src/transport/address.js'
import { Connection } from '../../../src/transport/connection.js'
import type { ConnectionOptions } from '../../../src/transport/connection-options.js'
import { TransportError } from '../../../src/transport/errors.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

let server: Memcached
beforeAll(async () => {
  server = await startMemcached()
})
afterAll(() => server.stop())

const opened: Connection[] = []
afterEach(() => {
  for (const connection of opened.splice(0)) connection.close()
})

type Step = Exclude<keyof Conversation, 'quit'>

/** The text protocol, in which one step throws the first time. */
function breaking(step: Step, thrown: unknown): Protocol {
  let broken = false
  return {
    ...textProtocol,
    converse(sink, limits) {
      const real = textProtocol.converse(sink, limits)
      const once = (name: Step): void => {
        if (name !== step || broken) return
        broken = true
        throw thrown
      }
      return {
        greet: (out) => {
          once('greet')
          return real.greet(out)
        },
        write: (pending, out) => {
          // Some of the bytes are on their way already.
          real.write(pending.slice(0, 1), out)
          once('write')
          real.write(pending.slice(1), out)
        },
        push: (chunk) => {
          once('push')
          real.push(chunk)
        },
        quit: (out) => real.quit(out),
      }
    },
  }
}

function connection(options: ConnectionOptions, address: Partial<ServerAddress> = {}): Connection {
  const { host, port } = server
  const made = new Connection({ transport: 'tcp', host, port, ...address } as ServerAddress, options)
  opened.push(made)
  return made
}

const stored = (key: string, noreply: boolean) =>
  store({ verb: 'set', key, flags: 0, exptime: 0, data: 'value', noreply }, pylibmcDialect)

const steps: Step[] = ['greet', 'write', 'push']
const things: [string, unknown][] = [
  ['an Error', new Error('a defect')],
  ['a TypeError', new TypeError('a defect')],
  ['text', 'a defect'],
  ['undefined', undefined],
]

test.each(steps.flatMap((step) => things.map(([name, thrown]) => ({ step, name, thrown }))))(
  '$name thrown by $step',
  async ({ step, thrown }) => {
    const escaped: unknown[] = []
    const note = (error: unknown) => escaped.push(error)
    process.on('uncaughtException', note)
    try {
      const mc = connection({ protocol: breaking(step, thrown), timeout: 20_000 })
      const neighbour = connection({ timeout: 20_000 })
      await neighbour.exchange(flushAll(pylibmcDialect))
      const requests = [
        retrieval('get', ['a']),
        stored('b', false),
        stored('c', true),
        retrieval('get', ['x', 'y']),
      ]
      const calls = requests.map((request) => mc.exchange(request))
      const beside = neighbour.exchange(retrieval('get', ['a']))
      const results = await Promise.allSettled(calls)
      const shape = (result: PromiseSettledResult<unknown>) =>
        result.status === 'rejected' ? result.reason : result.status
      const failed = results.map(shape)
      // What waits for no reply has been handed over before a reply can be read.
      const expected = failed.map((_, i) => (step === 'push' && i === 2 ? 'fulfilled' : 'internal'))
      expect(failed.map((error) => (error instanceof TransportError ? error.kind : error))).toEqual(expected)
      expect(failed[0]).toMatchObject({ server: server.address, sent: step !== 'greet' })
      expect((failed[0] as Error).message).toBe(thrown === undefined ? 'undefined' : 'a defect')
      expect(await beside).toMatchObject({ type: 'items' })
      // The next request opens another connection, and its reply is its own.
      expect(mc.state).toBe('idle')
      expect(await mc.exchange(retrieval('get', ['nothing']))).toMatchObject({
        items: [],
        end: { line: 'END' },
      })
      expect(await mc.exchange(stored('d', false))).toMatchObject({ line: 'STORED' })
      expect(escaped).toEqual([])
    } finally {
      process.off('uncaughtException', note)
    }
  },
)

test('an exception while the first requests are written also ends connect()', async () => {
  const mc = connection({ protocol: breaking('greet', new Error('a defect')) })
  await expect(mc.connect()).rejects.toMatchObject({ kind: 'internal' })
  await mc.connect()
  expect(mc.state).toBe('ready')
})

test.each([
  ['a port that does not exist', {}, { port: 70_000 }],
  ['TLS options that Node refuses', { tls: { minVersion: 'nonsense' as 'TLSv1.2' } }, {}],
])('%s: every call fails at once, as with a server that cannot be reached', async (_, options, address) => {
  const mc = connection({ ...options, timeout: 60_000 }, address)
  const calls = [mc.exchange(retrieval('get', ['a'])), mc.exchange(stored('b', false)), mc.connect()]
  for (const result of await Promise.allSettled(calls))
    expect(result).toMatchObject({ reason: { kind: 'connect', sent: false } })
  expect(mc.state).toBe('idle')
})
