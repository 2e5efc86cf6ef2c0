/** Plays a timeline with our strict client and tells what happened in the words of the recorder. */
import { Socket } from 'node:net'
import { invoke } from '../../../src/audit/methods/calls.js'
import { pipelineOf } from '../../../src/pipeline/pipeline.js'
import { binaryProtocol } from '../../../src/protocol/binary/binary.js'
import { textProtocol } from '../../../src/protocol/text/text.js'
import { EmbeddedServer } from '../../../src/server/index.js'
import { Client } from '../../../src/strict/index.js'
import { Connection } from '../../../src/transport/connection.js'
import { fromTypedJson, type TypedJson } from '../../../src/values/index.js'
import type { Step, StepOutcome, Timeline } from './timeline.js'

const START = 1_000_000
/** No server gives this CAS token. */
const FOREIGN_TOKEN = 2n ** 40n

/** Milliseconds, on a busy machine. */
const timeToArrive = 5000

/** Who hears of attempts to connect to a port. */
const listeners = new Map<number, (socket: Socket) => void>()
const { connect } = Socket.prototype
Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
  const [first] = args
  const options = (Array.isArray(first) ? first[0] : first) as { readonly port?: number } | undefined
  listeners.get(Number(options?.port))?.(this)
  return (connect as (...args: unknown[]) => Socket).apply(this, args)
} as typeof connect

class World {
  seconds = START
  asked = new Set<number>()
  attempts: number[] = []
  private readonly sockets: Set<Socket>[]
  /** Every connection that a server has had. */
  private readonly connected: Socket[][]
  /** Bytes that each server has read, and those that faults have taken away. */
  private readonly read: number[]
  readonly servers: EmbeddedServer[]

  constructor(count: number) {
    this.sockets = Array.from({ length: count }, () => new Set<Socket>())
    this.connected = Array.from({ length: count }, () => [])
    this.read = Array.from({ length: count }, () => 0)
    this.servers = Array.from(
      { length: count },
      (_, index) =>
        new EmbeddedServer({
          record: ({ sent }) => {
            this.read[index]! += sent.length
            if (!isQuit(sent)) this.asked.add(index)
          },
        }),
    )
  }

  async start(): Promise<void> {
    for (const [index, server] of this.servers.entries()) {
      await server.start()
      listeners.set(server.port, (socket) => {
        this.attempts.push(index)
        const sockets = this.sockets[index]!
        socket.once('connect', () => {
          sockets.add(socket)
          this.connected[index]!.push(socket)
        })
        socket.once('close', () => sockets.delete(socket))
      })
    }
  }

  /** Ends when the client's sockets have heard of it. */
  async fault(index: number, fault: 'down' | 'up' | 'stall' | 'cut' | 'reset'): Promise<void> {
    const server = this.servers[index]!
    // What nobody waits for arrives first: a connection with unread data is reset.
    await this.arrived()
    if (fault === 'down' || fault === 'up') await server.fault({ fault, server: 0 })
    else if (fault === 'stall') await server.fault({ fault: 'stall', server: 0, count: -1 })
    else
      await server.fault({
        fault: 'cut',
        server: 0,
        // biome-ignore lint/suspicious/noThenProperty: a fault of docs/formats.md
        ...(fault === 'reset' ? { then: 'reset' as const } : {}),
      })
    if (fault !== 'up' && fault !== 'stall') await closed(this.sockets[index]!)
    this.read[index] = this.written(index)
  }

  /** Ends when the servers have read what was sent on the connections to them. */
  async arrived(): Promise<void> {
    const deadline = Date.now() + timeToArrive
    do for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    while (this.read.some((bytes, index) => bytes < this.written(index)) && Date.now() < deadline)
  }

  private written(index: number): number {
    return this.connected[index]!.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
  }

  async stop(): Promise<void> {
    for (const server of this.servers) listeners.delete(server.port)
    await Promise.all(this.servers.map((server) => server.stop()))
  }
}

async function closed(sockets: ReadonlySet<Socket>): Promise<void> {
  await Promise.all(
    Array.from(sockets, (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))),
  )
}

const isQuit = (sent: string): boolean => sent.startsWith('quit') || sent.startsWith('\x80\x07')

