/** The tracing channels in the form of ioredis and node-redis: a subscriber that knows theirs is used on ours by changing the prefix. */
import { tracingChannel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Client as CompatClient } from '../../src/compat/index.js'
import { startServer } from '../../src/server/index.js'
import { Client, type ConnectEvent } from '../../src/strict/index.js'
import { refusingPort } from '../support/memcached.js'

interface Span {
  readonly name: string
  readonly attributes: Record<string, unknown>
  ended: boolean
  error?: unknown
}

/** What a monitoring agent does with the channels of a client, by the fields that ioredis and node-redis publish. */
function monitor(prefix: string) {
  interface Message {
    readonly command?: string
    readonly args?: readonly string[]
    readonly batchSize?: number
    readonly serverAddress: string
    readonly serverPort: number | undefined
    readonly error?: unknown
  }
  const spans: Span[] = []
  const open = new Map<object, Span>()
  const stops = ['command', 'connect'].map((what) => {
    const channel = tracingChannel<Message, Message>(`${prefix}:${what}`)
    const handlers = {
      start(message: Message) {
        const { command, args, serverAddress, serverPort, batchSize } = message
        const span = {
          name: command ?? 'connect',
          attributes: {
            statement: [command, ...(args ?? [])].join(' '),
            serverAddress,
            serverPort,
            batchSize,
          },
          ended: false,
        }
        spans.push(span)
        open.set(message, span)
      },
      end() {},
      asyncStart() {},
      error(message: Message) {
        open.get(message)!.error = message.error
      },
      asyncEnd(message: Message) {
        open.get(message)!.ended = true
      },
    }
    channel.subscribe(handlers)
    return () => channel.unsubscribe(handlers)
  })
  return { spans, stop: () => stops.forEach((stop) => void stop()) }
}

let stop: (() => void) | undefined
afterEach(() => stop?.())

describe.each([
  ['strict', (address: string) => new Client([address])],
  ['compat', (address: string) => new CompatClient([address], { emulate: 'python-memcached-1.62' })],
] as const)('%s', (name, connect) => {
  it('publishes commands and connections with command, args, serverAddress, serverPort', async () => {
    const server = await startServer()
    const mc = connect(server.address)
    const heard = monitor('memshim')
    stop = heard.stop
    await mc.set('k', 'secret')
    await (mc as Client).getMulti(['k', 'l'])
    mc.disconnectAll()
    await mc.get('k')
    mc.disconnectAll()
    await server.stop()
    const where = { serverAddress: '127.0.0.1', serverPort: server.port }
    const commands = heard.spans.filter(({ name }) => name !== 'connect')
    expect(commands).toEqual([
      { name: 'set', attributes: { statement: 'set k ?', ...where }, ended: true },
      { name: 'get', attributes: { statement: 'get k l', ...where, batchSize: 2 }, ended: true },
      { name: 'get', attributes: { statement: 'get k', ...where }, ended: true },
    ])
    // One for each connection that is opened; compat also has its own attempts as commands.
    const opened = heard.spans.filter(
      ({ name, attributes }) => name === 'connect' && attributes.statement === '',
    )
    expect(opened.length).toBe(2)
    expect(opened.every(({ ended, error }) => ended && error === undefined)).toBe(true)
    expect(name).toBeDefined()
  })
})

it('publishes a connection that fails, with the failure of the transport', async () => {
  const { port, release } = await refusingPort()
  const events: ConnectEvent[] = []
  const channel = tracingChannel<ConnectEvent, ConnectEvent>('memshim:connect')
  const hear = (event: unknown) => void events.push(event as ConnectEvent)
  channel.asyncEnd.subscribe(hear)
  const mc = new Client([`127.0.0.1:${port}`])
  await expect(mc.get('k')).rejects.toThrow()
  channel.asyncEnd.unsubscribe(hear)
  expect(events).toHaveLength(1)
  expect(events[0]!.attributes).toEqual({
    'db.system.name': 'memcached',
    'server.address': '127.0.0.1',
    'server.port': port,
    'error.type': 'connect',
  })
  expect((events[0]!.error as Error).message).toContain('ECONNREFUSED')
  mc.disconnectAll()
  release()
})

it('a Unix socket has its path and no port; the peer of TCP is known when it is open', async () => {
  const path = join(tmpdir(), `memcached-tracing-${process.pid}.sock`)
  const listener = createServer((socket) => socket.on('data', () => socket.write('END\r\n'))).listen(path)
  await once(listener, 'listening')
  const server = await startServer()
  const events: ConnectEvent[] = []
  const channel = tracingChannel<ConnectEvent, ConnectEvent>('memshim:connect')
  const hear = (event: unknown) => void events.push(event as ConnectEvent)
  channel.asyncEnd.subscribe(hear)
  for (const address of [path, server.address]) {
    const mc = new Client([address])
    await mc.get('k')
    mc.disconnectAll()
  }
  channel.asyncEnd.unsubscribe(hear)
  listener.close()
  await server.stop()
  expect(events[0]).toMatchObject({ serverAddress: path, serverPort: undefined })
  expect(events[0]!.attributes).toEqual({ 'db.system.name': 'memcached', 'server.address': path })
  expect(events[1]!.attributes).toMatchObject({
    'network.peer.address': '127.0.0.1',
    'network.peer.port': server.port,
  })
})
