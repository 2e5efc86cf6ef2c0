import { describe, expect, it } from 'vitest'
import type { Library } from '../../methods/python-signatures.js'
import { callOfWire } from './wire.js'

const memcache = (version: string): Library => ({ name: 'python-memcached', version })
const pylibmc: Library = { name: 'pylibmc', version: '1.6.3' }
const pymemcache: Library = { name: 'pymemcache', version: '4.0.0' }
const anyValue: unknown = expect.anything()
const event = (wire: string, reply?: string | null) =>
  ({
    kind: 'wire',
    line: 4,
    t: 1,
    client: 'c',
    wire,
    server: 0,
    ...(reply === undefined ? {} : { reply }),
  }) as const

describe('a captured command as a call', () => {
  // Command lines of docs/reference/python-memcached.md#16.1, flags of #9.1, results of #10.
  it.each([
    ['get k\r\n', 'END\r\n', 'get', ['k'], { result: null }],
    ['get k\r\n', 'VALUE k 16 1\r\nv\r\nEND\r\n', 'get', ['k'], { result: 'v' }],
    ['get a b\r\n', 'VALUE b 2 2\r\n17\r\nEND\r\n', 'get_multi', [['a', 'b']], { result: { b: 17 } }],
    ['set k 16 0 1 \r\nv\r\n', 'STORED\r\n', 'set', ['k', 'v', 0], { result: true }],
    ['set k 0 60 4 \r\na\r\nb\r\n', 'STORED\r\n', 'set', ['k', { $bytes: 'a\r\nb' }, 60], { result: true }],
    ['set k 1 0 2\r\nN.\r\n', 'STORED\r\n', 'set', ['k', null, 0], { result: true }],
    ['add k 2 -1 1 \r\n5\r\n', 'NOT_STORED\r\n', 'add', ['k', 5, -1], { result: false }],
    [
      'incr k 18446744073709551615\r\n',
      'NOT_FOUND\r\n',
      'incr',
      ['k', { $int: '18446744073709551615' }],
      { result: null },
    ],
    ['decr k 5\r\n', '3 \r\n', 'decr', ['k', 5], { result: 3 }],
    [
      'incr k 1\r\n',
      'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n',
      'incr',
      ['k', 1],
      { raises: { class: 'builtins.ValueError' } },
    ],
    ['delete k\r\n', 'NOT_FOUND\r\n', 'delete', ['k'], { result: 1 }],
    ['touch k 60\r\n', 'TOUCHED\r\n', 'touch', ['k', 60], { result: 1 }],
    ['flush_all\r\n', 'OK\r\n', 'flush_all', [], { result: null }],
    ['stats items\r\n', 'END\r\n', 'get_stats', ['items'], undefined],
  ])('%j', (wire, reply, call, args, outcome) => {
    const made = callOfWire(event(wire, reply), memcache('1.59'))
    expect(made).toMatchObject({ kind: 'call', line: 4, t: 1, client: 'c', call, args })
    expect('outcome' in made ? made.outcome : undefined).toEqual(outcome)
  })

  it('a missing delete is 0 from 1.62 on, and False in pylibmc', () => {
    expect(callOfWire(event('delete k\r\n', 'NOT_FOUND\r\n'), memcache('1.62'))).toMatchObject({
      outcome: { result: 0 },
    })
    expect(callOfWire(event('delete k\r\n', 'NOT_FOUND\r\n'), pylibmc)).toMatchObject({
      outcome: { result: false },
    })
  })

  // Command lines of docs/reference/pymemcache.md#14 and docs/reference/pylibmc.md#11; the signatures are those of src/rules/signatures.ts.
  it('a cas names its unique where the library takes it as an argument, and the time behind it', () => {
    const wire = 'cas k 0 60 1 42\r\nv\r\n'
    expect(callOfWire(event(wire), memcache('1.59'))).toMatchObject({ args: ['k', anyValue, 60] })
    expect(callOfWire(event(wire), pylibmc)).toMatchObject({ args: ['k', anyValue, 42, 60] })
    expect(callOfWire(event(wire), pymemcache)).toMatchObject({ args: ['k', anyValue, 42, 60] })
  })

  it('pylibmc has no argument noreply: it sends the word for a behavior', () => {
    expect(callOfWire(event('delete k noreply\r\n'), pylibmc)).toMatchObject({ kwargs: {} })
  })

  it.each([
    ['get k\r\n', 'VALUE k 16 1\r\nv\r\nEND\r\n', { call: 'get', outcome: { result: 'v' } }],
    ['set k 2 60 2\r\n17\r\n', 'STORED\r\n', { args: ['k', 17, 60], outcome: { result: true } }],
    ['set k 0 0 1 noreply\r\nv\r\n', undefined, { kwargs: { noreply: true } }],
    ['incr k 1\r\n', 'NOT_FOUND\r\n', { args: ['k', 1], outcome: { result: null } }],
    ['delete k\r\n', 'NOT_FOUND\r\n', { outcome: { result: false } }],
    ['touch k 5\r\n', 'TOUCHED\r\n', { outcome: { result: true } }],
    ['flush_all 0\r\n', 'OK\r\n', { outcome: { result: true } }],
    ['stats\r\n', 'END\r\n', { call: 'stats', args: [] }],
  ])('of pymemcache: %j', (wire, reply, made) => {
    expect(callOfWire(event(wire, reply), pymemcache)).toMatchObject(made)
  })

  it('keys that are not UTF-8 stay bytes, noreply becomes a keyword', () => {
    expect(callOfWire(event('get \xff\r\n'), memcache('1.59'))).toMatchObject({ args: [{ $bytes: '\xff' }] })
    expect(callOfWire(event('get \xc3\xa9\r\n'), memcache('1.59'))).toMatchObject({ args: ['é'] })
    expect(callOfWire(event('delete k noreply\r\n'), memcache('1.59'))).toMatchObject({
      kwargs: { noreply: true },
    })
  })

  it.each([
    ['watch fetchers\r\n', '"watch" is not a command'],
    ['set k 0 0 10\r\nshort\r\n', 'set with 7 of 10 bytes'],
    ['set k\r\n', 'malformed command line'],
    ['get\r\n', 'get without a key'],
    ['incr k many\r\n', '"many" is not a number'],
    ['set k 1 0 3\r\nxyz\r\n', 'set: '],
  ])('leaves out %j and says why', (wire, reason) => {
    const made = callOfWire(event(wire), memcache('1.59'))
    expect('skipped' in made ? made.skipped : '').toContain(reason)
  })

  it('an unanswered command has no recorded outcome', () => {
    expect(callOfWire(event('get k\r\n', null), memcache('1.59'))).not.toHaveProperty('outcome')
  })
})
