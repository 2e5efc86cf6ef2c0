// Two copies of the built package in one process, as two versions of a dependency tree may bring them along: objects of one are
// recognised by the other.
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type * as memshim from '../../src/index.js'
import { EmbeddedServer } from '../../src/server/index.js'

const root = join(import.meta.dirname, '..', '..')
const directory = mkdtempSync(join(tmpdir(), 'memshim-copies-'))

async function copy(name: string): Promise<typeof memshim> {
  const home = join(directory, name)
  for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(home, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'))
  return import(pathToFileURL(join(home, 'dist', 'index.js')).href)
}

let here: typeof memshim
let there: typeof memshim
const servers = [new EmbeddedServer(), new EmbeddedServer()]

beforeAll(async () => {
  here = await copy('here')
  there = await copy('there')
  for (const server of servers) await server.start()
}, 60_000)
afterAll(async () => {
  for (const server of servers) await server.stop()
  rmSync(directory, { recursive: true })
})

/** A value of every class that stands for one of Python's, made by one of the copies. */
function valuesOf({ values: v }: typeof memshim): Record<string, unknown> {
  return {
    PyFloat: new v.PyFloat(1),
    PyTuple: new v.PyTuple([1, new v.PyFloat(2)]),
    PyFrozenSet: new v.PyFrozenSet(new Set([1])),
    PyByteArray: new v.PyByteArray(Buffer.from('abc')),
    PyComplex: new v.PyComplex(1, 2),
    PyGlobal: new v.PyGlobal('collections', 'OrderedDict'),
    PyOrderedDict: new v.PyOrderedDict([['a', 1]]),
    PyDecimal: new v.PyDecimal('1.50'),
    PyTimeDelta: new v.PyTimeDelta(1, 2, 3),
    PythonObject: v.unpickle(
      Buffer.from('ccopy_reg\n_reconstructor\n(cshop\nOrder\nc__builtin__\nobject\nNtRp0\n.'),
    ),
  }
}

describe('two copies in one process', () => {
  it('are two copies', () => {
    expect(there.values.PyTuple).not.toBe(here.values.PyTuple)
    expect(there.strict.Client).not.toBe(here.strict.Client)
  })

  it('write, describe and show values of the other as their own', () => {
    const [mine, others] = [valuesOf(here), valuesOf(there)]
    for (const [name, own] of Object.entries(mine)) {
      const other = others[name]
      expect(other, name).toBeInstanceOf((here.values as unknown as Record<string, new () => object>)[name]!)
      expect(here.values.pickle(other), name).toEqual(here.values.pickle(own))
      expect(here.values.toTypedJson(other), name).toEqual(here.values.toTypedJson(own))
      expect(inspect([other]), name).toBe(inspect([own]))
      expect(JSON.stringify(new here.values.PyTuple([other])), name).toBe(
        JSON.stringify(new here.values.PyTuple([own])),
      )
    }
  })

  it('store values of the other, and take tuples of the other for keys and servers', async () => {
    const mc = new here.compat.Client(
      servers.map(({ address }) => new there.values.PyTuple([address, 1]) as never),
    )
    for (const value of Object.values(valuesOf(there))) {
      expect(await mc.set('k', value)).toBe(true)
      expect(await mc.get('k')).not.toBeNull()
    }
    expect(await mc.set(new there.values.PyTuple([1, 'tuple']) as never, 5)).toBe(true)
    expect(await mc.get([1, 'tuple'])).toBe(5)
    mc.disconnectAll()
  })

  it('know the errors of the other', async () => {
    const mine = new here.compat.Client([servers[0]!.address])
    await expect(mine.get('a b')).rejects.toBeInstanceOf(there.compat.MemcachedKeyCharacterError)
    await expect(mine.get('a b')).rejects.toBeInstanceOf(there.compat.MemcachedKeyError)
    await expect(mine.get('a b')).rejects.not.toBeInstanceOf(there.compat.MemcachedKeyLengthError)
    const strict = new here.strict.Client([servers[0]!.address])
    await expect(strict.incr('missing')).rejects.toBeInstanceOf(there.strict.NotFound)
    expect(() => here.values.unpickle(Buffer.from('('))).toThrow(there.values.ValueDecodeError)
    mine.disconnectAll()
    strict.disconnectAll()
  })

  it('use clients of the other', async () => {
    const [oldServer, newServer] = servers as [EmbeddedServer, EmbeddedServer]
    const old = new there.strict.Client([oldServer.address], { behaviors: { cas: true } })
    const fresh = new there.strict.Client([newServer.address], { behaviors: { cas: true } })
    expect(old).toBeInstanceOf(here.strict.Client)
    expect(old).not.toBeInstanceOf(here.compat.Client)
    await old.set('moved', new there.values.PyTuple([1]))
    const migrating = new here.migration.MigratingClient({ old, new: fresh }, { phase: 'new-first' })
    expect(String(await migrating.get('moved'))).toBe('1')
    const pool = new here.strict.ClientPool(old, 1)
    expect(await pool.use((client) => client.get('moved'))).toEqual([1])
    pool.disconnectAll()
    for (const client of [old, fresh]) client.disconnectAll()
    expect(() => new here.migration.MigratingClient({ old: {} as never, new: fresh })).toThrow(TypeError)
  })
})

it('the classes of the package have the names under which it exports them', () => {
  for (const [room, exported] of Object.entries(here))
    for (const [name, value] of Object.entries(exported as Record<string, { readonly name: string }>))
      if (/^class\b/.test(String(value))) expect([room, name, value.name]).toEqual([room, name, name])
  const client = new here.strict.Client(['127.0.0.1:1'])
  expect(inspect(client)).toBe('Client {}')
})
