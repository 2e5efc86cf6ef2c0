/** Connections with nothing pending keep neither a process nor a dropped client; what is pending keeps both. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client as CompatClient, type ClientOptions as CompatOptions } from '../../../src/compat/index.js'
import { Client, type ClientOptions } from '../../../src/strict/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

let server: Memcached
beforeAll(async () => {
  server = await startMemcached()
})
afterAll(() => server.stop())

const dist = (room: string) =>
  pathToFileURL(join(import.meta.dirname, '..', '..', '..', 'dist', room, 'index.js')).href

/** What a program prints, once it has ended by itself. */
async function run(program: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data))
  const hanging = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const [code, signal] = await once(child, 'close')
  clearTimeout(hanging)
  return signal ? `killed: ${said}` : code === 0 ? said : `exit ${code}: ${said}`
}

const kinds: [string, string, string][] = [
  ['strict', 'strict', '{}'],
  ['strict, binary', 'strict', '{ binary: true }'],
  ['compat', 'compat', '{}'],
  ['compat, out of step', 'compat', "{ switches: { desynchronisation: 'python-memcached' } }"],
]

describe.each(kinds)('%s', (_, room, options) => {
  // The deadline of the last call is a minute: the test would be killed before it.
  const minute = room === 'strict' ? 'timeout: 60_000' : 'socketTimeout: 60'
  const start = (address: string) => `
    const { Client } = await import(${JSON.stringify(dist(room))})
    const mc = new Client([${JSON.stringify(address)}], { ...${options}, ${minute} })`

  it('a program ends when its last call is over, with every connection open', async () => {
    const program = `${start(server.address)}
      await mc.set('ends', 'x')
      await Promise.all([mc.get('ends'), mc.get('ends'), mc.getMulti(['ends', 'b'])])
      console.log(await mc.get('ends'))`
    expect(await run(program)).toBe('x\n')
  }, 40_000)

  it('a program waits for a reply that comes late, also after other calls', async () => {
    const slow = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (data) => {
        const binary = data[0] === 0x80
        // A miss, with the number of its request.
        const miss = Buffer.from([0x81, data[1]!, 0, 0, 0, 0, 0, 1, ...Array(16).fill(0)])
        if (binary) data.copy(miss, 12, 12, 16)
        setTimeout(() => socket.write(binary ? miss : 'END\r\n'), 1500)
      })
    }).listen(0, '127.0.0.1')
    await once(slow, 'listening')
    const { port } = slow.address() as { port: number }
    const program = `${start(`127.0.0.1:${port}`)}
      console.log(await mc.get('a'))
      setTimeout(() => mc.get('b').then((value) => console.log('late', value)), 200)`
    expect(await run(program)).toMatch(/^(undefined|null)\nlate (undefined|null)\n$/)
    slow.close()
  }, 40_000)
})

it('a call without a reply is handed over before the program ends', async () => {
  const program = `
    const { Client } = await import(${JSON.stringify(dist('strict'))})
    const mc = new Client([${JSON.stringify(server.address)}], { behaviors: { _noreply: 1 } })
    mc.set('handed-over', 'y'.repeat(500_000))`
  expect(await run(program)).toBe('')
  const mc = new Client([server.address])
  expect(await mc.get('handed-over')).toBe('y'.repeat(500_000))
  mc.disconnectAll()
}, 40_000)

const open = async (): Promise<number> => {
  const mc = new Client([server.address])
  const [[, stats] = []] = await mc.getStats()
  mc.disconnectAll()
  return Number(stats!.curr_connections)
}

async function collected(condition: () => Promise<boolean>): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    globalThis.gc!()
    if (await condition()) return true
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return false
}

const strictKinds: ClientOptions[] = [{}, { binary: true }]
const compatKinds: CompatOptions[] = [{}, { switches: { failover: 'pylibmc' } }, { emulate: 'pylibmc' }]
it.each([
  ...strictKinds.map((options) => ({
    name: 'strict',
    options,
    make: () => new Client([server.address], options),
  })),
  ...compatKinds.map((options) => ({
    name: 'compat',
    options,
    make: () => new CompatClient([server.address], options),
  })),
])(
  'dropped clients let go of their connections: $name $options',
  async ({ make }) => {
    const before = await open()
    const use = async () => {
      for (let i = 0; i < 30; i++) await make().get('k')
    }
    await use()
    expect(await collected(async () => (await open()) <= before)).toBe(true)
  },
  60_000,
)

it('a client with a call under way is not dropped', async () => {
  let answer!: () => void
  let ended = 0
  const slow = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.resume().on('close', () => ended++)
    answer = () => socket.write('END\r\n')
  }).listen(0, '127.0.0.1')
  await once(slow, 'listening')
  const { port } = slow.address() as { port: number }
  // In a function of its own, since a frame that waits keeps what it made.
  const start = () => new Client([`127.0.0.1:${port}`], { timeout: 60_000 }).get('k', 'missing')
  const call = start()
  for (let i = 0; i < 20; i++) {
    globalThis.gc!()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(ended).toBe(0)
  answer()
  expect(await call).toBe('missing')
  expect(await collected(async () => ended === 1)).toBe(true)
  slow.close()
}, 60_000)

it('connecting and disconnecting again and again leaves nothing behind', async () => {
  const before = await open()
  const resources = () => process.getActiveResourcesInfo().length
  const mc = new Client([server.address])
  await mc.get('k')
  mc.disconnectAll()
  await expect.poll(open, { timeout: 20_000 }).toBeLessThanOrEqual(before)
  const idle = resources()
  for (let i = 0; i < 1000; i++) {
    await mc.get('k')
    mc.disconnectAll()
  }
  await expect.poll(open, { timeout: 20_000 }).toBeLessThanOrEqual(before)
  await expect.poll(resources, { timeout: 20_000 }).toBeLessThanOrEqual(idle + 2)
}, 60_000)
