/**
 * Timelines of servers going down and coming back, as libmemcached went through them on a clock that was set by hand
 * (fixtures/vectors/hashing-public.json): the return code of every operation and the server that answered.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { constructorSettings } from '../../src/hashing/index.js'
import { binaryProtocol } from '../../src/protocol/binary/binary.js'
import { pylibmcDialect } from '../../src/protocol/dialects.js'
import { textProtocol } from '../../src/protocol/text/text.js'
import { EmbeddedServer } from '../../src/server/index.js'
import { Commands } from '../../src/strict/commands.js'
import { type BehaviorSettings, defaultBehaviors, MemcachedError } from '../../src/strict/index.js'
import { pylibmcKey } from '../../src/strict/keys.js'
import { HealthSelection, libmemcachedArrangement } from '../../src/strict/selection.js'
import { Connection } from '../../src/transport/connection.js'
import { pylibmcEncoding } from '../../src/values/index.js'
import { fixtures } from '../differential/recordings.js'

type Step = readonly [name: string, ...rest: unknown[]]
interface Timeline {
  readonly id: string
  readonly binary: boolean
  readonly behaviors: BehaviorSettings
  readonly servers: readonly { readonly host: string; readonly port: number; readonly weight: number }[]
  readonly steps: readonly Step[]
}

const timelines = JSON.parse(readFileSync(join(fixtures, 'vectors', 'hashing-public.json'), 'utf8'))
  .failover as Timeline[]

/** Servers where the timeline's ports are only names: placement sees those, the sockets are free ports. */
async function stage({ servers, behaviors, binary }: Timeline) {
  const clock = { now: 1_000_000 }
  const answered: number[] = []
  const embedded = await Promise.all(
    servers.map((_, index) =>
      new EmbeddedServer({
        record: ({ sent }) => {
          if (!isQuit(sent)) answered.push(index)
        },
      }).start(),
    ),
  )
  const set = { ...defaultBehaviors, ...behaviors }
  const selection = new HealthSelection(
    servers.map(({ host, port, weight }) => ({ address: { transport: 'tcp', host, port }, weight })),
    libmemcachedArrangement(
      constructorSettings(
        {
          hash: behaviors.hash,
          distribution: behaviors.distribution,
          ketama: on(behaviors.ketama),
          ketama_weighted: on(behaviors.ketama_weighted),
        },
        servers,
      ),
    ),
    false,
    ({ address }) => {
      const index = servers.findIndex((one) => address.transport === 'tcp' && one.port === address.port)
      const { port } = embedded[index]!
      return new Connection(
        { transport: 'tcp', host: '127.0.0.1', port },
        { connectTimeout: 2000, stale: 'fail', protocol: binary ? binaryProtocol() : textProtocol },
      )
    },
    () => ({
      health: {
        retryTimeout: Number(set.retry_timeout),
        deadTimeout: Number(set.dead_timeout),
        failureLimit: Number(set.failure_limit),
        eject: Boolean(behaviors.auto_eject || behaviors.remove_failed),
      },
      hashPrefix: '',
      binary,
    }),
    () => clock.now,
  )
  const encoding = pylibmcEncoding({})
  const commands = new Commands({
    key: (key, operation, prefix) => pylibmcKey(key, operation, prefix, binary ? 'any' : 'unbroken'),
    exptime: () => 0,
    encode: (value) => encoding.encode(value, undefined),
    decode: ({ flags, data }) => encoding.decode(flags, data),
    selection,
    wire: pylibmcDialect,
    modes: () => ({
      cas: false,
      retrieval: 'get',
      noreply: false,
      namespace: '',
      timeout: 5000,
      binary,
    }),
  })
  return { clock, answered, embedded, commands }
}

const isQuit = (sent: string): boolean => sent.startsWith('quit') || sent.startsWith('\x80\x07')
const on = (value: unknown): boolean | undefined => (value === undefined ? undefined : Boolean(value))

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

describe('libmemcached’s timelines', () => {
  it.concurrent.each(timelines)('$id', async (timeline) => {
    const { clock, answered, embedded, commands } = await stage(timeline)
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
      else if (name === 'disconnect_all') commands.disconnectAll()
      else if (name === 'hash')
        expect([index, name, key, commands.hash(key)]).toEqual([index, name, key, expected])
      else if (name === 'set') expect(await seen(commands.set(key, 1))).toEqual(want)
      else if (name === 'get') expect(await seen(commands.get(key))).toEqual(want)
      else if (name === 'incr') expect(await seen(commands.incr(key))).toEqual(want)
      else if (name === 'delete') expect(await seen(commands.delete(key))).toEqual(want)
      else if (name === 'touch') expect(await seen(commands.touch(key, 0))).toEqual(want)
      else if (name === 'get_multi') expect(await seen(commands.getMulti(subject as string[]))).toEqual(want)
      else throw new Error(`unknown step ${name}`)
    }
    commands.disconnectAll()
    await Promise.all(embedded.map((one) => one.stop()))
  })
})
