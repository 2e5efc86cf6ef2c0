/**
 * Timelines of servers going down and coming back, as libmemcached went through them on a clock that was set by hand
 * (fixtures/vectors/hashing-public.json, failover-timelines-public.json): the return code of every operation and the server that answered.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Client as CompatClient } from '../../../src/compat/index.js'
import { pipelineOf } from '../../../src/pipeline/pipeline.js'
import { binaryProtocol } from '../../../src/protocol/binary/binary.js'
import { textProtocol } from '../../../src/protocol/text/text.js'
import { EmbeddedServer } from '../../../src/server/index.js'
import { type BehaviorSettings, MemcachedError, Client as StrictClient } from '../../../src/strict/index.js'
import { Connection } from '../../../src/transport/connection.js'
import { fixtures } from '../../differential/support/recordings.js'

type Step = readonly [name: string, ...rest: unknown[]]
interface Timeline {
  readonly id: string
  readonly binary: boolean
  readonly behaviors: BehaviorSettings
  readonly servers: readonly { readonly host: string; readonly port: number; readonly weight: number }[]
  readonly steps: readonly Step[]
}

const timelines = ['hashing-public.json', 'failover-timelines-public.json'].flatMap((file) => {
  const { failover } = JSON.parse(readFileSync(join(fixtures, 'vectors', file), 'utf8')) as {
    failover: Timeline[]
  }
  return failover.map((timeline) => ({ ...timeline, id: `${file}: ${timeline.id}` }))
})

type Client = StrictClient | CompatClient

/** The strict client, and the compat client with everything off: libmemcached's failures are theirs alike. */
const clients: readonly (readonly [name: string, make: (timeline: Timeline, now: () => number) => Client])[] =
  [
    [
      'strict',
      ({ servers, behaviors, binary }, now) =>
        new StrictClient(
          servers.map(({ host, port, weight }) => `${host}:${port}:${weight}`),
          { behaviors, binary, now },
        ),
    ],
    [
      'compat with everything off',
      ({ servers, behaviors, binary }, now) =>
        new CompatClient(
          servers.map(({ host, port, weight }) => [`${host}:${port}`, weight] as const),
          { emulate: 'pylibmc', now, pylibmc: { behaviors, binary } },
        ),
    ],
  ]

/** Servers where the timeline's ports are only names: placement sees those, the sockets are free ports. */
async function stage(timeline: Timeline, make: (typeof clients)[number][1]) {
  const clock = { now: 1_000_000 }
  const answered: number[] = []
  const embedded = await Promise.all(
    timeline.servers.map((_, index) =>
      new EmbeddedServer({
        record: ({ sent }) => {
          if (!isQuit(sent)) answered.push(index)
        },
      }).start(),
    ),
  )
  const client = make(timeline, () => clock.now)
  const { selection } = pipelineOf(client)
  for (const server of selection.servers) {
    const { port } = embedded[server.index]!
    const exchange = new Connection(
      { transport: 'tcp', host: '127.0.0.1', port },
      {
        connectTimeout: 2000,
        stale: 'fail',
        protocol: timeline.binary ? binaryProtocol() : textProtocol,
      },
    )
    Object.assign(server, { exchange })
  }
  return { clock, answered, embedded, client }
}

const isQuit = (sent: string): boolean => sent.startsWith('quit') || sent.startsWith('\x80\x07')

/** NOT FOUND is an answer: the timelines count it as 0. */
async function code(call: Promise<unknown>): Promise<number> {
  try {
    await call
    return 0
  } catch (error) {
    if (!(error instanceof MemcachedError)) throw error
    return error.retcode === 16 ? 0 : error.retcode!
  }
}

describe.each(clients)('libmemcached’s timelines, %s', (_name, make) => {
  it.concurrent.each(timelines)('$id', async (timeline) => {
    const { clock, answered, embedded, client } = await stage(timeline, make)
    for (const [index, step] of timeline.steps.entries()) {
      const [name, subject, expected, server] = step
      answered.length = 0
      const seen = async (call: Promise<unknown>) => {
        const got = await code(call)
        return [
          index,
          name,
          subject,
          got,
          name === 'get_multi' ? [...new Set(answered)].sort() : (answered[0] ?? null),
        ]
      }
      const want = [index, name, subject, expected, server]
      const key = String(subject)
      if (name === 'advance') clock.now += Number(subject)
      else if (name === 'down' || name === 'up')
        await embedded[Number(subject)]!.fault({ fault: name, server: 0 })
      else if (name === 'disconnect_all') client.disconnectAll()
      else if (name === 'hash')
        expect([index, name, key, client.hash(key)]).toEqual([index, name, key, expected])
      else if (name === 'set') expect(await seen(client.set(key, 1))).toEqual(want)
      else if (name === 'get') expect(await seen(client.get(key))).toEqual(want)
      else if (name === 'incr') expect(await seen(client.incr(key))).toEqual(want)
      else if (name === 'delete') expect(await seen(client.delete(key))).toEqual(want)
      else if (name === 'touch') expect(await seen(client.touch(key, 0))).toEqual(want)
      else if (name === 'get_multi')
        expect(await seen((client as StrictClient).getMulti(subject as string[]))).toEqual(want)
      else throw new Error(`unknown step ${name}`)
    }
    client.disconnectAll()
    await Promise.all(embedded.map((one) => one.stop()))
  })
})
