/** Faults on real sockets: what a connection does when a server misbehaves (docs/reference/field.md#2 to #3). */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { pylibmcDialect } from '../../../src/protocol/dialects.js'
import { remove, retrieval, store } from '../../../src/protocol/requests.js'
import type { Reply } from '../../../src/protocol/wire.js'
import type { ServerAddress } from '../../../src/transport/address.js'
import { BusyPoll, type PolledConnection } from '../../../src/transport/busy-poll.js'
import { Connection } from '../../../src/transport/connection.js'
import type { ConnectionOptions } from '../../../src/transport/connection-options.js'
import { CallerWatch } from '../../../src/transport/pending.js'
import { refusingPort } from '../../support/memcached.js'
import { settlesBefore } from '../../support/settles-before.js'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** A server that does what the test says with every connection. */
async function scripted(serve: (socket: Socket) => void, path?: string) {
  const sockets: Socket[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(path ?? { port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  cleanups.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address: ServerAddress = path
    ? { transport: 'unix', path }
    : { transport: 'tcp', host: '127.0.0.1', port: (server.address() as { port: number }).port }
  return { address, sockets }
}

function connection(address: ServerAddress, options?: ConnectionOptions) {
  const made = new Connection(address, options)
  cleanups.push(() => made.close())
  return made
}

/** Answers `get x y` with the keys as values, in order. */
function echo(socket: Socket) {
  let pending = ''
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1')
    const lines = pending.split('\r\n')
    pending = lines.pop() ?? ''
    for (const line of lines) {
      const items = line
        .slice(4)
        .split(' ')
        .map((key) => `VALUE ${key} 0 ${key.length}\r\n${key}\r\n`)
      socket.write(`${items.join('')}END\r\n`)
    }
  })
}

const get = (key: string) => retrieval('get', [key])
const valueIn = (reply: Reply) => (reply.type === 'items' ? reply.items[0]?.data.toString() : undefined)

describe('when requests leave', () => {
  /** A connection that has answered one caller nine times, and how many bytes it has written. */
  async function withOneCaller() {
    const { address } = await scripted(echo)
    let socket!: Socket
    const mc = connection(address, {
      connect: (to) => {
        socket = connect(to as { host: string; port: number })
        return socket
      },
    })
    for (let i = 0; i < 9; i++) await mc.exchange(get('key'))
    return { mc, written: () => socket.bytesWritten }
  }

  test('one caller alone: its tenth request is written within the call', async () => {
    const { mc, written } = await withOneCaller()
    const before = written()
    const reply = mc.exchange(get('tenth'))
    expect(written() - before).toBe('get tenth\r\n'.length)
    expect(valueIn(await reply)).toBe('tenth')
  })

  test('a second and a third request join, and the next single one waits for others again', async () => {
    const { mc, written } = await withOneCaller()
    const first = mc.exchange(get('first'))
    const before = written()
    const others = [mc.exchange(get('second')), mc.exchange(get('third'))]
    expect(written()).toBe(before)
    expect((await Promise.all([first, ...others])).map(valueIn)).toEqual(['first', 'second', 'third'])
    expect(written() - before).toBe('get second third\r\n'.length)
    const after = written()
    const next = mc.exchange(get('next'))
    expect(written()).toBe(after)
    expect(valueIn(await next)).toBe('next')
  })

  test('one caller of two servers: each request is written within the call', async () => {
    const callers = new CallerWatch()
    const sockets: Socket[] = []
    const two: Connection[] = []
    for (let i = 0; i < 2; i++) {
      const { address } = await scripted(echo)
      const open = (to: ServerAddress) => {
        sockets[i] = connect(to as { host: string; port: number })
        return sockets[i]!
      }
      two.push(connection(address, { callers, connect: open }))
    }
    for (let i = 0; i < 10; i++) await two[i % 2]!.exchange(get('key'))
    const written = () => sockets.map(({ bytesWritten }) => bytesWritten)
    const before = written()
    const first = two[0]!.exchange(get('first'))
    const length = 'get first\r\n'.length
    expect(written()).toEqual([before[0]! + length, before[1]])
    // The other server's request may have to share its turn with others.
    const second = two[1]!.exchange(get('second'))
    expect(written()).toEqual([before[0]! + length, before[1]])
    expect((await Promise.all([first, second])).map(valueIn)).toEqual(['first', 'second'])
  })

  test('requests without a reply leave together, also after those of one caller', async () => {
    const { mc, written } = await withOneCaller()
    const before = written()
    const request = remove('key', { noreply: true })
    const sent = [mc.exchange(request), mc.exchange(request)]
    expect(written()).toBe(before)
    await Promise.all(sent)
    expect(written() - before).toBe(2 * 'delete key noreply\r\n'.length)
  })

  test('a request that may be given up in its turn is not written before the end of the turn', async () => {
    const { mc, written } = await withOneCaller()
    const before = written()
    const abort = new AbortController()
    const given = mc.exchange(get('given-up'), { signal: abort.signal })
    abort.abort(new Error('no longer needed'))
    await expect(given).rejects.toThrow('no longer needed')
    await mc.exchange(get('other'))
    expect(written() - before).toBe('get other\r\n'.length)
  })
})

test('the busy poll is told of writes that have a reply, before it comes', async () => {
  const { address } = await scripted((socket) => {
    socket.on('data', () => socket.write('DELETED\r\n'))
  })
  const told: number[] = []
  const mc: Connection = connection(address, {
    busyPoll: Object.assign(new BusyPoll(1), { wrote: (one: PolledConnection) => told.push(one.unanswered) }),
  })
  await mc.exchange(remove('key'))
  await mc.exchange(remove('key', { noreply: true }))
  expect(told).toEqual([1])
})

describe('opening', () => {
  test('200 first calls at once open one connection, leave in one write, and each gets its own reply', async () => {
    const writes: Buffer[] = []
    const { address, sockets } = await scripted((socket) => {
      socket.on('data', (chunk) => writes.push(chunk))
      echo(socket)
    })
    const mc = connection(address)
    const replies = await Promise.all(Array.from({ length: 200 }, (_, i) => mc.exchange(get(`k${i}`))))
    expect(replies.map(valueIn)).toEqual(Array.from({ length: 200 }, (_, i) => `k${i}`))
    expect(sockets).toHaveLength(1)
    expect(writes).toHaveLength(1)
  })

  test('nothing listens: connect, not sent, and the next call tries again', async () => {
    const { port, release } = await refusingPort()
    const mc = connection({ transport: 'tcp', host: '127.0.0.1', port })
    await expect(mc.exchange(get('a'))).rejects.toMatchObject({
      kind: 'connect',
      code: 'ECONNREFUSED',
      sent: false,
    })
    const server = createServer(echo).listen(port, '127.0.0.1')
    await once(server, 'listening')
    release()
    cleanups.push(() => server.close())
    expect(valueIn(await mc.exchange(get('a')))).toBe('a')
  })

  test('a name that does not resolve: lookup', async () => {
    // The system's resolver may take its time over it.
    const patient = { timeout: 25_000, connectTimeout: 25_000 }
    const mc = connection({ transport: 'tcp', host: 'no-such-host.invalid', port: 11211 }, patient)
    await expect(mc.exchange(get('a'))).rejects.toMatchObject({ kind: 'lookup', sent: false })
  })

  test('a missing Unix socket: connect with ENOENT; an existing one works', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'memshim-'))
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'mc.sock')
    const mc = connection({ transport: 'unix', path })
    await expect(mc.exchange(get('a'))).rejects.toMatchObject({
      kind: 'connect',
      code: 'ENOENT',
      server: path,
    })
    await scripted(echo, path)
    expect(valueIn(await mc.exchange(get('a')))).toBe('a')
  })

  test('connect() opens once and says when it is open', async () => {
    const { address, sockets } = await scripted(echo)
    const mc = connection(address)
    expect(mc.state).toBe('idle')
    const opening = Promise.all([mc.connect(), mc.connect(), mc.exchange(get('a'))])
    expect(mc.state).toBe('connecting')
    await opening
    expect(mc.state).toBe('ready')
    expect(sockets).toHaveLength(1)
  })
})

