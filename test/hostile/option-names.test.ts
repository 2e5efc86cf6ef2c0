/** A misspelled option is never ignored: `redact` would leave values in a trace, `maxMemory` would be no limit. */
import { expect, test } from 'vitest'
import { audit, plan, readTrace, renderTerminal } from '../../src/audit/index.js'
import { DivergenceLog } from '../../src/compat/index.js'
import { doctor } from '../../src/doctor/index.js'
import { recordPackets, recordProxy, recordWatch } from '../../src/record/index.js'
import { scan } from '../../src/scan/index.js'
import { Client, ClientPool } from '../../src/strict/index.js'
import {
  pickle,
  pylibmcEncoding,
  pymemcacheEncoding,
  pythonMemcachedEncoding,
  unpickle,
} from '../../src/values/index.js'

const trace = await readTrace('fixtures/applications/switched/cart.jsonl.gz')
const out = '/nowhere/trace.jsonl'
const bytes = Buffer.from('N.')

test.each<[name: string, call: (options: never) => unknown, options: object]>([
  ['unpickle', (o) => unpickle(bytes, o), { max_memory: 100 }],
  ['pickle', (o) => pickle(1, o), { Protocol: 2 }],
  ['pylibmcEncoding', (o) => pylibmcEncoding(o), { max_memory: 100 }],
  ['pythonMemcachedEncoding', (o) => pythonMemcachedEncoding(o), { pickle_protocol: 2 }],
  ['pymemcacheEncoding', (o) => pymemcacheEncoding(o), { min_compress_len: 2 }],
  ['ClientPool.reserve', (o) => new ClientPool().reserve(o), { Block: true }],
  ['DivergenceLog', (o) => new DivergenceLog(o), { record_keys: true }],
  ['audit', (o) => audit(trace, o), { server_version: '1.6.18' }],
  ['plan', (o) => plan(trace, o), { from: () => 0, to: () => 1, servers: 2, Hours: 2 }],
  ['recordPackets', (o) => recordPackets([], o), { out, Redact: true }],
  ['recordProxy', (o) => recordProxy(o), { out, routes: [], hash_keys: 'a long secret' }],
  ['recordWatch', (o) => recordWatch(o), { out, watched: [], max_bytes: 100_000 }],
  ['scan', (o) => scan(o), { servers: ['127.0.0.1:1'], max_values: 1 }],
  ['doctor', (o) => doctor(o), { servers: ['127.0.0.1:1'], Timeout: 1 }],
])('%s refuses an unknown option and guesses the right name', async (_name, call, options) => {
  await expect(async () => call(options as never)).rejects.toThrow(
    /unexpected option '.*'; it is called '.*' here/,
  )
})

test('renderTerminal refuses an unknown option', async () => {
  const report = await audit(trace, { threads: 1 })
  expect(() => renderTerminal(report, { columns: 80 } as never)).toThrow(
    /unexpected option 'columns'; there are width/,
  )
})

test('options that the clients pass on are still known', () => {
  const mc = new Client(['127.0.0.1:1'], { preserve: true, encoding: pylibmcEncoding({ pickleProtocol: 2 }) })
  mc.disconnectAll()
  expect(unpickle(pickle([1], { protocol: 2 }), { preserve: true, maxDepth: 10 })).toEqual([1])
})
