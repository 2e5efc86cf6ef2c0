/**
 * Servers that cannot be reached at all, UDP, and classes that override serialize, deserialize or other methods, as pylibmc had them
 * (fixtures/vectors/unreachable.json, udp.json and hooks.json).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Outcome, raised } from '../../src/audit/compare/outcome.js'
import { invoke } from '../../src/audit/methods/calls.js'
import { sendRaw } from '../../src/parity/stage.js'
import { KeyError, ValueError } from '../../src/python/errors.js'
import { EmbeddedServer } from '../../src/server/index.js'
import { CacheMiss, Client, Failure, type Key, NotSupportedError } from '../../src/strict/index.js'
import { fromTypedJson, PyTuple, type TypedJson, toTypedJson } from '../../src/values/index.js'
import { missingNamesAtOnce } from '../support/missing-names.js'
import { fixtures } from './support/recordings.js'

interface Said {
  readonly result?: TypedJson
  readonly raises?: {
    readonly class: string
    readonly retcode?: number | undefined
    readonly code?: number | undefined
  }
}
interface Unreachable extends Said {
  readonly about: string
  readonly server: string
  readonly binary: boolean
  readonly call: string
  readonly args: readonly TypedJson[]
  /** The same call twice more. */
  readonly again: readonly Said[]
}
interface Serialized extends Said {
  readonly returns: TypedJson
  readonly min_compress_len: number
  readonly read: Said
}
interface Deserialized extends Said {
  readonly about: string
  readonly flags: number
  readonly data: { readonly $bytes: string }
  readonly 'raises in hook': 'CacheMiss' | 'subclass' | 'ValueError' | null
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly seen: readonly { readonly $tuple: readonly [TypedJson, number] }[]
}

const cases = <T>(name: string): T =>
  JSON.parse(readFileSync(join(fixtures, 'vectors', `${name}.json`), 'utf8')).cases as T
const library = { name: 'pylibmc', version: '1.6.3' } as const

/** Of an exception what the vectors have of it. */
function reduced(outcome: Outcome | Said): Said {
  if (!('raises' in outcome) || !outcome.raises) return { result: (outcome as Said).result ?? null }
  const {
    class: name,
    retcode,
    ...more
  } = outcome.raises as {
    class: string
    retcode?: number | undefined
    message?: string
    code?: number | undefined
  }
  const code = more.code ?? /^error (\d+) /.exec(more.message ?? '')?.[1]
  return {
    raises: {
      class: name,
      ...(retcode === undefined ? {} : { retcode }),
      ...(code === undefined ? {} : { code: Number(code) }),
    },
  }
}

describe('servers that cannot be reached', () => {
  beforeAll(missingNamesAtOnce)
  afterAll(() => vi.restoreAllMocks())

  it.each(cases<Unreachable[]>('unreachable'))('$about, binary $binary: $call $args', async (row) => {
    const mc = new Client([row.server], {
      binary: row.binary,
      behaviors: { cas: 1, connect_timeout: 20_000, _poll_timeout: 20_000 },
    })
    const args = row.args.map((value) => fromTypedJson(value))
    for (const said of [row, ...row.again]) {
      const outcome = await invoke(mc, library, { call: row.call, args, kwargs: {} })
      expect(reduced(outcome)).toEqual(reduced(said))
    }
    mc.disconnectAll()
  })
})

describe('UDP', () => {
  const rows = cases<readonly (Said & { readonly call: string; readonly username?: string })[]>('udp')
  const readings = new Set(['get', 'gets', 'get_multi', 'get_stats', 'touch'])

  it('is write-only for pylibmc, unconfirmed, and not to be had with SASL', () => {
    for (const { call, username, raises } of rows) {
      if (username !== undefined) {
        if (call === 'set')
          expect(raises).toMatchObject({ class: 'pylibmc.InvalidHostProtocolError', retcode: 34 })
      } else if (!readings.has(call)) expect(raises).toBeUndefined()
      else expect(raises).toMatchObject({ class: 'pylibmc.NotSupportedError', retcode: 28 })
    }
  })

  it.each([['udp:h'], ['udp:h:5'], ['udp:[::1]:5:2'], [[2, 'h', 11211]]])(
    'is refused when the client is made: %j',
    (server) => {
      const refusal = { constructor: NotSupportedError, retcode: 28 }
      expect(caught(() => new Client([server as string]))).toMatchObject(refusal)
    },
  )
})