describe('replies that come all at once', () => {
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)

  /** Answers nothing before all keys have been asked for, then everything in one write. */
  function together(socket: Socket, after: () => void = () => {}) {
    let asked = ''
    socket.on('data', (chunk) => {
      asked += chunk.toString('latin1')
      if (!asked.endsWith('\r\n') || asked.split(/ |\r\n/).filter((word) => /^k/.test(word)).length < 100)
        return
      const lines = asked.split('\r\n').slice(0, -1)
      asked = ''
      const answers = lines.map((line) => {
        const items = line.split(' ').slice(1)
        return `${items.map((key) => `VALUE ${key} 0 ${key.length}\r\n${key}\r\n`).join('')}END\r\n`
      })
      socket.write(answers.join(''))
      after()
    })
  }

  test('then the end: every caller has its reply', async () => {
    const { address } = await scripted((socket) => together(socket, () => socket.end()))
    const mc = connection(address)
    const replies = await Promise.all(keys.map((key) => mc.exchange(get(key))))
    expect(replies.map(valueIn)).toEqual(keys)
  })

  test('a caller that closes the connection: earlier calls get their replies, and no call waits for ever', async () => {
    const { address } = await scripted((socket) => together(socket))
    const mc = connection(address)
    const outcomes = await Promise.allSettled(
      keys.map(async (key) => {
        const reply = await mc.exchange(get(key))
        if (key === 'k10') mc.close()
        return valueIn(reply)
      }),
    )
    expect(outcomes.slice(0, 11)).toEqual(keys.slice(0, 11).map((value) => ({ status: 'fulfilled', value })))
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ kind: 'aborted', sent: true })
  })

  test('callers that ask again get their own replies, turn after turn', async () => {
    const { address, sockets } = await scripted(echo)
    const mc = connection(address)
    const rounds = 20
    await Promise.all(
      keys.map(async (key) => {
        for (let round = 0; round < rounds; round++)
          expect(valueIn(await mc.exchange(get(`${key}.${round}`)))).toBe(`${key}.${round}`)
      }),
    )
    expect(sockets).toHaveLength(1)
  })
})

