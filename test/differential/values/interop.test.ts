/**
 * Python and Node read each other's items: whatever the real libraries or our clients write, a real library and our client
 * of the same kind read the same thing, or refuse it with the same exception.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuditedClient, invoke } from '../../../src/audit/methods/calls.js'
import { construct } from '../../../src/audit/methods/constructor/construct.js'
import type { PresetName } from '../../../src/compat/index.js'
import { fromTypedJson, type TypedJson } from '../../../src/values/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'
import { type Answer, installed, PythonLibrary, skipped } from '../../support/python-library.js'
import { fixtures } from '../support/recordings.js'

interface Party {
  readonly name: string
  write(key: string, value: TypedJson, minCompressLen: number): Promise<Answer>
  read(key: string): Promise<Answer>
  stop(): Promise<void>
}

const { values } = JSON.parse(readFileSync(join(fixtures, 'vectors', 'pickle.json'), 'utf8')) as {
  values: { value: TypedJson }[]
}
const compressible: TypedJson[] = [
  'ab'.repeat(300),
  [1, 2, 'x'.repeat(900)],
  { $bytes: '\xff'.repeat(700) },
  12345,
]

/** Class and return code; result in Python's own order-free sense. */
function shown(answer: Answer): string {
  if ('raises' in answer) return `raises ${answer.raises.class} ${answer.raises.retcode ?? ''}`
  return JSON.stringify(answer.result, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

function libraryParty(name: string, library: PythonLibrary): Party {
  return {
    name,
    write: (key, value, minCompressLen) => library.call('set', [key, value, 0, minCompressLen]),
    read: (key) => library.call('get', [key]),
    stop: () => library.stop(),
  }
}

function clientParty(
  name: string,
  client: AuditedClient,
  kind: 'pylibmc' | 'python-memcached',
  version: string,
): Party {
  const call = (method: string, args: readonly unknown[]) =>
    invoke(client, { name: kind, version }, { call: method, args, kwargs: {} }) as Promise<Answer>
  return {
    name,
    write: (key, value, minCompressLen) => call('set', [key, fromTypedJson(value), 0, minCompressLen]),
    read: (key) => call('get', [key]),
    stop: async () => client.disconnectAll(),
  }
}

const available = installed.filter(({ python }) => python !== undefined)

describe.skipIf(available.length === 0)(
  `Values between Python and Node (${available.length > 0 ? 'live' : skipped})`,
  () => {
    let memcached: Memcached
    /** Each real library with our client of the same kind. */
    const pairs: { readonly library: Party; readonly ours: Party }[] = []

    beforeAll(async () => {
      memcached = await startMemcached()
      for (const one of available) {
        const library = new PythonLibrary(one)
        await library.start([memcached.address])
        const name = `${one.library} ${one.version}`
        const emulate = `python-memcached-${one.version}` as PresetName
        const { client } = construct(one.library, [memcached.address], {}, { compat: { emulate } })
        pairs.push({
          library: libraryParty(name, library),
          ours: clientParty(`our ${name}`, client, one.library, one.version),
        })
      }
    })

    afterAll(async () => {
      for (const { library, ours } of pairs) {
        await library.stop()
        await ours.stop()
      }
      await memcached?.stop()
    })

    const cases = [
      ...values.map(({ value }) => ({ value, minCompressLen: 0 })),
      ...compressible.map((value) => ({ value, minCompressLen: 100 })),
    ]
    it.each(cases.map((one, index) => ({ ...one, index, title: JSON.stringify(one.value).slice(0, 60) })))(
      '$index: $title, compressed from $minCompressLen',
      async ({ value, minCompressLen, index }) => {
        for (const { library, ours } of pairs) {
          for (const writer of [library, ours]) {
            const key = `${index}-${writer.name.replaceAll(' ', '-')}`
            const counterpart = writer === library ? ours : library
            const written = shown(await writer.write(key, value, minCompressLen))
            expect(
              shown(await counterpart.write(`${key}-again`, value, minCompressLen)),
              `written by ${counterpart.name}`,
            ).toBe(written)
            for (const reader of pairs) {
              const theirs = shown(await reader.library.read(key))
              const found = shown(await reader.ours.read(key))
              expect(found, `written by ${writer.name}, read by ${reader.ours.name}`).toBe(theirs)
            }
          }
        }
      },
    )
  },
)
