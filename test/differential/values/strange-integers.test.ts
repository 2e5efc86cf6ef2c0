/** Bytes before a stored number: the strict client refuses what the real pylibmc refuses, with the same exception. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pythonClass } from '../../../src/python/errors.js'
import { Client } from '../../../src/strict/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

const python = process.env.MEMSHIM_PYTHON_PYLIBMC
const prefixes = [[0x80], [0xc3, 0xa9], [0x61, 0x00, 0x80], [0xd9, 0xa1], [0x63, 0xe9], [0x20], [0x28]]
  .map((bytes) => Buffer.from(bytes))
  .concat(Buffer.from(`${'a'.repeat(199)}é`), Buffer.from(`${'a'.repeat(198)}é`))
const program = `
import json, sys, pylibmc
client = pylibmc.Client([sys.argv[1]])
answers = []
for prefix in json.loads(sys.argv[2]):
    client.set('k', 1)
    client.prepend('k', bytes(prefix))
    try:
        answers.append(client.get('k'))
    except Exception as error:
        answers.append('builtins.' + type(error).__name__)
print(json.dumps(answers))
`

describe.skipIf(!python)('integers that are none', () => {
  let server: Memcached
  beforeAll(async () => {
    server = await startMemcached()
  })
  afterAll(() => server.stop())

  it('are refused as pylibmc refuses them', async () => {
    const address = `127.0.0.1:${server.port}`
    const given = JSON.stringify(prefixes.map((prefix) => [...prefix]))
    const real = JSON.parse(execFileSync(python!, ['-c', program, address, given], { encoding: 'utf8' }))
    const client = new Client([address])
    const ours: unknown[] = []
    for (const prefix of prefixes) {
      await client.set('k', 1)
      await client.prepend('k', prefix)
      ours.push(await client.get('k').catch((error: unknown) => pythonClass(error)))
    }
    client.disconnectAll()
    expect(ours).toEqual(real)
  })
})
