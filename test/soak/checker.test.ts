import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Client as CompatClient } from '../../src/compat/index.js'
import { EmbeddedServer, FaultProxy } from '../../src/server/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import { KeyModel, type Mortal, valueOf } from './checker.js'
import { commandsIn, watchWire } from './wire.js'

const key = 'strict-text:1:2'

class Server implements Mortal {
  deaths = 0
  died = Number.NEGATIVE_INFINITY
  calmSince = 0
  readonly history: string[] = []

  die(): void {
    this.deaths++
    this.died = performance.now()
  }
}

async function later(): Promise<number> {
  await sleep(2)
  return performance.now()
}

function set(model: KeyModel, acknowledged: boolean): void {
  const number = model.begin()
  model.sends(number)
  model.passedOn(number)
  if (acknowledged) model.acknowledged()
  else model.unanswered()
}

test('an acknowledged write that is lost in a later life of its server is a violation', async () => {
  const server = new Server()
  const model = new KeyModel(key, [server], undefined)
  set(model, true)
  server.die()
  await later()
  model.read(null, performance.now())
  set(model, true)
  await expect(async () => model.read(null, await later())).rejects.toThrow(
    'write 2 was acknowledged and is lost',
  )
})

test('a write of an earlier life is a violation, unless it was passed on to the server after its death', async () => {
  const server = new Server()
  const model = new KeyModel(key, [server], undefined)
  set(model, false)
  model.read(valueOf(key, 1), performance.now())
  server.die()
  const begun = await later()
  expect(() => model.read(valueOf(key, 1), begun)).toThrow('read 1, expected 0')
  model.passedOn(1)
  model.read(valueOf(key, 1), begun)
})

test('a read that began before the death of its server may give what was there', async () => {
  const server = new Server()
  const model = new KeyModel(key, [server], undefined)
  set(model, true)
  const begun = performance.now()
  server.die()
  model.read(valueOf(key, 1), begun)
  await expect(async () => model.read(valueOf(key, 1), await later())).rejects.toThrow('read 1, expected 0')
})

test('a miss is allowed only for a read during which its server had a fault', async () => {
  const server = new Server()
  const model = new KeyModel(key, [server], undefined)
  set(model, true)
  const begun = performance.now()
  server.calmSince = await later()
  model.read(undefined, begun)
  await expect(async () => model.read(undefined, await later())).rejects.toThrow('is lost')
})

test('an operation that is sent after its call has ended is noticed', () => {
  const model = new KeyModel(key, [new Server()], undefined)
  const number = model.begin()
  expect(model.sends(number)).toBe(true)
  model.unanswered()
  expect(model.sends(number)).toBe(false)
  model.beginDeletion()
  expect([model.sends(number), model.sends(0)]).toEqual([false, true])
})

const clients = {
  'strict, text': (address: string) => new StrictClient([address]),
  'strict, binary': (address: string) => new StrictClient([address], { binary: true }),
  'compat, 1.62': (address: string) => new CompatClient([address]),
}
const opened: { stop(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.stop()
})

test.each(Object.entries(clients))(
  'every write and deletion of %s is seen twice on the wire',
  async (_, connect) => {
    const server = await new EmbeddedServer().start()
    const proxy = await new FaultProxy({ target: server.address }).start()
    opened.push(server, proxy)
    const seen: string[] = []
    const model = new KeyModel(key, [new Server()], undefined)
    model.sends = (number) => seen.push(`sent ${number}`) > 0
    model.passedOn = (number) => void seen.push(`passed on ${number}`)
    watchWire(new Map([[key, model]]), new Set([proxy.port]), (problem) => seen.push(problem))
    const client = connect(proxy.address)
    opened.push({ stop: () => client.disconnectAll() })
    // 97 has a long value.
    for (const number of [1, 2, 97]) await client.set(key, valueOf(key, number))
    await client.delete(key)
    expect((await client.get(key)) ?? null).toBe(null)
    expect(seen).toEqual([1, 2, 97, 0].flatMap((number) => [`sent ${number}`, `passed on ${number}`]))
  },
)

test('bytes without writes and deletions have none', () => {
  expect(commandsIn(`get ${key} ${key}\r\n`)).toEqual([])
  expect(commandsIn(`incr strict-text:1:counter 1\r\n`)).toEqual([])
})
