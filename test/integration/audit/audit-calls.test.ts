import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { invoke } from '../../../src/audit/methods/calls.js'
import type { Library } from '../../../src/audit/methods/python-signatures.js'
import { Client } from '../../../src/strict/index.js'
import { fromTypedJson, type TypedJson } from '../../../src/values/index.js'
import { startMemcached } from '../../support/memcached.js'

const pylibmc: Library = { name: 'pylibmc', version: '1.6.3' }
let memcached: Awaited<ReturnType<typeof startMemcached>>
let client: Client

beforeAll(async () => {
  memcached = await startMemcached()
  client = new Client([memcached.address], { behaviors: { cas: 1 }, preserve: true })
})
afterAll(async () => {
  client.disconnectAll()
  await memcached.stop()
})

const call = (name: string, args: TypedJson[] = [], kwargs: Record<string, TypedJson> = {}) =>
  invoke(client, pylibmc, {
    call: name,
    args: args.map(fromTypedJson),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key, fromTypedJson(value)])),
  })

describe('Python calls on the strict client and a real memcached', () => {
  // Results of docs/reference/pylibmc.md#4.2, #5.
  it.each<[string, TypedJson[], Record<string, TypedJson>, object]>([
    ['set', ['k', { a: { $tuple: [1, { $float: '1.0' }] } }], {}, { result: true }],
    ['get', ['k'], {}, { result: { a: { $tuple: [1, { $float: '1.0' }] } } }],
    ['get', ['none'], {}, { result: null }],
    ['get', ['none', 'default'], {}, { result: 'default' }],
    ['get', [{ $bytes: 'k' }], {}, { result: { a: { $tuple: [1, { $float: '1.0' }] } } }],
    ['get', [5], {}, { raises: { class: 'builtins.TypeError' } }],
    ['get', [], { key: 'k' }, { raises: { class: 'builtins.TypeError' } }],
    ['set', ['t', 1, { $float: '1.0' }], {}, { raises: { class: 'builtins.TypeError' } }],
    ['set', ['t', true], { time: 60 }, { result: true }],
    ['get', ['t'], {}, { result: 1 }],
    ['add', ['t', 2], {}, { result: false }],
    ['replace', ['none', 2], {}, { result: false }],
    ['set', ['x', 'b'], {}, { result: true }],
    ['append', ['x', 'c'], {}, { result: true }],
    ['prepend', ['x', 'a'], {}, { result: true }],
    ['get', ['x'], {}, { result: 'abc' }],
    ['set_multi', [{ a: 1, b: 2 }], { key_prefix: 'p:' }, { result: [] }],
    ['get_multi', [{ $tuple: ['a', 'b', 'c'] }], { key_prefix: 'p:' }, { result: { a: 1, b: 2 } }],
    ['get_multi', [{ a: 1 }], {}, { raises: { class: 'builtins.TypeError' } }],
    ['incr', ['p:a', 5], {}, { result: 6 }],
    ['incr', ['missing'], {}, { raises: { class: 'pylibmc.NotFound', retcode: 16 } }],
    ['delete', ['p:a'], {}, { result: true }],
    ['delete', ['p:a'], {}, { result: false }],
    ['delete', ['p:a', 0], {}, { raises: { class: 'builtins.TypeError' } }],
    ['delete_multi', [['a', 'b']], { key_prefix: 'p:' }, { result: false }],
    ['touch', ['x', 60], {}, { result: true }],
    ['disconnect_all', [], {}, { result: null }],
    ['hash', ['x'], {}, { result: 0 }],
    ['forget_dead_hosts', [], {}, { raises: { class: 'builtins.AttributeError' } }],
    ['flush_all', [], {}, { result: true }],
    ['get', ['x'], {}, { result: null }],
  ])('%s%j %j', async (name, args, kwargs, expected) => {
    expect(await call(name, args, kwargs)).toMatchObject(expected)
  })

  it('gets gives a tuple whose unique works once in cas', async () => {
    await call('set', ['c', 1])
    const got = (await call('gets', ['c'])) as { result: { $tuple: [TypedJson, TypedJson] } }
    expect(got.result.$tuple[0]).toBe(1)
    expect(await call('cas', ['c', 2, got.result.$tuple[1]])).toEqual({ result: true })
    expect(await call('cas', ['c', 3, got.result.$tuple[1]])).toEqual({ result: false })
    expect(await call('gets', ['none'])).toEqual({ result: { $tuple: [null, null] } })
  })
})
