/**
 * Replies that no server gives to the request, which bring pylibmc down or pass for the answer, and are refused here; and a real
 * memcached at its connection limit (fixtures/vectors/misplaced-replies.json and connection-limit.json).
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/audit/compare/outcome.js'
import { invoke } from '../../src/audit/methods/calls.js'
import { Client } from '../../src/strict/index.js'
import { fromTypedJson, type TypedJson } from '../../src/values/index.js'
import { answering, stopAnswering } from '../support/answering.js'
import { type Memcached, memcachedBinary, startMemcached } from '../support/memcached.js'
import { fixtures } from './support/recordings.js'

interface Said {
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly result?: TypedJson
  readonly raises?: { readonly class: string; readonly retcode?: number | undefined }
  readonly 'process ends by'?: string
}
interface Misplaced {
  readonly text: readonly (Said & { readonly line: string })[]
  readonly binary: readonly (Said & { readonly other: 'opaque' | 'opcode' | 'key' })[]
}
interface Limit {
  readonly says: string
  readonly calls: readonly (Said & { readonly binary: boolean })[]
}

const cases = <T>(name: string): T =>
  JSON.parse(readFileSync(join(fixtures, 'vectors', `${name}.json`), 'utf8')).cases as T
const library = { name: 'pylibmc', version: '1.6.3' } as const

afterAll(stopAnswering)

function ask(mc: Client, { call, args }: Said): Promise<Outcome> {
  return invoke(mc, library, { call, args: args.map((value) => fromTypedJson(value)), kwargs: {} })
}

/** Nothing of such a reply is taken for the answer: a miss, or UnknownReadFailure. */
function expectRefused(outcome: Outcome, { call }: Said): void {
  const misses: Readonly<Record<string, TypedJson>> = {
    get: null,
    gets: { $tuple: [null, null] },
    get_multi: {},
  }
  if (call in misses) expect(outcome).toEqual({ result: misses[call] })
  else expect(outcome).toMatchObject({ raises: { class: 'pylibmc.UnknownReadFailure', retcode: 7 } })
}

const misplaced = cases<Misplaced>('misplaced-replies')

describe('replies that no server gives', () => {
  it.each(misplaced.text)('$line to $call', async (row) => {
    const { address, seen } = await answering(() => Buffer.from(`${row.line}\r\n`))
    const mc = new Client([address], { behaviors: { cas: 1, _poll_timeout: 2000 } })
    // An empty value, 2^64 - 1, or no process any more.
    expect(row['process ends by'] ?? row.result).toBeDefined()
    expectRefused(await ask(mc, row), row)
    expectRefused(await ask(mc, row), row)
    expect(seen.connections).toBe(2)
    mc.disconnectAll()
  })

  it.each(misplaced.binary)('binary: another $other to $call', async (row) => {
    const { address, seen } = await answering((request) => binaryReply(request, row.other))
    const mc = new Client([address], { binary: true, behaviors: { cas: 1, _poll_timeout: 2000 } })
    const outcome = await ask(mc, row)
    if (row.other === 'key' && row.call !== 'get') {
      // No key belongs there, and none is looked for.
      mc.disconnectAll()
      return
    }
    expectRefused(outcome, row)
    await ask(mc, row)
    expect(seen.connections).toBe(2)
    mc.disconnectAll()
  })
})

/** The right reply but for one field, as fixtures/record/failures/pylibmc_replies.py makes it. */
function binaryReply(request: Buffer, other: 'opaque' | 'opcode' | 'key'): Buffer {
  const GETK = 0x0c
  const INCREMENT = 0x05
  const VERBOSITY = 0x08
  const opcode = request[1]!
  const keyStart = 24 + request[4]!
  const own = opcode === GETK ? request.subarray(keyStart, keyStart + request.readUInt16BE(2)) : Buffer.of()
  const key = other === 'key' ? Buffer.from('other') : own
  const extras = Buffer.alloc(opcode === GETK ? 4 : 0)
  const counted = Buffer.from([0, 0, 0, 0, 0, 0, 0, 5])
  const value = opcode === GETK ? Buffer.from('x') : opcode === INCREMENT ? counted : Buffer.of()
  const header = Buffer.alloc(24)
  header[0] = 0x81
  header[1] = other === 'opcode' ? VERBOSITY : opcode
  header.writeUInt16BE(key.length, 2)
  header[4] = extras.length
  header.writeUInt32BE(key.length + extras.length + value.length, 8)
  header.writeUInt32BE((request.readUInt32BE(12) ^ (other === 'opaque' ? 0xffffffff : 0)) >>> 0, 12)
  header.writeBigUInt64BE(7n, 16)
  return Buffer.concat([header, extras, key, value])
}

/** What a server answers, or says before it closes; nothing where the reset behind its words is met first. */
function firstWords(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('data', (said) => resolve(said.toString()))
    socket.on('error', () => {})
    socket.on('close', () => resolve(''))
    socket.write('version\r\n')
  })
}

/** What a reset is to each method (recordings faults/*-reset). */
const isReset = (outcome: Outcome): boolean =>
  'raises' in outcome
    ? /ConnectionError|SomeErrors|WriteError|Failure/.test(outcome.raises.class)
    : JSON.stringify(outcome.result) === '{}'

describe.skipIf(memcachedBinary() === undefined)('a server at its connection limit', () => {
  const limit = cases<Limit>('connection-limit')
  let memcached: Memcached
  const held: Socket[] = []
  let refusal = ''

  beforeAll(async () => {
    memcached = await startMemcached({ args: ['-c', '16', '-t', '1'] })
    while (refusal === '') {
      const socket = connect(memcached.port, memcached.host)
      const said = await firstWords(socket)
      if (said.startsWith('VERSION')) held.push(socket)
      else refusal = said
    }
  })
  afterAll(async () => {
    for (const socket of held) socket.destroy()
    await memcached.stop()
  })

  it('says so to the one too many', () => {
    expect(refusal).toBe(limit.says)
  })

  it.each(limit.calls)('$call, binary $binary', async (row) => {
    const client = (address: string) =>
      new Client([address], { binary: row.binary, behaviors: { cas: 1, _poll_timeout: 2000 } })
    const { class: name, retcode } = row.raises ?? {}
    const recorded = name
      ? { raises: { class: name, ...(retcode === undefined ? {} : { retcode }) } }
      : { result: row.result ?? null }
    const { address } = await answering(() => Buffer.from(limit.says), true)
    const replayed = client(address)
    expect(await ask(replayed, row)).toMatchObject(recorded)
    replayed.disconnectAll()
    // memcached closes without reading the request: whether its words or the reset behind them are met first is a race.
    const live = client(memcached.address)
    const outcome = await ask(live, row)
    if (!isReset(outcome)) expect(outcome).toMatchObject(recorded)
    live.disconnectAll()
  })

  it('serves again when a connection is given back', async () => {
    const mc = new Client([memcached.address], { behaviors: { _poll_timeout: 2000 } })
    await expect(mc.set('k', 1)).rejects.toThrow()
    held.pop()!.destroy()
    await expect.poll(() => mc.set('k', 1).catch(() => false)).toBe(true)
    mc.disconnectAll()
  })
})