describe('a server that misbehaves rejects every waiting operation and leaves nothing behind', () => {
  const cases: [string, string, (socket: Socket) => void][] = [
    ['closes after the request', 'closed', (socket) => socket.end()],
    ['resets', 'reset', (socket) => socket.resetAndDestroy()],
    ['closes inside a value', 'closed', (socket) => socket.end('VALUE a 0 10\r\nabc')],
    ['sends garbage for a value', 'unintelligible', (socket) => socket.write('VALUE a 0 1\r\nabcdef\r\n')],
    ['replies for another key', 'unintelligible', (socket) => socket.write('VALUE z 0 1\r\nz\r\nEND\r\n')],
    ['sends an endless line', 'unintelligible', (socket) => socket.write('x'.repeat(100_000))],
    [
      'sends more than was asked for',
      'unintelligible',
      (socket) => socket.write('END\r\nEND\r\nEND\r\nEND\r\n'),
    ],
  ]
  test.each(cases)('%s: %s', async (_, kind, misbehave) => {
    let connections = 0
    const { address } = await scripted((socket) => {
      connections++
      if (connections > 1) echo(socket)
      else socket.once('data', () => misbehave(socket))
    })
    const mc = connection(address)
    const results = await Promise.allSettled(
      [get('a'), get('b'), get('c')].map((request) => mc.exchange(request)),
    )
    // "more than was asked for" answers all three before the surplus line is seen.
    const rejected = results.filter((result) => result.status === 'rejected')
    for (const { reason } of rejected) expect(reason).toMatchObject({ kind, sent: true })
    expect(rejected.length > 0 || mc.state === 'idle').toBe(true)
    expect(valueIn(await mc.exchange(get('next')))).toBe('next')
    expect(connections).toBe(2)
  })

  test('a process that stood still past the deadline takes the reply that came meanwhile', async () => {
    const { address } = await scripted((socket) =>
      socket.on('data', () => {
        socket.write('VALUE a 0 1\r\nx\r\nEND\r\n')
        const until = performance.now() + 150
        while (performance.now() < until);
      }),
    )
    const mc = connection(address, { timeout: 100 })
    await mc.connect()
    expect(await mc.exchange(get('a'))).toMatchObject({ type: 'items', items: [{ key: 'a' }] })
  })

  test('accepts and never answers: timeout for the stalled and the queued, within their deadline', async () => {
    const { address } = await scripted(() => {})
    const mc = connection(address, { timeout: 150 })
    const outcomes = Promise.allSettled([mc.exchange(get('a')), mc.exchange(get('b'), { timeout: 2000 })])
    expect(await settlesBefore(outcomes, 1900)).toBe(true)
    for (const result of await outcomes) {
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'timeout', sent: true } })
    }
  })

  test('a reply that trickles past the deadline does not keep the operation alive, and never answers the next', async () => {
    let connections = 0
    const { address } = await scripted((socket) => {
      connections++
      if (connections > 1) return echo(socket)
      socket.once('data', async () => {
        for (const byte of 'VALUE late 0 4\r\nlate\r\nEND\r\n') {
          socket.write(byte)
          await sleep(20)
        }
      })
    })
    const mc = connection(address)
    await expect(mc.exchange(get('late'), { timeout: 150 })).rejects.toMatchObject({ kind: 'timeout' })
    expect(valueIn(await mc.exchange(get('fresh')))).toBe('fresh')
    await sleep(500)
    expect(valueIn(await mc.exchange(get('still')))).toBe('still')
  })

  test('a connection cut while idle is noticed, and the next operation reconnects', async () => {
    const { address, sockets } = await scripted(echo)
    const mc = connection(address)
    await mc.exchange(get('a'))
    sockets[0]?.end()
    await expect.poll(() => mc.state).toBe('idle')
    expect(valueIn(await mc.exchange(get('b')))).toBe('b')
    expect(sockets).toHaveLength(2)
  })

  test('bytes without a request end an idle connection', async () => {
    const { address, sockets } = await scripted(echo)
    const mc = connection(address)
    await mc.exchange(get('a'))
    sockets[0]?.write('VALUE b 0 5\r\nstale\r\nEND\r\n')
    await expect.poll(() => mc.state).toBe('idle')
    expect(valueIn(await mc.exchange(get('b')))).toBe('b')
  })
})

