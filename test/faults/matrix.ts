/** Runs one cell of the fault matrix: an operation under a fault, and what came of it. */
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client as CompatClient } from '../../src/compat/index.js'
import { pythonClass } from '../../src/python/errors.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import type { StruckFault, Wire } from './faults.js'
import { type StruckOperation, warmValue } from './operations.js'
import { type Certificate, startStage } from './stage.js'

/** One kind of client over one kind of connection. */
export interface Column {
  readonly name: string
  readonly client: 'strict' | 'compat'
  readonly wire: Wire
  readonly tls: boolean
}

export const columns: readonly Column[] = [
  { name: 'strict, text', client: 'strict', wire: 'text', tls: false },
  { name: 'strict, binary', client: 'strict', wire: 'binary', tls: false },
  { name: 'strict, text over TLS', client: 'strict', wire: 'text', tls: true },
  { name: 'strict, binary over TLS', client: 'strict', wire: 'binary', tls: true },
  { name: 'compat, text', client: 'compat', wire: 'text', tls: false },
]

export interface Cell {
  /** Result or exception, in a few words. */
  readonly outcome: string
  /** Connections that the server has seen, the warm one included, after the next operation. */
  readonly connections: number
}

export interface Played extends Cell {
  readonly milliseconds: number
  /** What the next operation on the same client did. */
  readonly next: unknown
  /** Sockets that the client has not closed some time after its own end, while the server still lives. */
  readonly left: number
}

/** Sockets of this process that are open. Node does not tell of those of TLS, which the same code closes. */
const open = new Set<Socket>()
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket }
  open.add(socket)
  socket.on('close', () => open.delete(socket))
})
/** Milliseconds. A client waits up to a second for the server's end after its `quit`. */
const patience = 20_000

/** The number of sockets to this server that stay open. */
async function leftOpen(address: string): Promise<number> {
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  const count = () => [...open].filter(({ remotePort }) => remotePort === port).length
  for (const end = performance.now() + patience; count() > 0 && performance.now() < end; ) await sleep(10)
  return count()
}

/** Of each operation, in milliseconds. */
export const deadline = 1500

/** Whether the column's client has the operation, and the fault strikes it. */
export function isStruck(column: Column, fault: StruckFault, operation: StruckOperation): boolean {
  return operation[column.client] !== undefined && fault.without !== operation.name
}

/** @param time that each operation has, in milliseconds */
export async function play(
  column: Column,
  fault: StruckFault,
  operation: StruckOperation,
  tls: Certificate | undefined,
  time: number,
): Promise<Played> {
  const run = operation[column.client]
  const stage = await startStage(column.tls ? tls : undefined)
  // Failed servers wait for their retry in whole seconds of this clock.
  let now = Date.now() / 1000
  const client = connected(column, stage.address, tls, time, () => now)
  try {
    await client.set('k', warmValue)
    await client.set('n', 5)
    const [, unique] = (await client.gets('k')) as [unknown, bigint]
    await stage.fault(fault.cause(column.wire))
    const started = performance.now()
    const outcome = await outcomeOf(() =>
      (run as (client: unknown, unique: bigint) => Promise<unknown>)(client, unique),
    )
    const milliseconds = performance.now() - started
    await stage.fault({ fault: 'up' })
    now += 120
    // The first operation after a close while idle tells of it.
    const next = await outcomeOf(async () => {
      await client.set('after', 'wards').catch(() => undefined)
      now += 120
      await client.set('after', 'wards')
      return client.get('after')
    })
    const connections = stage.connections()
    client.disconnectAll()
    return { outcome, milliseconds, next, connections, left: await leftOpen(stage.address) }
  } finally {
    client.disconnectAll()
    await stage.stop()
  }
}

function connected(
  { client, wire, tls: encrypted }: Column,
  address: string,
  tls: Certificate | undefined,
  time: number,
  now: () => number,
): StrictClient | CompatClient {
  if (client === 'compat') {
    const options = { cacheCas: true, socketTimeout: time / 1000, deadRetry: 1, now } as const
    return new CompatClient([address], { emulate: 'python-memcached-1.62', ...options })
  }
  return new StrictClient([address], {
    behaviors: { cas: true, retry_timeout: 1 },
    timeout: time,
    now,
    binary: wire === 'binary',
    ...(encrypted && tls ? { tls: { ca: tls.cert } } : {}),
  })
}

async function outcomeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    return inWords(await run())
  } catch (error) {
    const python = pythonClass(error)
    const { code } = error as { readonly code?: unknown }
    if (python === undefined) return `unexpected ${String(error)}`
    return `${python.replace(/^builtins\./, '')}${typeof code === 'number' ? ` ${code}` : ''}`
  }
}

/** CAS uniques and statistics differ from run to run. */
function inWords(result: unknown): string {
  if (result instanceof Map)
    return `{${[...result].map(([key, value]) => `${key}: ${inWords(value)}`).join(', ')}}`
  if (Array.isArray(result)) return `[${result.map(inWords).join(', ')}]`
  if (typeof result === 'bigint') return 'unique'
  if (typeof result === 'string') return /^127\.0\.0\.1:/.test(result) ? 'server' : JSON.stringify(result)
  if (typeof result === 'object' && result !== null) return 'statistics'
  return String(result)
}
