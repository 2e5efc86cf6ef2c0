/** streamMulti: a million keys without holding them, in order of batches, with the caller's pace. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, NotFound, ServerDown } from '../../../src/strict/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

let server: Memcached
let client: Client
beforeAll(async () => {
  server = await startMemcached()
  client = new Client([server.address])
  for (let i = 0; i < 3000; i += 2) await client.set(`n-${i}`, i)
})
afterAll(async () => {
  client.disconnectAll()
  await server.stop()
})

const key = (i: number) => `n-${i}`
function* keys(count: number, taken: { count: number } = { count: 0 }): Generator<string> {
  for (let i = 0; i < count; i++) {
    taken.count++
    yield key(i)
  }
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

describe('streamMulti', () => {
  it.each([1, 7, 1000, 3000, 5000])('gives the result of getMulti, in batches of %i', async (batch) => {
    const expected = [...(await client.getMulti(keys(3000)))]
    expect(expected).toHaveLength(1500)
    expect(await all(client.streamMulti(keys(3000), { batch }))).toEqual(expected)
  })

  it('takes asynchronous keys, prefixes and keys that are bytes', async () => {
    async function* later() {
      for (const i of [2, 3, 4]) yield Buffer.from(String(i))
    }
    expect(await all(client.streamMulti(later(), { keyPrefix: 'n-' }))).toEqual([
      [Buffer.from('2'), 2],
      [Buffer.from('4'), 4],
    ])
  })

  it('takes no more keys than its reader needs', async () => {
    const taken = { count: 0 }
    for await (const [name, value] of client.streamMulti(keys(1_000_000, taken), { batch: 100 })) {
      expect([name, value]).toEqual(['n-0', 0])
      break
    }
    expect(taken.count).toBeLessThanOrEqual(300)
  })

  it('a million keys leave the heap as it was', async () => {
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    let most = 0
    let found = 0
    for await (const _ of client.streamMulti(keys(1_000_000))) {
      found++
      if (found % 500 === 0) {
        globalThis.gc?.()
        most = Math.max(most, process.memoryUsage().heapUsed - before)
      }
    }
    expect(found).toBe(1500)
    globalThis.gc?.()
    expect(Math.max(most, process.memoryUsage().heapUsed - before)).toBeLessThan(20e6)
  })

  it('raises the errors of getMulti, and no other error is lost', async () => {
    const down = new Client(['127.0.0.1:1'])
    const error = await all(down.streamMulti(keys(5000), { batch: 10 })).catch((error: unknown) => error)
    expect(error).toMatchObject({ server: '127.0.0.1:1' })
    expect(error instanceof NotFound).toBe(false)
    expect(error instanceof ServerDown || (error as { retcode?: number | undefined }).retcode === 3).toBe(
      true,
    )
    await expect(all(client.streamMulti([], { batch: 0 }))).rejects.toThrow('batch 0')
    expect(await all(client.streamMulti([]))).toEqual([])
  })
})
