/** What our clients make of proxies and servers that refuse part of the protocol, as far as their documentation or source tells. */
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { EmbeddedServer, type LookAlikeName, startServer } from '../../../src/server/index.js'
import { Client } from '../../../src/strict/index.js'

const lastRequest = 'set last 0 0 1\r\nx\r\nget last\r\n'
const lastReply = 'STORED\r\nVALUE last 0 1\r\nx\r\nEND\r\n'

/** What comes back for these bytes. A NUL byte at its end stands for a server that hung up. */
async function ask(version: string, bytes: string): Promise<string> {
  await using server = await startServer({ version })
  return await new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1')
    let said = ''
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
      if (!said.endsWith(lastReply)) return
      resolve(said.slice(0, -lastReply.length))
      socket.destroy()
    })
    socket.on('end', () => resolve(`${said}\0`))
    socket.write(Buffer.from(bytes + lastRequest, 'latin1'))
  })
}

/** A request of the binary protocol. */
const noop = `\x80\x0a${'\0'.repeat(22)}`

const refusals: Readonly<Record<LookAlikeName, readonly (readonly [sent: string, answer: string])[]>> = {
  'twemproxy-0.4': [
    ['set k 0 0 1\r\nv\r\n', 'STORED\r\n'],
    ['touch k 5\r\n', 'NOT_FOUND\r\n'],
    ['version\r\n', '\0'],
    ['flush_all\r\n', '\0'],
    ['stats\r\n', '\0'],
    ['gat 5 k\r\n', '\0'],
    ['mg k v\r\n', '\0'],
    [noop, '\0'],
  ],
  mcrouter: [
    ['gat 5 k\r\ntouch k 5\r\n', 'END\r\nNOT_FOUND\r\n'],
    ['version\r\n', 'VERSION mcrouter\r\n'],
    ['flush_all\r\n', 'SERVER_ERROR Command disabled\r\n'],
    ['mg k v\r\n', 'CLIENT_ERROR malformed request\r\n\0'],
    ['verbosity 1\r\n', 'CLIENT_ERROR malformed request\r\n\0'],
  ],
  dragonfly: [
    ['version\r\n', 'VERSION 1.6.0 DF\r\n'],
    ['mg k v\r\n', 'EN\r\n'],
    ['mg k v k\r\n', 'CLIENT_ERROR bad command line format\r\n'],
    ['touch k 5\r\n', 'ERROR\r\n'],
    ['flush_all 0\r\n', 'OK\r\n'],
    ['flush_all 5\r\n', 'CLIENT_ERROR bad command line format\r\n'],
    ['stats a b\r\n', 'CLIENT_ERROR bad command line format\r\n'],
    [noop, '\0'],
  ],
  'elasticache-serverless': [
    ['touch k 5\r\n', 'NOT_FOUND\r\n'],
    ['flush_all\r\nflush_all 0\r\n', 'OK\r\nOK\r\n'],
    ['flush_all 5\r\n', 'CLIENT_ERROR flush_all with a delay is not supported\r\n'],
    ['stats items\r\n', 'ERROR\r\n'],
    ['verbosity 1\r\n', 'ERROR\r\n'],
    [`get ${'k'.repeat(200)}${' k'.repeat(9000)}\r\n`, 'CLIENT_ERROR line too long\r\n'],
    [noop, '\0'],
  ],
}

describe.each(Object.entries(refusals))('%s', (version, rows) => {
  test.each(rows.map(([sent, answer]) => ({ about: JSON.stringify(sent.slice(0, 20)), sent, answer })))(
    'answers $about',
    async ({ sent, answer }) => {
      expect(await ask(version, sent)).toBe(answer)
    },
  )

  test('serves the daily operations of both libraries', async () => {
    await using server = await startServer({ version })
    const client = new Client([server.address])
    expect(await client.set('k', 'value')).toBe(true)
    expect(await client.get('k')).toBe('value')
    expect(await client.getMulti(['k', 'none'])).toEqual(new Map([['k', 'value']]))
    expect(await client.delete('k')).toBe(true)
    expect(await client.incr('none').catch((error: Error) => error.name)).toBe('NotFound')
    client.disconnectAll()
  })
})

test('a command that twemproxy does not know costs the connection, and the next call opens another', async () => {
  await using server = await startServer({ version: 'twemproxy-0.4' })
  const client = new Client([server.address])
  await client.set('k', 'value')
  await expect(client.flushAll()).rejects.toThrow()
  expect(await client.get('k')).toBe('value')
  client.disconnectAll()
})

describe('options of a server', () => {
  test.each([
    [{ version: 'memcached' }, RangeError, 'version is memcached, not a version of memcached like 1.6.18'],
    [{ version: '1.2.8' }, RangeError, 'version is 1.2.8: memcached is known here from 1.4.0 on'],
    [{ version: 1.6 }, TypeError, 'version is 1.6, not a string'],
    [{ memory: 0.5 }, RangeError, 'memory is 0.5, not a whole number of MiB from 1 to 1048576'],
    [{ memory: 64n }, RangeError, 'memory is 64, not a whole number of MiB'],
    [{ port: 70_000 }, RangeError, 'port is 70000, not a whole number from 0 to 65535'],
    [{ port: 1n }, RangeError, 'port is 1, not a whole number from 0 to 65535'],
    [{ clock: 5 }, TypeError, 'clock is 5, not a function'],
    [{ evict: 'no' }, TypeError, 'evict is "no", not a boolean'],
    [{ verison: '1.6.45' }, TypeError, 'unexpected option "verison"'],
    [{ path: '/tmp/memcached.sock', port: 1 }, TypeError, 'path cannot be combined with host and port'],
  ])('%o is refused', (options, kind, message) => {
    const make = () => new EmbeddedServer(options as never)
    expect(make).toThrow(kind)
    expect(make).toThrow(message)
  })

  test('a fault with a bigint is refused by name', async () => {
    await using server = await startServer()
    await expect(server.fault({ fault: 'slow', ms: 5n } as never)).rejects.toThrow('field "ms" is 5')
    await expect(server.fault({ fault: 'close', count: 5n } as never)).rejects.toThrow('field "count" is 5')
    await expect(server.fault({ fault: 5n } as never)).rejects.toThrow('field "fault" is 5')
  })
})
