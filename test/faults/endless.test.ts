/** Servers whose replies have no end. Every client gives up after a limit of bytes, long before its time is over. */
import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { Client as CompatClient } from '../../src/compat/index.js'
import { Client as PymemcacheClient } from '../../src/pymemcache/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'

const servers: Server[] = []
const sockets = new Set<Socket>()
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
})

/** Answers the first request for ever, as fast as the client reads, until the connection is closed. */
async function endless(unit: Buffer) {
  const seen = { bytes: 0, closed: 0 }
  const block = Buffer.concat(Array.from({ length: Math.ceil(65_536 / unit.length) }, () => unit))
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => seen.closed++)
    socket.once('data', () => {
      const more = () => {
        let taken = true
        while (taken && !socket.destroyed) {
          taken = socket.write(block)
          seen.bytes += block.length
        }
      }
      socket.on('drain', more)
      more()
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, seen }
}

/** A statistic `name` = `value` of the binary protocol; the first request of a connection has the opaque number 1. */
function binaryStatistic(): Buffer {
  const frame = Buffer.alloc(24 + 9)
  frame[0] = 0x81
  frame[1] = 0x10
  frame.writeUInt16BE(4, 2)
  frame.writeUInt32BE(9, 8)
  frame.writeUInt32BE(1 << 16, 12)
  frame.write('namevalue', 24)
  return frame
}

const TEXT = Buffer.from('STAT name value\r\n')
const LINE = Buffer.from('abcdefgh')
const minutes = 60_000
const old = {
  emulate: 'python-memcached-1.59',
  switches: { desynchronisation: 'python-memcached' },
  socketTimeout: 60,
} as const

const calls: [string, Buffer, (address: string) => Promise<unknown>][] = [
  ['strict, text: statistics', TEXT, (a) => new StrictClient([a], { timeout: minutes }).getStats()],
  [
    'strict, binary: statistics',
    binaryStatistic(),
    (a) => new StrictClient([a], { timeout: minutes, binary: true }).getStats(),
  ],
  ['compat: statistics', TEXT, (a) => new CompatClient([a], { socketTimeout: 60 }).getStats()],
  ['compat, out of step: statistics', TEXT, (a) => new CompatClient([a], old).getStats()],
  ['pymemcache: statistics', TEXT, (a) => new PymemcacheClient(a, { timeout: 60 }).stats()],
  ['strict, text: a line', LINE, (a) => new StrictClient([a], { timeout: minutes }).get('k')],
  ['compat: a line', LINE, (a) => new CompatClient([a], { socketTimeout: 60 }).get('k')],
  ['compat, out of step: a line', LINE, (a) => new CompatClient([a], old).get('k')],
  ['pymemcache: a raw command', LINE, (a) => new PymemcacheClient(a, { timeout: 60 }).rawCommand('stats')],
  ['pymemcache: a line', LINE, (a) => new PymemcacheClient(a, { timeout: 60 }).get('k')],
]

it.each(calls)('%s', { timeout: 120_000 }, async (_, unit, call) => {
  const { address, seen } = await endless(unit)
  await call(address).catch(() => undefined)
  await expect.poll(() => seen.closed, { timeout: 50_000 }).toBe(1)
  expect(seen.bytes).toBeLessThan(128 * 2 ** 20)
})
