/** A value is what it was when the call was made: nothing that the caller does with its bytes later reaches the wire. */
import { createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Client as CompatClient } from '../../../src/compat/index.js'
import { Client, type ClientOptions } from '../../../src/strict/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

let server: Memcached
beforeAll(async () => {
  server = await startMemcached()
})
afterAll(() => server.stop())

const open: { disconnectAll(): void }[] = []
afterEach(() => {
  for (const client of open.splice(0)) client.disconnectAll()
})

function kept<C extends { disconnectAll(): void }>(client: C): C {
  open.push(client)
  return client
}

const filled = (length: number, memory = new ArrayBuffer(length)) =>
  new Uint8Array(memory, 0, length).map((_, i) => i % 251)
const connections = async (): Promise<number> => {
  const mc = new Client([server.address])
  const [[, stats] = []] = await mc.getStats()
  mc.disconnectAll()
  return Number(stats!.total_connections)
}

/** Longer than the text forms of a block, than a send buffer, and than what a socket takes at once. */
const lengths = [1, 16, 128, 129, 1000, 32_768, 32_769, 200_000, 1_000_000]
const changes: [string, (bytes: Uint8Array<ArrayBuffer>) => void][] = [
  ['transferred', ({ buffer }) => structuredClone(buffer, { transfer: [buffer] })],
  ['overwritten', (bytes) => bytes.fill(0xff)],
]
const clients: [string, (options?: ClientOptions) => Client | CompatClient][] = [
  ['strict, text', () => new Client([server.address])],
  ['strict, binary', () => new Client([server.address], { binary: true })],
  ['compat', () => new CompatClient([server.address], { emulate: 'python-memcached-1.59' })],
]

describe.each(clients)('%s', (_, make) => {
  describe.each(changes)('bytes that are %s after the call', (_, change) => {
    it.each(lengths)('%i bytes', async (length) => {
      const mc = kept(make())
      const original = filled(length)
      await mc.set('neighbour', 'there')
      const before = await connections()
      const given = filled(length)
      const calls = [mc.get('neighbour'), mc.set('given', given), mc.get('neighbour'), mc.get('given')]
      change(given)
      const [first, stored, second, back] = await Promise.all(calls)
      expect([first, Boolean(stored), second]).toEqual(['there', true, 'there'])
      expect(Buffer.compare(back as Buffer, original)).toBe(0)
      // The one that counts is the only new one.
      expect(await connections()).toBe(before + 1)
    })
  })

  it('setMulti stores every value as it was', async () => {
    const mc = kept(make()) as Client
    const memory = new ArrayBuffer(30)
    const value = (at: number) => new Uint8Array(memory, at, 10).fill(at)
    const call = mc.setMulti({ own0: value(0), own10: value(10), own20: value(20) })
    structuredClone(memory, { transfer: [memory] })
    expect(await call).toEqual([])
    const found = (await mc.getMulti(['own0', 'own10', 'own20'])) as Map<string, Buffer>
    expect([...found.values()].map((bytes) => [...new Set(bytes)])).toEqual([[0], [10], [20]])
  })
})

describe('strict', () => {
  it('bytes that shrink, and a class that claims another length', async () => {
    const mc = kept(new Client([server.address]))
    // TypeScript's library for Node 20 lacks resizable buffers.
    const Resizable = ArrayBuffer as unknown as new (
      length: number,
      options: object,
    ) => ArrayBuffer & { resize(length: number): void }
    const memory = new Resizable(64, { maxByteLength: 64 })
    const tracking = new Uint8Array(memory).fill(7)
    class Liar extends Uint8Array {
      override get length() {
        return 3
      }
    }
    const calls = [mc.set('shrinks', tracking), mc.set('lies', new Liar(8).fill(1, 0, 8)), mc.get('nothing')]
    memory.resize(5)
    expect(await Promise.all(calls)).toEqual([true, true, undefined])
    expect(await mc.get('shrinks')).toEqual(Buffer.alloc(64, 7))
    expect(((await mc.get('lies')) as Buffer).length).toBe(8)
  })

  it('bytes whose memory was transferred before are refused, and nothing is sent', async () => {
    const mc = kept(new Client([server.address]))
    await mc.set('k', 'old')
    const gone = new Uint8Array(10)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    await expect(mc.set('k', gone)).rejects.toThrow(TypeError)
    expect(await mc.get('k')).toBe('old')
    expect(await mc.set('k', new Uint8Array(0))).toBe(true)
  })

  it.each([['1 0 1\r\nx\r\nflush_all'], [-1], [2 ** 32], [1.5], [Number.NaN], [undefined]])(
    'flags %j of an encoding are refused, over both protocols',
    async (flags) => {
      for (const binary of [false, true]) {
        const encoding = {
          name: 'broken',
          encode: () => ({ flags: flags as number, data: Buffer.from('v') }),
          decode: (_: number, data: Buffer) => data.toString(),
        }
        const mc = kept(new Client([server.address], { binary, encoding }))
        const plain = kept(new Client([server.address], { binary }))
        await plain.set('stays', 'here')
        const before = await connections()
        const calls = [mc.get('stays'), mc.set('k', 1), mc.get('stays')]
        const [first, refused, second] = await Promise.allSettled(calls)
        expect(first).toMatchObject({ value: 'here' })
        expect(refused).toMatchObject({ reason: expect.any(RangeError) })
        expect(second).toMatchObject({ value: 'here' })
        expect(await connections()).toBe(before + 2)
      }
    },
  )
})

it('bytes that a slow server has not taken yet are not the caller’s any more', async () => {
  const seen: Buffer[] = []
  let socket: Socket | undefined
  const slow = createServer((connected) => {
    socket = connected.pause()
    connected.on('error', () => undefined)
    connected.on('data', (chunk: Buffer) => {
      seen.push(chunk)
      if (chunk.toString('latin1').endsWith('\r\n')) connected.write('STORED\r\n')
    })
  })
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
  const { port } = slow.address() as { port: number }
  const mc = kept(new Client([`127.0.0.1:${port}`], { timeout: 60_000 }))
  const given = new Uint8Array(16_000_000).fill(0x61)
  const call = mc.set('k', given)
  await expect.poll(() => socket !== undefined, { timeout: 20_000 }).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 100))
  structuredClone(given.buffer, { transfer: [given.buffer] })
  socket!.resume()
  expect(await call).toBe(true)
  const all = Buffer.concat(seen)
  const header = all.indexOf('\r\n') + 2
  expect(all.subarray(header, -2).equals(Buffer.alloc(16_000_000, 0x61))).toBe(true)
  slow.close()
  socket!.destroy()
}, 60_000)
