/**
 * Placements that depend on what was done to a client: clones, a hash set later, a namespace that takes part. Digests and
 * positions from libmemcached (fixtures/vectors/hashing-public.json).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pipelineOf } from '../../../src/pipeline/pipeline.js'
import { type BehaviorSettings, Client } from '../../../src/strict/index.js'
import { fixtures } from '../support/recordings.js'

interface Row {
  readonly id: string
  readonly client: string
  readonly behaviors: BehaviorSettings
  readonly servers: readonly { readonly host: string; readonly port: number; readonly weight: number }[]
  readonly then?: readonly { readonly set?: BehaviorSettings; readonly clone?: boolean }[]
  readonly keysHex: readonly string[]
  readonly serverIndex: readonly number[]
}

const rows = (
  JSON.parse(readFileSync(join(fixtures, 'vectors', 'hashing-public.json'), 'utf8')).placements as Row[]
).filter(({ client, id }) => client === 'libmemcached' && /^(clone|sequence|namespace)-/.test(id))

function spec({ host, port, weight }: Row['servers'][number]): string {
  if (host.startsWith('/')) return host
  const name = host.includes(':') ? `[${host}]` : host
  return `${name}:${port}:${weight}`
}

describe('libmemcached’s placement after steps', () => {
  it('there are rows for clones, sequences and namespaces', () => {
    expect(rows.length).toBeGreaterThan(15)
  })

  it.each(rows.map((row) => [row.id, row] as const))(
    '%s',
    (_, { servers, behaviors, then = [], keysHex, serverIndex }) => {
      let client = new Client(servers.map(spec), { behaviors })
      for (const step of then) {
        if (step.set) client.setBehaviors(step.set)
        if (step.clone) client = client.clone()
      }
      // Keys of any bytes, which the text protocol would refuse, but none that is too long for every client.
      const asked = keysHex.map(
        (hex, i) => [Buffer.from(hex, 'hex').toString('latin1'), serverIndex[i]] as const,
      )
      for (const [key, index] of asked.filter(([key]) => key.length <= 250))
        expect([key, pipelineOf(client).selection.place(key)]).toEqual([key, index])
    },
  )
})