function caught(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

interface Overridden extends Said {
  readonly binary: boolean
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly kwargs: Readonly<Record<string, TypedJson>>
  /** Name and arguments of each overridden method that was called. */
  readonly calls: readonly (readonly [name: string, args: readonly TypedJson[]])[]
}
interface Answered extends Said {
  readonly answer: boolean | number | string | null
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly asked: readonly TypedJson[]
}

const hooks = cases<{
  serialize: Serialized[]
  deserialize: Deserialized[]
  overridden: Overridden[]
  answered: Answered[]
  'delete assigned later': boolean
}>('hooks')
/** JavaScript's array is list and tuple, its Uint8Array bytes and bytearray, and its booleans are not numbers. */
const pythonOnly = ({ returns }: Serialized): boolean =>
  Array.isArray(returns) || /bytearray|true/.test(JSON.stringify(returns))

function plain(value: TypedJson): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { $tuple, $bytes, $float } = value as { $tuple?: TypedJson[]; $bytes?: string; $float?: string }
  if ($tuple) return $tuple.map(plain)
  return $bytes === undefined ? Number($float) : Buffer.from($bytes, 'latin1')
}

describe('serialize', () => {
  let server: EmbeddedServer
  beforeAll(async () => {
    server = await new EmbeddedServer().start()
  })
  afterAll(() => server.stop())

  it.each(hooks.serialize.filter((row) => !pythonOnly(row)))(
    'returns $returns, min_compress_len $min_compress_len',
    async (row) => {
      class Custom extends Client {
        override serialize(): never {
          return plain(row.returns) as never
        }
      }
      class Seeing extends Client {
        override deserialize(data: Buffer, flags: number): unknown {
          return new PyTuple([data, flags])
        }
      }
      const writer = new Custom([server.address])
      const reader = new Seeing([server.address])
      await reader.delete('k')
      const said = await invoke(writer, library, {
        call: 'set',
        args: ['k', 'anything', 0, row.min_compress_len],
        kwargs: {},
      })
      expect(reduced(said)).toEqual(reduced(row))
      const read = await reader
        .getMulti(['k'])
        .then((found): Outcome => ({ result: found.has('k') ? toTypedJson(found.get('k')) : null }), raised)
      const { result = null } = row.read
      expect(reduced(read)).toEqual(reduced({ ...row.read, result: toTypedJson(fromTypedJson(result)) }))
      writer.disconnectAll()
      reader.disconnectAll()
    },
  )
})

describe('deserialize', () => {
  let server: EmbeddedServer
  beforeAll(async () => {
    server = await new EmbeddedServer().start()
  })
  afterAll(() => server.stop())

  it.each(hooks.deserialize)('$about, raising $raises in hook: $call $args', async (row) => {
    const seen: [string, number][] = []
    class Stale extends CacheMiss {}
    class Custom extends Client {
      override deserialize(data: Buffer, flags: number): unknown {
        seen.push([data.toString('latin1'), flags])
        if (row['raises in hook'] === 'CacheMiss') throw new CacheMiss('stale')
        if (row['raises in hook'] === 'subclass') throw new Stale('stale')
        if (row['raises in hook'] === 'ValueError') throw new ValueError('bad')
        return 'value'
      }
    }
    const { $bytes: data } = row.data
    await sendRaw(server.port, `set k ${row.flags} 0 ${data.length}\r\n${data}\r\n`)
    const mc = new Custom([server.address], { behaviors: { cas: 1 } })
    const outcome = await invoke(mc, library, {
      call: row.call,
      args: row.args.map((value) => fromTypedJson(value)),
      kwargs: {},
    })
    mc.disconnectAll()
    const found = reduced(outcome)
    // The CAS unique counts on.
    const pair = row.call === 'gets' && (found.result as { $tuple?: TypedJson[] } | null)?.$tuple
    expect(pair ? { result: { $tuple: [pair[0]] } } : found).toEqual(reduced(row))
    // Where Python sees None in the place of no bytes, JavaScript sees no bytes.
    expect(seen).toEqual(
      row.seen.map(({ $tuple: [bytes, flags] }) => [
        (bytes as { $bytes: string } | null)?.$bytes ?? '',
        flags,
      ]),
    )
  })
})

