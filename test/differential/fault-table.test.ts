/**
 * Every operation × every fault of spec/python-memcached §13.1 on real sockets: result, dead mark and connection as the real
 * libraries had them (fixtures/vectors/fault-table.json), and the same faults under the preset `pylibmc`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { invoke } from '../../src/audit/calls.js'
import { construct } from '../../src/audit/construct.js'
import type { Client as CompatClient, PresetName } from '../../src/compat/index.js'
import { EmbeddedServer, parseFault } from '../../src/server/index.js'
import type { TypedJson } from '../../src/values/index.js'
import { firstDifference } from './compare.js'
import { fixtures, type Recorded, type Recording } from './recordings.js'

type Cell = Recorded & { readonly dead?: boolean; readonly connected?: boolean }

interface FaultTable {
  readonly timeout: number
  readonly operations: Readonly<Record<string, readonly TypedJson[]>>
  readonly faults: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly cells: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Cell | null>>>>>>
}

const table: FaultTable = JSON.parse(readFileSync(join(fixtures, 'vectors', 'fault-table.json'), 'utf8'))

async function withServer<T>(run: (server: EmbeddedServer) => Promise<T>): Promise<T> {
  const server = await new EmbeddedServer().start()
  try {
    return await run(server)
  } finally {
    await server.stop()
  }
}

describe.each(['python-memcached-1.59', 'python-memcached-1.62'])('%s', (name) => {
  for (const [fault, row] of Object.entries(table.cells[name]!)) {
    for (const [operation, cell] of Object.entries(row)) {
      if (!cell) continue
      it.concurrent(`${operation}: ${fault}`, () =>
        withServer(async (server) => {
          const version = name.slice('python-memcached-'.length)
          const { client } = construct(
            'python-memcached',
            [server.address],
            { socket_timeout: table.timeout, cache_cas: true },
            { compat: { emulate: name as PresetName } },
          ) as { client: CompatClient }
          await client.set('k', 'warm value')
          await client.set('n', 5)
          await client.gets('k')
          await server.fault(parseFault({ server: 0, ...table.faults[fault] }))
          const outcome = (await invoke(
            client,
            { name: 'python-memcached', version },
            { call: operation, args: [...table.operations[operation]!], kwargs: {} },
          )) as Recorded
          const [host] = client.servers
          const { dead, connected, ...expected } = cell
          expect([
            difference(operation, expected as Recorded, outcome),
            { dead: host!.dead, connected: host!.connected },
          ]).toEqual([undefined, { dead, connected }])
          client.disconnectAll()
        }))
    }
  }
})

function difference(call: string, expected: Recorded, found: Recorded): string | undefined {
  const steps = [{ call }]
  return firstDifference({ scenario: { steps }, steps: [expected] } as unknown as Recording, [found])
}
