/** What a text connection does about servers that take no long lines, answer commands without a reply, or have large client flags. */
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, type MemcachedError, UnknownReadFailure } from '../../../src/strict/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

let memcached: Memcached
beforeAll(async () => {
  memcached = await startMemcached()
})
const servers: Server[] = []
const clients: Client[] = []
afterAll(async () => {
  for (const client of clients) client.disconnectAll()
  for (const server of servers) server.close()
  await memcached.stop()
})
function kept(client: Client): Client {
  clients.push(client)
  return client
}

/** Answers each line as the test says. */
async function scripted(answer: (line: string) => string) {
  const seen = { lines: [] as string[], connections: 0 }
  const server = createServer((socket) => {
    seen.connections++
    let rest = ''
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      const lines = (rest + data.toString('latin1')).split('\r\n')
      rest = lines.pop()!
      for (const line of lines) {
        seen.lines.push(line)
        socket.write(answer(line))
      }
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, seen }
}

describe('getMulti of more keys than a line has room for', () => {
  const keys = Array.from({ length: 300 }, (_, i) => `${'k'.repeat(200)}-${i}`)
  /** Every third key is there. */
  const answer = (line: string) =>
    `${line
      .split(' ')
      .slice(1)
      .filter((key) => Number(key.split('-')[1]) % 3 === 0)
      .map((key) => `VALUE ${key} 16 1\r\nv\r\n`)
      .join('')}END\r\n`

  it.each([
    [undefined, 16_384],
    [512, 512],
    [1000, 1000],
    [1_000_000, 1_000_000],
  ])(
    'maxCommandLine %s: no line is longer than %i bytes, and none is needlessly short',
    async (maxCommandLine, most) => {
      const { address, seen } = await scripted(answer)
      const mc = kept(new Client([address], { maxCommandLine }))
      const found = await mc.getMulti(keys)
      expect([...found.keys()]).toEqual(keys.filter((_, i) => i % 3 === 0))
      const lengths = seen.lines.map((line) => line.length + 2)
      expect(Math.max(...lengths)).toBeLessThanOrEqual(most)
      expect(lengths.slice(0, -1).every((length) => length + 206 > most)).toBe(true)
      expect(seen.lines.flatMap((line) => line.split(' ').slice(1))).toEqual(keys)
      expect(seen.connections).toBe(1)
    },
  )

  it('gets that share a line keep to it as well', async () => {
    const { address, seen } = await scripted(answer)
    const mc = kept(new Client([address], { maxCommandLine: 512 }))
    const values = await Promise.all(keys.map((key) => mc.get(key)))
    expect(values).toEqual(keys.map((_, i) => (i % 3 === 0 ? 'v' : undefined)))
    expect(Math.max(...seen.lines.map((line) => line.length + 2))).toBeLessThanOrEqual(512)
  })

  it('an error for one line leaves out its keys; the next call has its own reply', async () => {
    let lines = 0
    const { address, seen } = await scripted((line) => (++lines === 2 ? 'SERVER_ERROR no\r\n' : answer(line)))
    const mc = kept(new Client([address], { maxCommandLine: 1000 }))
    const calls = [mc.getMulti(keys), mc.get(keys[0]!), mc.get(keys[1]!)] as const
    const [found, first, second] = await Promise.all(calls)
    expect([first, second]).toEqual(['v', undefined])
    const lost = seen.lines[1]!.split(' ').slice(1)
    expect([...found.keys()]).toEqual(keys.filter((key, i) => i % 3 === 0 && !lost.includes(key)))
    expect(seen.connections).toBe(1)
  })

  it('a key that was asked on a later line is not an answer to an earlier one', async () => {
    const { address } = await scripted((line) =>
      line.includes(`${keys[0]} `) ? `VALUE ${keys.at(-1)} 16 1\r\nx\r\nEND\r\n` : answer(line),
    )
    const mc = kept(new Client([address], { maxCommandLine: 512 }))
    expect((await mc.getMulti(keys)).get(keys.at(-1)!)).toBeUndefined()
  })

  it('the real server gives the same with every length', async () => {
    const mc = kept(new Client([memcached.address]))
    await mc.setMulti(Object.fromEntries(keys.map((key, i) => [key, i])))
    for (const maxCommandLine of [512, 4096, 16_384, 10_000_000]) {
      const other = kept(new Client([memcached.address], { maxCommandLine }))
      expect(await other.getMulti([...keys, 'absent', keys[5]!])).toEqual(
        new Map(keys.map((key, i) => [key, i])),
      )
    }
  })

  it.each([0, 511, 1.5, '1000', Number.NaN])('maxCommandLine %s is refused', (maxCommandLine) => {
    const options = { maxCommandLine: maxCommandLine as number }
    expect(() => new Client(['127.0.0.1:1'], options)).toThrow(/^maxCommandLine /)
  })
})

describe('an error line after commands without a reply', () => {
  /** A server that refuses every set aloud, `noreply` or not. */
  const answer = (line: string) => {
    if (line.startsWith('set ')) return 'SERVER_ERROR out of memory storing object\r\n'
    if (line.startsWith('get ')) return `VALUE ${line.slice(4)} 16 1\r\nv\r\nEND\r\n`
    return line.startsWith('stats') ? 'STAT pid 1\r\nEND\r\n' : ''
  }

  it('is never the answer of a later call, which fails with the connection, and the next one has its own', async () => {
    const { address, seen } = await scripted(answer)
    const mc = kept(new Client([address], { behaviors: { _noreply: 1 } }))
    const calls = [mc.set('a', 1), mc.set('b', 2), mc.getStats(), mc.get('k')]
    const [a, b, stats, got] = await Promise.allSettled(calls)
    expect([a, b].map((call) => call?.status)).toEqual(['fulfilled', 'fulfilled'])
    for (const lost of [stats, got]) expect(lost).toMatchObject({ status: 'rejected' })
    expect((got as PromiseRejectedResult).reason).toBeInstanceOf(UnknownReadFailure)
    expect(await mc.get('k')).toBe('v')
    expect(seen.connections).toBe(2)
  })

  it('that comes when nothing is pending ends the connection; the next call opens another', async () => {
    const { address, seen } = await scripted(answer)
    const mc = kept(new Client([address], { behaviors: { _noreply: 1 }, staleConnection: 'reopen' }))
    await mc.set('a', 1)
    await expect.poll(() => seen.lines.length).toBeGreaterThan(0)
    const next = () => mc.get('k').catch((error: MemcachedError) => error)
    await expect.poll(next).toBe('v')
    expect(seen.connections).toBe(2)
  })

  it('does not disturb replies where the server keeps silent', async () => {
    const mc = kept(new Client([memcached.address], { behaviors: { _noreply: 1 } }))
    const calls = Array.from({ length: 50 }, (_, i) => [
      mc.set(`q${i}`, i),
      mc.get(`q${i}`),
      mc.get('absent'),
    ])
    const values = await Promise.all(calls.flat())
    expect(values).toEqual(Array.from({ length: 50 }, (_, i) => [true, i, undefined]).flat())
    expect(await mc.getMulti(['q1', 'absent', 'q2'])).toEqual(new Map(Object.entries({ q1: 1, q2: 2 })))
  })
})

describe('client flags of 64 bits', () => {
  const flags = ['4294967295', '4294967296', '4294967312', '9007199254740993', '18446744073709551615']
  const answer = (line: string) =>
    `${line
      .split(' ')
      .slice(1)
      .filter((key) => key.startsWith('f'))
      .map((key) => `VALUE ${key} ${flags[Number(key.slice(1))] ?? '16'} 1\r\nv\r\n`)
      .join('')}END\r\n`

  it('are refused by name, and neither the connection nor other keys suffer', async () => {
    const { address, seen } = await scripted(answer)
    const mc = kept(new Client([address]))
    const calls = [mc.get('f9'), ...flags.map((_, i) => mc.get(`f${i}`)), mc.get('f9'), mc.get('x')]
    const results = await Promise.allSettled(calls)
    const outcomes = results.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))
    expect(outcomes.slice(0, 1)).toEqual(['v'])
    expect(outcomes.slice(-2)).toEqual(['v', undefined])
    // All of 32 bits is one that pylibmc reads.
    expect(outcomes[1]).toBe('Failed to decompress value: inflate')
    for (const message of outcomes.slice(2, -2))
      expect(message).toMatch(/^memcached key flags \d+ have more than 32 bits/)
    expect(outcomes[2]).toContain(' 4294967296 ')
    expect(seen.connections).toBe(1)
  })
})
