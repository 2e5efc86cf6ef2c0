/** Memory is bounded by what may be under way: the rest waits with its callers, or is refused, by choice. */
import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { AllocationError, Client, MemcachedError } from '../../../src/strict/index.js'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** Takes sets, counts what has come, and answers when it is told to. */
async function slowServer(): Promise<{
  address: string
  seen: () => number
  /** The keys of the sets, in their order. */
  keys: () => readonly string[]
  bytes: () => number
  answer(count: number): void
  pause(): void
  resume(): void
}> {
  const keys: string[] = []
  let bytes = 0
  let socket: Socket | undefined
  const server = createServer((connected) => {
    socket = connected
    connected.on('error', () => undefined)
    connected.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      keys.push(...Array.from(chunk.toString('latin1').matchAll(/set (\S+)/g), ([, key]) => key!))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => {
    socket?.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return {
    address: `127.0.0.1:${port}`,
    seen: () => keys.length,
    keys: () => keys,
    bytes: () => bytes,
    answer: (count) => socket!.write('STORED\r\n'.repeat(count)),
    pause: () => socket!.pause(),
    resume: () => socket!.resume(),
  }
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5))
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 50))

describe('maxInFlight', () => {
  it('operations that waited are never sent after their deadline', async () => {
    const server = await slowServer()
    const client = new Client([server.address], { maxInFlight: 1, behaviors: { retry_timeout: 0 } })
    stops.push(() => client.disconnectAll())
    const patient = { timeout: 30_000 }
    const first = client.set('first', 'x', patient)
    await until(() => server.seen() >= 1)
    server.answer(1)
    expect(await first).toBe(true)
    const lost = Array.from({ length: 5 }, (_, i) => client.set(`lost-${i}`, 'x', { timeout: 200 }))
    for (const one of await Promise.allSettled(lost))
      expect(one).toMatchObject({ status: 'rejected', reason: expect.any(MemcachedError) })
    const next = client.set('next', 'x', patient)
    await until(() => server.keys().includes('next'))
    server.answer(1)
    expect(await next).toBe(true)
    expect(server.keys().filter((key) => key !== 'lost-0')).toEqual(['first', 'next'])
  })

  it('further operations wait until others have been answered', async () => {
    const server = await slowServer()
    const client = new Client([server.address], { maxInFlight: 10 })
    stops.push(() => client.disconnectAll())
    const sent = Array.from({ length: 25 }, (_, i) => client.set(`key-${i}`, 'x'))
    await until(() => server.seen() >= 10)
    await settle()
    expect(server.seen()).toBe(10)
    server.answer(3)
    await until(() => server.seen() >= 13)
    await settle()
    expect(server.seen()).toBe(13)
    server.answer(10)
    await until(() => server.seen() >= 23)
    server.answer(10)
    await until(() => server.seen() >= 25)
    server.answer(2)
    expect(await Promise.all(sent)).toEqual(sent.map(() => true))
  })

  it('or are refused at once, and nothing is sent of them', async () => {
    const server = await slowServer()
    const client = new Client([server.address], { maxInFlight: 10, whenFull: 'reject' })
    stops.push(() => client.disconnectAll())
    const sent = Array.from({ length: 10 }, (_, i) => client.set(`key-${i}`, 'x'))
    const refused = await client.set('one-too-many', 'x').catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(AllocationError)
    expect(refused).toMatchObject({ retcode: 17, server: server.address, key: 'one-too-many' })
    await until(() => server.seen() >= 10)
    server.answer(10)
    expect(await Promise.all(sent)).toEqual(sent.map(() => true))
    // The server has not failed: the next operation goes out as ever.
    const next = client.set('next', 'x')
    await until(() => server.seen() >= 11)
    server.answer(1)
    expect(await next).toBe(true)
    expect(server.seen()).toBe(11)
  })

  it.each([0, -1, 1.5, '10'])('refuses %j', (maxInFlight) => {
    expect(() => new Client(['127.0.0.1'], { maxInFlight: maxInFlight as number })).toThrow(/maxInFlight/)
  })
})

it('bytes that a server does not read are not copied into its socket', async () => {
  const server = await slowServer()
  const client = new Client([server.address])
  stops.push(() => client.disconnectAll())
  const first = client.set('first', 'x')
  await until(() => server.seen() === 1)
  server.answer(1)
  await first
  server.pause()
  const value = 'x'.repeat(500_000)
  const before = process.memoryUsage()
  const sent = Array.from({ length: 400 }, (_, i) => client.set(`key-${i}`, value))
  await settle()
  const after = process.memoryUsage()
  // 400 copies are 200 MB. The system's own buffers hold some megabytes.
  expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(20e6)
  server.resume()
  await until(() => server.seen() === 401)
  server.answer(400)
  expect((await Promise.all(sent)).every(Boolean)).toBe(true)
})

it('a signal that outlives its calls keeps none of them', async () => {
  const server = await slowServer()
  const client = new Client([server.address])
  stops.push(() => client.disconnectAll())
  const { signal } = new AbortController()
  let listening = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
    listening++
    addEventListener.apply(signal, given)
  }
  signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
    listening--
    removeEventListener.apply(signal, given)
  }
  const sent = Array.from({ length: 20 }, (_, i) => client.set(`key-${i}`, 'x', { signal }))
  expect(listening).toBe(20)
  await until(() => server.seen() === 20)
  server.answer(20)
  await Promise.all(sent)
  expect(listening).toBe(0)
})
