/**
 * Every operation × every fault of docs/reference/python-memcached.md#13.1 on real sockets: result, dead mark and connection as the real
 * libraries had them (fixtures/vectors/fault-table.json), and the same faults under the preset `pylibmc`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuditedClient, invoke } from '../../src/audit/methods/calls.js'
import { construct } from '../../src/audit/methods/constructor/construct.js'
import { Client as CompatClient, type PresetName, type SwitchSetting } from '../../src/compat/index.js'
import { firstDifference } from '../../src/parity/compare.js'
import type { Recorded, Recording } from '../../src/parity/scenario.js'
import { EmbeddedServer, parseFault } from '../../src/server/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import { fromTypedJson, type TypedJson } from '../../src/values/index.js'
import { type FullBacklog, fullBacklog } from '../support/full-backlog.js'
import { missingNamesAtOnce } from '../support/missing-names.js'
import { fixtures } from './support/recordings.js'

type Cell = Recorded & { readonly dead?: boolean; readonly connected?: boolean }

interface FaultTable {
  readonly timeout: number
  readonly operations: Readonly<Record<string, readonly TypedJson[]>>
  /** Instead of `operations` where a request is not read to its end. */
  readonly large: Readonly<Record<string, readonly TypedJson[]>>
  readonly faults: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Of pylibmc over the binary protocol. */
  readonly binaryFaults: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly cells: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Cell | null>>>>>>
}

const table: FaultTable = JSON.parse(readFileSync(join(fixtures, 'vectors', 'fault-table.json'), 'utf8'))

function cells(library: string): [operation: string, fault: string, cell: Cell][] {
  return Object.entries(table.cells[library]!).flatMap(([fault, row]) =>
    Object.entries(row).flatMap(([operation, cell]) =>
      cell ? [[operation, fault, cell] as [string, string, Cell]] : [],
    ),
  )
}

const faults = { ...table.binaryFaults, ...table.faults }

/** Faults after which nothing more comes: only these take a client's whole time. */
function isSilent(fault: string): boolean {
  return /"stall"|full backlog/.test(JSON.stringify(faults[fault]))
}

/** Seconds. The outcomes do not depend on it; a busy machine must not turn an answer into a timeout. */
function patience(fault: string): number {
  return table.timeout * (isSilent(fault) ? 4 : 50)
}

let backlog: FullBacklog | undefined
beforeAll(async () => {
  missingNamesAtOnce()
  backlog = await fullBacklog()
})
afterAll(() => backlog?.stop())

interface Library {
  readonly name: 'python-memcached' | 'pylibmc'
  readonly version: string
}
type Make = (address: string) => AuditedClient
type Faults = FaultTable['faults']

/** Makes the one call on a client whose connection is open and struck, or that cannot open one. */
async function strike(
  library: Library,
  operation: string,
  fault: string,
  make: Make,
  known: Faults = table.faults,
) {
  const { server } = known[fault]!
  if (server !== undefined) return firstCall(library, operation, String(server), make)
  return warmCall(library, operation, known[fault]!, make)
}

async function firstCall(library: Library, operation: string, server: string, make: Make) {
  const client = make(server === 'full backlog' ? backlog!.address : server)
  const args = table.operations[operation]!.map((arg) => fromTypedJson(arg))
  if (operation === 'cas' && library.name === 'pylibmc') args.push(1n)
  return struck(client, library, operation, args)
}

async function warmCall(library: Library, operation: string, fault: Faults[string], make: Make) {
  const { server, client, seen } = await warm(make)
  try {
    await server.fault(parseFault({ server: 0, ...fault }))
    const operations = fault.fault === 'unread' ? table.large : table.operations
    const args = operations[operation]!.map((arg) => fromTypedJson(arg))
    if (operation === 'cas' && library.name === 'pylibmc') args.push((seen as [unknown, bigint])[1])
    return await struck(client, library, operation, args)
  } finally {
    await server.stop()
  }
}

/** A busy machine may use up the client's short time before the fault: then both begin anew. */
async function warm(make: Make, triesLeft = 10) {
  const server = await new EmbeddedServer().start()
  const client = make(server.address)
  try {
    const stored = [await client.set('k', 'warm value'), await client.set('n', 5)]
    const seen = await client.gets('k')
    if (stored.every(Boolean) && seen !== undefined) return { server, client, seen }
    throw new Error(`the server did not store and return the values: ${stored}`)
  } catch (error) {
    client.disconnectAll()
    await server.stop()
    if (triesLeft === 0) throw error
    return await warm(make, triesLeft - 1)
  }
}

async function struck(client: AuditedClient, library: Library, operation: string, args: unknown[]) {
  const outcome = await invoke(client, library, { call: operation, args, kwargs: {} })
  const [host] = client instanceof CompatClient ? client.servers : []
  client.disconnectAll()
  return { outcome: named(operation, outcome as Recorded), dead: host?.dead, connected: host?.connected }
}

/** Of statistics only the names were recorded, and ports vary. */
function named(operation: string, outcome: Recorded): Recorded {
  if (operation !== 'get_stats' || !('result' in outcome)) return outcome
  const rows = outcome.result as {
    readonly $tuple: readonly [string | { $bytes: string }, Record<string, unknown>]
  }[]
  return {
    result: {
      $stats: rows.map(({ $tuple: [server, stats] }) => [
        (typeof server === 'string' ? server : server.$bytes).replace(/127\.0\.0\.1:\d+/, '127.0.0.1:…'),
        Object.keys(stats).sort(),
      ]),
    },
  }
}

