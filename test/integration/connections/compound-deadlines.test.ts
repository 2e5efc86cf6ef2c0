/** An operation of several exchanges has one deadline, which all of them share (docs/strict.md). Counted in commands, not in time. */
import { createServer, type Server } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { Client as CompatClient } from '../../../src/compat/index.js'
import { Client, type ClientOptions, type MemcachedError } from '../../../src/strict/index.js'
import { fullBacklog } from '../../support/full-backlog.js'
import { settlesBefore } from '../../support/settles-before.js'

const servers: Server[] = []
const clients: { disconnectAll(): void }[] = []
afterAll(() => {
  for (const client of clients) client.disconnectAll()
  for (const server of servers) server.close()
})

/** Answers each command after so many milliseconds; never without. */
async function slow(delay?: number) {
  const seen = { commands: 0, connections: 0 }
  const replies: [RegExp, string][] = [
    [/^(set|add) /, 'STORED\r\n'],
    [/^delete /, 'DELETED\r\n'],
    [/^incr /, '2\r\n'],
  ]
  const server = createServer((socket) => {
    seen.connections++
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      for (const line of data.toString('latin1').split('\r\n')) {
        const reply = replies.find(([command]) => command.test(line))?.[1]
        if (reply === undefined) continue
        seen.commands++
        if (delay !== undefined) setTimeout(() => socket.write(reply), delay)
      }
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, seen }
}

function client(address: string, options: ClientOptions): Client {
  const made = new Client([address], options)
  clients.push(made)
  return made
}

class Overriding extends Client {
  override delete(...args: Parameters<Client['delete']>): Promise<boolean> {
    return super.delete(...args)
  }
}

const values = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`k${i}`, i]))
const keys = Object.keys(values)
const calls: [string, (mc: Client, options: object) => Promise<unknown>][] = [
  ['setMulti', (mc, options) => mc.setMulti(values, options)],
  ['addMulti', (mc, options) => mc.addMulti(values, options)],
  ['deleteMulti', (mc, options) => mc.deleteMulti(keys, options)],
  ['incrMulti', (mc, options) => mc.incrMulti(keys, options)],
]
const failure = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: MemcachedError) => error,
  )

it.concurrent.each(calls)('%s on a server that never answers sends one command', async (name, call) => {
  const { address, seen } = await slow()
  const error = await failure(call(client(address, { timeout: 300 }), {}))
  expect(error).toMatchObject(name === 'incrMulti' ? { message: '10 keys failed' } : { code: 31 })
  expect(seen).toEqual({ commands: 1, connections: 1 })
})

it.concurrent.each(calls)(
  '%s on a slow server ends when its time is over',
  async (name, call) => {
    const { address, seen } = await slow(1000)
    const mc = client(address, { timeout: 60_000 })
    // The time of the call is enough for two of ten answers, and each of them alone for its own.
    const error = await failure(call(mc, { timeout: 2500 }))
    expect(error).toMatchObject(name === 'incrMulti' ? { message: expect.any(String) } : { code: 31 })
    expect(seen.commands).toBeLessThanOrEqual(3)
  },
  20_000,
)

it.concurrent('deleteMulti with an overridden delete hands down what is left of the time', async () => {
  const { address, seen } = await slow(1000)
  const mc = new Overriding([address])
  clients.push(mc)
  expect(await failure(mc.deleteMulti(keys, { timeout: 2500 }))).toMatchObject({ code: 31 })
  expect(seen.commands).toBeLessThanOrEqual(3)
}, 20_000)

it.concurrent('compat, errors raised: deleteMulti ends when its time is over', async () => {
  const { address, seen } = await slow()
  const mc = new CompatClient([address], { socketTimeout: 0.3, switches: { errors: 'pylibmc' } })
  clients.push(mc)
  await failure(mc.deleteMulti(keys))
  expect(seen.commands).toBe(1)
})

it('a call whose time is over does not touch the connection that others use', async () => {
  const { address, seen } = await slow(200)
  const mc = client(address, { timeout: 60_000 })
  const neighbours = Promise.all([mc.set('a', 1), mc.set('b', 2)])
  const late = failure(mc.deleteMulti(keys, { timeout: 60_000 }))
  expect(await neighbours).toEqual([true, true])
  expect(await late).toBe('done')
  expect(seen.connections).toBe(1)
})

it('a get that goes from replica to replica has one time to connect to all of them', async () => {
  const backlogs = await Promise.all([fullBacklog(), fullBacklog(), fullBacklog()])
  try {
    if (backlogs.some((one) => one === undefined)) return
    const mc = new Client(
      backlogs.map((one) => one!.address),
      { binary: true, behaviors: { num_replicas: 2, connect_timeout: 60_000 }, timeout: 4000 },
    )
    clients.push(mc)
    const value = mc.get('k')
    // Three times the timeout would be 12 s.
    expect(await settlesBefore(value, 9000)).toBe(true)
    // pylibmc gives a miss where no replica can be reached.
    expect(await value).toBeUndefined()
  } finally {
    for (const one of backlogs) await one?.stop()
  }
}, 30_000)