/** pylibmc's methods that a subclass may override, by our names. */
const overridable: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'get gets set add replace append prepend cas delete touch incr decr hash clone'
      .split(' ')
      .map((name) => [name, name]),
  ),
  get_multi: 'getMulti',
  set_multi: 'setMulti',
  add_multi: 'addMulti',
  delete_multi: 'deleteMulti',
  incr_multi: 'incrMulti',
  flush_all: 'flushAll',
  get_stats: 'getStats',
  disconnect_all: 'disconnectAll',
  get_behaviors: 'getBehaviors',
  set_behaviors: 'setBehaviors',
  __getitem__: 'getItem',
  __setitem__: 'setItem',
  __delitem__: 'deleteItem',
  __contains__: 'has',
}

type AnyMethod = (this: Client, ...args: unknown[]) => unknown
const methodsOf = (Class: typeof Client) => Class.prototype as unknown as Record<string, AnyMethod>

describe('overridden methods', () => {
  let server: EmbeddedServer
  beforeAll(async () => {
    server = await new EmbeddedServer().start()
  })
  afterAll(() => server.stop())

  it('there are rows for every method', () => {
    for (const name of Object.keys(overridable).filter((name) => !/cas|get_stats/.test(name)))
      expect(
        hooks.overridden.some(({ call }) => call === name),
        name,
      ).toBe(true)
  })

  it.each(hooks.overridden)('binary $binary: what $call $args $kwargs calls', async (row) => {
    const plainClient = new Client([server.address])
    await plainClient.setMulti({ k: 1, m: 2, pk: 3 })
    await plainClient.deleteMulti(['none', 'x'])
    const calls: [name: string, args: TypedJson[]][] = []
    class Telling extends Client {}
    for (const [python, name] of Object.entries(overridable)) {
      // The method that is asked is the base's own.
      if (python === row.call) continue
      const base = methodsOf(Client)[name]!
      methodsOf(Telling)[name] = function (...args) {
        calls.push([python, args.map((arg) => (typeof arg === 'symbol' ? '$missing' : toTypedJson(arg)))])
        return base.apply(this, args)
      }
    }
    const mc = new Telling([server.address], { binary: row.binary, behaviors: { cas: 1 } })
    const outcome = await invoke(mc, library, {
      call: row.call,
      args: row.args.map((value) => fromTypedJson(value)),
      kwargs: Object.fromEntries(
        Object.entries(row.kwargs).map(([name, value]) => [name, fromTypedJson(value)]),
      ),
    })
    expect(calls).toEqual(row.calls)
    mc.disconnectAll()
    plainClient.disconnectAll()
    if ('result' in row || 'raises' in row) expect(reduced(outcome)).toEqual(reduced(row))
  })

  it.each(hooks.answered)('answering $answer to $call $args', async (row) => {
    const asked: TypedJson[] = []
    const answering = (key: unknown): never => {
      asked.push(toTypedJson(key))
      if (row.answer === 'Failure') throw new Failure('said so')
      if (row.answer === 'KeyError') throw new KeyError(String(key))
      return row.answer as never
    }
    class Answering extends Client {
      override async delete(key: Key): Promise<boolean> {
        return answering(key)
      }
      override async set(key: Key): Promise<boolean> {
        return answering(key)
      }
    }
    const mc = new Answering([server.address])
    const outcome = await invoke(mc, library, {
      call: row.call,
      args: row.args.map((value) => fromTypedJson(value)),
      kwargs: {},
    })
    expect(reduced(outcome)).toEqual(reduced(row))
    expect(asked).toEqual(row.asked)
  })

  it('a delete that is assigned to the object counts too', async () => {
    const mc = new Client([server.address])
    mc.delete = async () => true
    expect(await mc.deleteMulti(['nowhere'])).toBe(hooks['delete assigned later'])
  })
})