export async function play(timeline: Timeline): Promise<StepOutcome[]> {
  const { servers, behaviors, binary, steps } = timeline
  const systemRandom = Math.random
  Math.random = sameAsShim(servers.length)
  const world = new World(servers.length)
  await world.start()
  const specs = servers.map(({ host, port, weight }) => `${host}:${port}:${weight}`)
  let client = onto(world, new Client(specs, { behaviors, binary, now: () => world.seconds }), timeline)
  const tokens = new Map<string, TypedJson>()
  const outcomes: StepOutcome[] = []
  const former: Client[] = []
  try {
    for (const step of steps) {
      world.asked = new Set()
      world.attempts = []
      const [name, subject] = step
      let outcome: StepOutcome = { result: null }
      if (name === 'advance') world.seconds += Number(subject)
      else if (name === 'down' || name === 'up' || name === 'stall' || name === 'cut' || name === 'reset')
        await world.fault(Number(subject), name)
      else if (name === 'restart') {
        await world.fault(Number(subject), 'down')
        world.servers[Number(subject)]!.clear()
        await world.fault(Number(subject), 'up')
      } else if (name === 'clone') {
        former.push(client)
        client = onto(world, client.clone(), timeline)
      } else outcome = await call(client, step, tokens)
      if (behaviors._noreply) await world.arrived()
      outcomes.push({
        ...outcome,
        ...(world.asked.size > 0 ? { asked: [...world.asked].sort((a, b) => a - b) } : {}),
        ...(world.attempts.length > 0 ? { attempts: world.attempts } : {}),
      })
    }
  } finally {
    Math.random = systemRandom
    for (const one of [...former, client]) one.disconnectAll()
    await world.stop()
  }
  return outcomes
}

async function call(
  client: Client,
  [name, ...args]: Step,
  tokens: Map<string, TypedJson>,
): Promise<StepOutcome> {
  const given =
    name === 'cas' ? [...args, tokens.get(String(args[0])) ?? { $int: String(FOREIGN_TOKEN) }] : args
  const outcome = await invoke(
    client,
    { name: 'pylibmc', version: '1.6.3' },
    { call: name, args: given.map(fromTypedJson), kwargs: {} },
  )
  if ('raises' in outcome) return { raises: masked(outcome.raises) }
  if (name === 'get_stats') return { result: (outcome.result as TypedJson[]).length }
  if (name !== 'gets') return outcome
  const [value, token] = (outcome.result as { readonly $tuple: TypedJson[] }).$tuple
  if (token == null) tokens.delete(String(args[0]))
  else tokens.set(String(args[0]), token)
  return { result: value! }
}

/** The numbers of clock_shim.c's random(), such that `Math.floor(Math.random() * count)` is their remainder by `count`. */
function sameAsShim(count: number): () => number {
  let state = START
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (((state >>> 16) % count) + 0.5) / count
  }
}

function masked<R extends { readonly message?: string }>(raises: R): R {
  return { ...raises, message: (raises.message ?? '').replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…') }
}

/** Placement sees the timeline's addresses, the sockets go to this world's servers. */
function onto(world: World, client: Client, { servers, binary }: Timeline): Client {
  for (const server of pipelineOf(client).selection.servers) {
    const position = servers.findIndex(({ host, port }) => server.name === `${host}:${port}`)
    const exchange = new Connection(
      { transport: 'tcp', host: '127.0.0.1', port: world.servers[position]!.port },
      { connectTimeout: 20_000, stale: 'fail', protocol: binary ? binaryProtocol() : textProtocol },
    )
    Object.assign(server, { exchange })
  }
  return client
}

/** The first difference in one line. */
export function difference(
  timeline: Timeline,
  wanted: readonly StepOutcome[],
  got: readonly StepOutcome[],
): string | undefined {
  for (const [index, step] of timeline.steps.entries()) {
    const [a, b] = [shown(wanted[index]!, timeline), shown(got[index]!, timeline)]
    if (a !== b) return `step ${index} ${JSON.stringify(step)}: pylibmc ${a}, here ${b}`
  }
  return undefined
}

function shown(outcome: StepOutcome, { behaviors, binary }: Timeline): string {
  const { asked, attempts } = outcome
  const tried = ` attempts ${attempts ?? ''}`
  // libmemcached keeps copies for replicas back until something else is asked of their server, and loses them with the connection: what is
  // stored differs then, and with it what is found.
  if (binary && behaviors.num_replicas) {
    const failed = 'raises' in outcome && outcome.raises.class !== 'pylibmc.NotFound'
    return `${failed ? `${outcome.raises.class} ${outcome.raises.retcode}` : ''}${tried}`
  }
  const what = 'result' in outcome ? canonical(outcome.result) : JSON.stringify(Object.values(outcome.raises))
  return `${what} asked ${asked ?? ''}${tried}`
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
  })
}