describe('bodies', () => {
  test('values of every size arrive unchanged and in order, also with line breaks and words of the protocol', async () => {
    let received = ''
    const { address } = await scripted((socket) => {
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
        if (received.endsWith('LAST\r\n')) socket.write('STORED\r\n'.repeat(6))
      })
    })
    const mc = connection(address)
    const bodies = ['', 'END\r\n', 'a\r\nb', 'x'.repeat(9000), 'y'.repeat(2_000_000), 'LAST']
    const requests = bodies.map((body) =>
      store({ verb: 'set', key: 'k', flags: 0, exptime: 0, data: Buffer.from(body) }, pylibmcDialect),
    )
    const replies = await Promise.all(requests.map((request) => mc.exchange(request)))
    expect(replies.every((reply) => reply.type === 'line' && reply.status === 'STORED')).toBe(true)
    expect(received).toBe(bodies.map((body) => `set k 0 0 ${body.length}\r\n${body}\r\n`).join(''))
  })
})

describe('close', () => {
  test('an idle connection says quit', async () => {
    const received: string[] = []
    const { address } = await scripted((socket) => {
      socket.on('data', (chunk) => received.push(chunk.toString()))
      echo(socket)
    })
    const mc = connection(address)
    await mc.exchange(get('a'))
    mc.close()
    await expect.poll(() => received.join('')).toBe('get a\r\nquit\r\n')
    expect(mc.state).toBe('idle')
  })

  test('waiting requests are rejected as aborted, and the connection stays usable', async () => {
    let connections = 0
    const { address } = await scripted((socket) => {
      if (++connections > 1) echo(socket)
    })
    const mc = connection(address)
    await mc.connect()
    const waiting = mc.exchange(get('a'))
    mc.close()
    await expect(waiting).rejects.toMatchObject({ kind: 'aborted' })
    expect(valueIn(await mc.exchange(get('b')))).toBe('b')
  })
})

test.each([
  ['null', () => null],
  ['an object', () => ({})],
  ['a promise', async () => null],
  ['a promise that fails', async () => Promise.reject(new Error('no such host'))],
])(
  'a function connect that returns %s instead of a socket fails the request alone',
  async (_name, connect) => {
    const unexpected: unknown[] = []
    const catching = (error: unknown) => void unexpected.push(error)
    process.on('unhandledRejection', catching)
    cleanups.push(() => process.off('unhandledRejection', catching))
    const { address } = await scripted(echo)
    const failing = connection(address, { connect: connect as never })
    await expect(failing.exchange(get('a'))).rejects.toThrow('connect returned')
    await sleep(20)
    expect(unexpected).toEqual([])
  },
)
