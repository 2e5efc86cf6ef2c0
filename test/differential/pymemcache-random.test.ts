/**
 * Random sequences of calls on memshim/pymemcache and on the real pymemcache 4.0.0, on real servers of their own: every outcome is equal.
 * `MEMSHIM_SEQUENCES` (default 60) and `MEMSHIM_SEED` (default 1) choose how many, and which.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { sameOutcome } from '../../src/audit/compare/outcome.js'
import type { TypedJson } from '../../src/values/index.js'
import { startMemcached } from '../support/memcached.js'
import { construct, perform } from './pymemcache.js'

const python = process.env.MEMSHIM_PYTHON_PYMEMCACHE_400
const sequences = Number(process.env.MEMSHIM_SEQUENCES ?? 60)
const firstSeed = Number(process.env.MEMSHIM_SEED ?? 1)
const driver = join(import.meta.dirname, '..', '..', 'python', 'parity', 'driver.py')

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Keys that sequences store under. */
const KEYS = ['a', 'b', 'c', 'n', 'é']
const keys: TypedJson[] = ['a', 'b', 'c', { $bytes: 'a' }, 'a b', 'é', 'x'.repeat(251), 'n', 'n']
const values: TypedJson[] = [
  'text',
  '',
  'é',
  5,
  -3,
  true,
  null,
  { $bytes: 'raw' },
  [1, 'a'],
  { a: 1 },
  { $float: '1.5' },
  '10',
  { $int: String(2n ** 70n) },
]
const times: TypedJson[] = [0, 100, -1, { $float: '1.5' }, '5', true]
const deltas: TypedJson[] = [1, 2, 0, -1, '1', { $int: String(2n ** 64n) }]

interface Call {
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly kwargs: Readonly<Record<string, TypedJson>>
}

function sequence(next: () => number): Call[] {
  const one = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!
  const noreply = (): Record<string, TypedJson> =>
    one<Record<string, TypedJson>>([{}, { noreply: false }, { noreply: false }, { noreply: true }])
  return Array.from({ length: 3 + Math.floor(next() * 12) }, (): Call => {
    const call = one([
      'get',
      'get',
      'gets',
      'get_many',
      'set',
      'set',
      'set',
      'add',
      'replace',
      'append',
      'prepend',
      'cas',
      'delete',
      'incr',
      'decr',
      'touch',
      'set_many',
      'delete_many',
      'flush_all',
    ])
    const key = one(keys)
    switch (call) {
      case 'get':
        return { call, args: next() < 0.3 ? [key, 'default'] : [key], kwargs: {} }
      case 'gets':
        return { call, args: [key], kwargs: {} }
      case 'get_many':
        return { call, args: [['a', 'b', key]], kwargs: {} }
      case 'cas':
        return {
          call,
          args: [key, one(values), one<TypedJson>([1, 2, '3', { $bytes: '4' }, 'x', null])],
          kwargs: {},
        }
      case 'incr':
      case 'decr':
        return { call, args: [key, one(deltas)], kwargs: {} }
      case 'delete':
        return { call, args: [key], kwargs: noreply() }
      case 'touch':
        return { call, args: [key, one(times)], kwargs: noreply() }
      case 'set_many':
        return { call, args: [{ a: one(values), n: one(values) }], kwargs: noreply() }
      case 'delete_many':
        return { call, args: [['a', key]], kwargs: noreply() }
      case 'flush_all':
        return { call, args: [], kwargs: { noreply: false } }
      default:
        return { call, args: [key, one(values), ...(next() < 0.3 ? [one(times)] : [])], kwargs: noreply() }
    }
  })
}

const clients: readonly Readonly<Record<string, unknown>>[] = [
  { class: 'Client' },
  { class: 'Client', serde: { $named: 'pickle_serde' }, allow_unicode_keys: true },
  { class: 'Client', ignore_exc: true, default_noreply: false },
  { class: 'HashClient', serde: { $named: 'compressed_serde' }, default_noreply: false },
  { class: 'HashClient', ignore_exc: true },
  { class: 'PooledClient', key_prefix: { $bytes: 'p:' } },
]

it.runIf(python)(
  'random sequences have the outcomes of the real pymemcache',
  async () => {
    const theirs = await Promise.all([startMemcached(), startMemcached()])
    const ours = await Promise.all([startMemcached(), startMemcached()])
    const child = spawn(python!, [driver, 'pymemcache'], { stdio: ['pipe', 'pipe', 'ignore'] })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const ask = async (request: unknown) => {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      return JSON.parse((await lines.next()).value!)
    }
    try {
      await lines.next()
      for (let seed = firstSeed; seed < firstSeed + sequences; seed++) {
        const next = random(seed)
        const kwargs = clients[seed % clients.length]!
        const stage = { patience: 1, addresses: ours.map(({ address }) => address) }
        const client = construct(stage as never, kwargs, () => 1e9)
        await ask({ new: 'a', servers: theirs.map(({ address }) => address), kwargs })
        for (const key of KEYS) {
          const call = { call: 'delete', args: [key], kwargs: { noreply: false } }
          await ask({ client: 'a', ...call })
          await perform(client, call)
        }
        const done: unknown[] = []
        for (const call of sequence(next)) {
          const expected = await ask({ client: 'a', ...call })
          const got = await perform(client, call)
          done.push(call)
          const gets = call.call === 'gets' && 'result' in expected && 'result' in got
          const uniques = (one: { result?: unknown }) =>
            JSON.stringify(one.result).replace(/\{"\$bytes":"\d+"\}\]/, '0]')
          const same = gets
            ? uniques(expected) === uniques(got as { result?: unknown })
            : sameOutcome(expected, got)
          if (!same)
            expect(got, `seed ${seed}, ${JSON.stringify(kwargs)}: ${JSON.stringify(done.slice(-6))}`).toEqual(
              expected,
            )
        }
        // What nobody waited for has been worked on before the next client begins.
        for (const key of KEYS) {
          const last = { call: 'get', args: [key], kwargs: {} }
          await ask({ client: 'a', ...last })
          await perform(client, last)
        }
        await ask({ forget: 'a' })
        client.close!()
      }
    } finally {
      child.stdin.end()
      await once(child, 'close')
      await Promise.all([...theirs, ...ours].map((server) => server.stop()))
    }
  },
  600_000,
)
