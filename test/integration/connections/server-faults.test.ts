/** Every fault of docs/formats.md, on the embedded server and on the proxy before a real memcached. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ObserverError, observerErrorChannel } from '../../../src/ground/observers.js'
import { EmbeddedServer, FaultProxy, type RecordedExchange, startServer } from '../../../src/server/index.js'
import { Client } from '../../../src/strict/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

let memcached: Memcached
beforeAll(async () => {
  memcached = await startMemcached()
})
afterAll(() => memcached.stop())

/** A client that remembers all it hears. */
async function client(port: number, path?: string) {
  const socket: Socket = path === undefined ? connect(port, '127.0.0.1') : connect(path)
  const heard = { text: '', ended: '' }
  socket.on('data', (chunk: Buffer) => {
    heard.text += chunk.toString('latin1')
  })
  socket.on('end', () => {
    heard.ended ||= 'end'
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    heard.ended ||= error.code ?? 'error'
  })
  socket.on('close', () => {
    heard.ended ||= 'close'
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return {
    heard,
    send: (bytes: string) => socket.write(bytes, 'latin1'),
    until: async (done: () => boolean) => {
      const deadline = Date.now() + 20_000
      while (!done() && Date.now() < deadline) await sleep(2)
      expect(done(), `heard ${JSON.stringify(heard)}`).toBe(true)
    },
    close: () => socket.destroy(),
  }
}

/** Linux's list of TCP sockets. */
const tcpSockets = '/proc/self/net/tcp'
/** Whether a socket of this process has this local port. */
function isBoundHere(port: number): boolean {
  const own = readdirSync('/proc/self/fd').map((file) => {
    try {
      return readlinkSync(`/proc/self/fd/${file}`)
    } catch {
      return ''
    }
  })
  return readFileSync(tcpSockets, 'utf8')
    .split('\n')
    .slice(1, -1)
    .map((line) => line.trim().split(/\s+/))
    .some(
      (fields) => parseInt(fields[1]!.split(':')[1]!, 16) === port && own.includes(`socket:[${fields[9]}]`),
    )
}

describe.each(['EmbeddedServer', 'FaultProxy'])('%s', (kind) => {
  async function start(record?: (exchange: RecordedExchange) => void) {
    const options = record ? { record } : {}
    const server =
      kind === 'EmbeddedServer'
        ? new EmbeddedServer(options)
        : new FaultProxy({ target: memcached.address, ...options })
    return server.start()
  }
  const version = 'VERSION 1.6.18\r\n'
  const versionSeen = (text: string) => /^VERSION [\w.]+\r\n$/.test(text)

  test('a data block of all 256 bytes is stored as it was sent, whole or in pieces', async () => {
    await using server = await start()
    const one = await client(server.port)
    const block = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('')
    one.send(`set every 0 0 256\r\n${block}\r\n`)
    await one.until(() => one.heard.text === 'STORED\r\n')
    one.send(`set every 0 0 256\r\n${block.slice(0, 200)}`)
    one.send(`${block.slice(200)}\r\nget every\r\n`)
    await one.until(() => one.heard.text.endsWith('END\r\n'))
    expect(one.heard.text).toBe(`STORED\r\nSTORED\r\nVALUE every 0 256\r\n${block}\r\nEND\r\n`)
    one.close()
  })

  test('close and reset end the connection instead of a reply, once, and as they say', async () => {
    await using server = await start()
    for (const [fault, ended] of [
      ['close', 'end'],
      ['reset', 'ECONNRESET'],
    ] as const) {
      await server.fault({ fault })
      const one = await client(server.port)
      one.send('version\r\n')
      await one.until(() => one.heard.ended !== '')
      expect(one.heard).toEqual({ text: '', ended })
      const two = await client(server.port)
      two.send('version\r\n')
      await two.until(() => versionSeen(two.heard.text))
      two.close()
    }
  })

  test('stall never replies on this connection, and the request does not reach the server', async () => {
    await using server = await start()
    await server.fault({ fault: 'stall' })
    const one = await client(server.port)
    one.send(`set stalled-${kind} 0 0 1\r\nx\r\n`)
    await sleep(60)
    expect(one.heard).toEqual({ text: '', ended: '' })
    one.send(`get stalled-${kind}\r\n`)
    const two = await client(server.port)
    two.send(`get stalled-${kind}\r\n`)
    await two.until(() => two.heard.text === 'END\r\n')
    // A reply would have been taken for that of the first request.
    expect(one.heard).toEqual({ text: '', ended: '' })
    one.close()
    two.close()
  })

  test('reply answers with its bytes, count times, then the server answers', async () => {
    await using server = await start()
    await server.fault({ fault: 'reply', bytes: 'SERVER_ERROR oops\r\n', count: 2 })
    const one = await client(server.port)
    one.send(`set r-${kind} 0 0 1\r\nx\r\nget r-${kind}\r\nget r-${kind}\r\n`)
    await one.until(() => one.heard.text === 'SERVER_ERROR oops\r\nSERVER_ERROR oops\r\nEND\r\n')
    one.close()
  })

  test('truncate lets the request through and ends within the reply', async () => {
    await using server = await start()
    await server.fault({ fault: 'truncate', bytes: 4 })
    const one = await client(server.port)
    one.send(`set t-${kind} 0 0 1\r\nx\r\n`)
    await one.until(() => one.heard.ended !== '')
    expect(one.heard).toEqual({ text: 'STOR', ended: 'end' })
    const two = await client(server.port)
    two.send(`get t-${kind}\r\n`)
    await two.until(() => two.heard.text === `VALUE t-${kind} 0 1\r\nx\r\nEND\r\n`)
    two.close()
  })

  test('slow passes the whole reply, a byte at a time', async () => {
    await using server = await start()
    await server.fault({ fault: 'slow', ms: 5 })
    const one = await client(server.port)
    const started = performance.now()
    one.send('get missing\r\n')
    await one.until(() => one.heard.text === 'END\r\n')
    // Five bytes, four pauses; timers may fire a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(16)
    one.close()
  })

  test('cut ends connections and new ones are served; down refuses; up serves on the same port', async () => {
    await using server = await start()
    const { port } = server
    const one = await client(port)
    await server.fault({ fault: 'cut' })
    await one.until(() => one.heard.ended === 'end')
    const two = await client(port)
    await server.fault({ fault: 'down' })
    await two.until(() => two.heard.ended === 'end')
    await expect(client(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.fault({ fault: 'close', count: -1 })
    await server.fault({ fault: 'up' })
    expect(server.port).toBe(port)
    const three = await client(port)
    three.send('version\r\n')
    await three.until(() => versionSeen(three.heard.text))
    three.close()
  })

  test.skipIf(!existsSync(tcpSockets))('the port of a server that is down is kept until stop', async () => {
    const server = await start()
    const { port } = server
    await server.fault({ fault: 'down' })
    // The system gives no port that a socket is bound to.
    expect(isBoundHere(port)).toBe(true)
    await server.stop()
    expect(isBoundHere(port)).toBe(false)
    await server.start()
    await server.fault({ fault: 'down' })
    await server.fault({ fault: 'up' })
    const again = await client(port)
    again.close()
    await again.until(() => again.heard.ended !== '')
    await server.stop()
    expect(isBoundHere(port)).toBe(false)
  })

  test('records the bytes on the wire, including faults', async () => {
    const exchanges: RecordedExchange[] = []
    await using server = await start((exchange) => exchanges.push(exchange))
    await server.fault({ fault: 'reply', bytes: 'ERROR\r\n' })
    const one = await client(server.port)
    one.send(`delete w-${kind}\r\nset w-${kind} 0 0 1 noreply\r\nx\r\nget w-${kind}\r\n`)
    await one.until(() => one.heard.text.endsWith('END\r\n'))
    one.close()
    expect(exchanges).toEqual([
      { connection: 0, sent: `delete w-${kind}\r\n`, received: 'ERROR\r\n' },
      { connection: 0, sent: `set w-${kind} 0 0 1 noreply\r\nx\r\n`, received: null },
      { connection: 0, sent: `get w-${kind}\r\n`, received: `VALUE w-${kind} 0 1\r\nx\r\nEND\r\n` },
    ])
  })

  test('stop ends with clients connected, and start serves again', async () => {
    const server = await start()
    const one = await client(server.port)
    await server.stop()
    await one.until(() => one.heard.ended !== '')
    await server.start()
    const two = await client(server.port)
    two.send('version\r\n')
    await two.until(() => versionSeen(two.heard.text))
    expect(kind === 'FaultProxy' || two.heard.text === version).toBe(true)
    two.close()
    await server.stop()
  })
})

test('the embedded server listens on a Unix socket and on IPv6', async () => {
  const path = join(tmpdir(), `memshim-${process.pid}.sock`)
  await using local = await startServer({ path })
  expect(local.address).toBe(path)
  const one = await client(0, path)
  one.send('version\r\n')
  await one.until(() => one.heard.text === 'VERSION 1.6.18\r\n')
  one.close()
  await using six = await startServer({ host: '::1' })
  expect(six.address).toMatch(/^\[::1\]:\d+$/)
})

test('time is the clock of the options: expiry without waiting', async () => {
  let now = 1_700_000_000
  await using server = await startServer({ clock: () => now })
  const one = await client(server.port)
  one.send('set k 0 60 1\r\nx\r\n')
  await one.until(() => one.heard.text === 'STORED\r\n')
  now += 59
  one.send('get k\r\n')
  await one.until(() => one.heard.text.endsWith('END\r\n'))
  expect(one.heard.text).toContain('VALUE k 0 1')
  now += 1
  one.heard.text = ''
  one.send('get k\r\n')
  await one.until(() => one.heard.text === 'END\r\n')
  one.close()
})

test('the oldest items are evicted when memory is full', async () => {
  await using server = await startServer({ memory: 2 })
  const one = await client(server.port)
  for (let i = 0; i < 1000; i++) one.send(`set k${i} 0 0 10000 noreply\r\n${'v'.repeat(10_000)}\r\n`)
  one.send('get k0\r\nstats\r\n')
  await one.until(() => one.heard.text.endsWith('lru_bumps_dropped 0\r\nEND\r\n'))
  // Figures of memcached 1.6.18 -m 2 for the same thousand items.
  expect(one.heard.text).toMatch(/^END\r\n/)
  expect(one.heard.text).toContain('STAT curr_items 188\r\n')
  expect(one.heard.text).toContain('STAT evictions 812\r\n')
  one.close()
})

test('wrong options are refused at once', () => {
  expect(() => new EmbeddedServer({ memory: 0.5 })).toThrow(RangeError)
  expect(() => new EmbeddedServer({ path: '/x', port: 1 })).toThrow(TypeError)
  expect(() => new FaultProxy({ target: 'nowhere' })).toThrow('target "nowhere"')
})

test('an error of a record function reaches no client', async () => {
  const errors: unknown[] = []
  const heard = (message: unknown): void => void errors.push((message as ObserverError).error)
  observerErrorChannel.subscribe(heard)
  const problem = new Error('of the test')
  const server = await new EmbeddedServer({
    record: () => {
      throw problem
    },
  }).start()
  const mc = new Client([server.address], { timeout: 10_000 })
  expect(await mc.set('k', 'v')).toBe(true)
  expect(await mc.get('k')).toBe('v')
  expect(errors).toEqual([problem, problem])
  observerErrorChannel.unsubscribe(heard)
  mc.disconnectAll()
  await server.stop()
})