function difference(call: string, expected: Recorded, found: Recorded): string | undefined {
  const steps = [{ call }]
  return firstDifference({ scenario: { steps }, steps: [expected] } as unknown as Recording, [found])
}

/** Faults after which python-memcached goes on with a connection whose next bytes nobody can know; here it is closed. */
const OUT_OF_STEP = new Set([
  'garbage',
  'empty line',
  'reset',
  'reset while idle',
  'no reply',
  'partial line, then nothing',
])

/** Cells whose result belongs to a connection out of step: never without `desynchronisation`. */
function neverHere(operation: string, fault: string): boolean {
  return fault === 'reply for another key' && operation !== 'get_multi'
}

function pythonMemcached(name: string, desynchronisation: SwitchSetting) {
  const version = name.slice('python-memcached-'.length)
  const keywords = { cache_cas: true, server_max_value_length: 0 }
  const emulate = name as PresetName
  return (operation: string, fault: string) =>
    strike({ name: 'python-memcached', version }, operation, fault, (address) => {
      const compat = { emulate, switches: { desynchronisation } }
      const timed = { ...keywords, socket_timeout: patience(fault) }
      return construct('python-memcached', [address], timed, { compat }).client
    })
}

describe.each(['python-memcached-1.59', 'python-memcached-1.62'])('%s', (name) => {
  const run = pythonMemcached(name, 'safe')
  for (const [operation, fault, cell] of cells(name)) {
    it.concurrent(`${operation}: ${fault}`, async () => {
      const { dead, connected, ...expected } = cell
      const found = await run(operation, fault)
      const told = difference(operation, expected as Recorded, found.outcome)
      if (neverHere(operation, fault)) {
        expect(found).toMatchObject({ outcome: { result: null }, dead: false, connected: false })
        return
      }
      expect(told).toBeUndefined()
      expect(found.dead).toBe(dead)
      const stalls = 'raises' in cell && cell.raises.class === 'builtins.TimeoutError'
      const misread = !('result' in cell) && /VALUE|another key/.test(fault)
      // The three bytes of "6\r\n" are the whole reply.
      const whole = fault.startsWith('partial') && /^(incr|decr)$/.test(operation)
      const closed = (OUT_OF_STEP.has(fault) && !whole) || stalls || misread
      expect(found.connected).toBe(connected && !closed)
    })
  }
})

describe.each(['python-memcached-1.59', 'python-memcached-1.62'])('%s, desynchronisation on', (name) => {
  const run = pythonMemcached(name, 'python-memcached')
  for (const [operation, fault, cell] of cells(name)) {
    it.concurrent(`${operation}: ${fault}`, async () => {
      const { dead, connected, ...expected } = cell
      const found = await run(operation, fault)
      expect(difference(operation, expected as Recorded, found.outcome)).toBeUndefined()
      expect({ dead: found.dead, connected: found.connected }).toEqual({ dead, connected })
    })
  }
})

const WITHOUT_TEXT = 'the same exception, without the line that came instead of statistics'

/** Where strict does otherwise than pylibmc, on purpose: a fault, or an operation under it. */
const strictly: Readonly<Record<string, string>> = {
  'reply for another key': 'never taken for the value',
  'malformed VALUE header': 'known for what it is at once, not after the timeout',
  'get_stats: garbage': WITHOUT_TEXT,
  'get_stats: empty line': WITHOUT_TEXT,
  'get_stats: CLIENT_ERROR': WITHOUT_TEXT,
  'get_stats: SERVER_ERROR': WITHOUT_TEXT,
}

/** Where strict does otherwise than pylibmc over the binary protocol, on purpose. */
const strictlyBinary: Readonly<Record<string, string>> = {
  'gets: closed inside the reply':
    'the first bytes that were cut in the recording are those of the quiet request, which has no answer of its own',
  'get_stats: byte by byte': 'all statistics that the server sends, as documented',
}

const protocols = [
  { protocol: 'text', cells: 'pylibmc-1.6.3', binary: false, known: table.faults, otherwise: strictly },
  {
    protocol: 'binary',
    cells: 'pylibmc-1.6.3-binary',
    binary: true,
    known: table.binaryFaults,
    otherwise: strictlyBinary,
  },
]

describe.each(protocols)('pylibmc, $protocol', ({ cells: recorded, binary, known, otherwise }) => {
  const library = { name: 'pylibmc', version: '1.6.3' } as const
  const options = (timeout: number) => ({
    behaviors: { cas: true, connect_timeout: timeout },
    timeout,
    preserve: true,
    binary,
  })
  const strict =
    (timeout: number) =>
    (address: string): AuditedClient =>
      new StrictClient([address], options(timeout))
  const compat =
    (timeout: number) =>
    (address: string): AuditedClient =>
      new CompatClient([address], {
        emulate: 'pylibmc',
        cacheCas: true,
        socketTimeout: timeout / 1000,
        serverMaxValueLength: 0,
        preserve: true,
        pylibmc: { binary },
      })
  for (const [operation, fault, cell] of cells(recorded)) {
    it.concurrent(`${operation}: ${fault}`, async () => {
      const [byStrict, byCompat] = await Promise.all(
        [strict, compat].map((client) =>
          strike(library, operation, fault, client(patience(fault) * 1000), known),
        ),
      )
      expect(difference(operation, byStrict!.outcome, byCompat!.outcome)).toBeUndefined()
      const real = difference(operation, cell, byStrict!.outcome)
      const reason = otherwise[fault] ?? otherwise[`${operation}: ${fault}`]
      if (reason === undefined) expect(real, reason).toBeUndefined()
      if (real === undefined) expect(difference(operation, cell, byCompat!.outcome)).toBeUndefined()
    })
  }
})
