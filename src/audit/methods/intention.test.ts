import { describe, expect, it } from 'vitest'
import { translate } from './intention.js'
import { bind, type Library } from './python-signatures.js'

const memcache: Library = { name: 'python-memcached', version: '1.59' }
const pylibmc: Library = { name: 'pylibmc', version: '1.6.3' }
const noTokens = { get: () => undefined }

function toPylibmc(
  call: string,
  args: unknown[] = [],
  kwargs: Record<string, unknown> = {},
  tokens: { get(key: unknown): bigint | undefined } = noTokens,
) {
  const words = { call, args, kwargs }
  return translate(memcache, pylibmc, words, bind(memcache, words), tokens)
}

describe('a python-memcached call in the words of pylibmc', () => {
  it.each([
    ['get', ['k'], {}, { args: ['k'], kwargs: {} }],
    ['get_multi', [['a', 'b']], {}, { args: [['a', 'b']], kwargs: {} }],
    ['get_multi', [['a']], { key_prefix: '' }, { args: [['a']], kwargs: {} }],
    ['get_multi', [['a'], 'p:'], {}, { args: [['a']], kwargs: { key_prefix: 'p:' } }],
    ['set', ['k', 1, 60, 100], {}, { args: ['k', 1], kwargs: { time: 60, min_compress_len: 100 } }],
    ['set', [], { key: 'k', val: 1 }, { args: ['k', 1], kwargs: {} }],
    ['set_multi', [{ a: 1 }, 5, 'p'], {}, { args: [{ a: 1 }], kwargs: { time: 5, key_prefix: 'p' } }],
    ['incr', ['k'], {}, { args: ['k'], kwargs: {} }],
    ['incr', ['k'], { delta: 3 }, { args: ['k', 3], kwargs: {} }],
    ['touch', ['k'], {}, { args: ['k', 0], kwargs: {} }],
    ['touch', ['k', 9], {}, { args: ['k', 9], kwargs: {} }],
    ['delete', ['k'], {}, { args: ['k'], kwargs: {} }],
    ['delete', ['k', 0], {}, { args: ['k'], kwargs: {} }],
    ['get_stats', [], {}, { args: [], kwargs: {} }],
    ['get_stats', ['items'], {}, { args: ['items'], kwargs: {} }],
    ['disconnect_all', [], {}, { args: [], kwargs: {} }],
  ] as const)('%s%j %j', (call, args, kwargs, expected) => {
    const { call: words, gaps } = toPylibmc(call, [...args], kwargs)
    expect(words).toEqual({ call, ...expected })
    expect(gaps).toEqual([])
    expect(() => bind(pylibmc, words)).not.toThrow()
  })

  it('what pylibmc cannot say is left out and named', () => {
    expect(toPylibmc('set', ['k', 1], { noreply: true }).gaps).toMatchObject([
      { kind: 'argument', name: 'noreply' },
    ])
    expect(toPylibmc('set', ['k', 1], { noreply: false }).gaps).toEqual([])
    expect(toPylibmc('delete', ['k', 5])).toMatchObject({ call: { args: ['k'] }, gaps: [{ name: 'time' }] })
    const forget = toPylibmc('forget_dead_hosts')
    expect(forget.gaps).toMatchObject([{ kind: 'method', name: 'forget_dead_hosts' }])
    expect(() => bind(pylibmc, forget.call)).toThrow("no attribute 'forget_dead_hosts'")
  })

  it('cas takes the unique that gets returned in this replay; without one pylibmc has nothing to say', () => {
    const { call } = toPylibmc('cas', ['k', 2], {}, { get: (key) => (key === 'k' ? 42n : undefined) })
    expect(bind(pylibmc, call)).toEqual({ key: 'k', val: 2, cas: 42n })
    expect(() => bind(pylibmc, toPylibmc('cas', ['other', 2]).call)).toThrow(
      "missing required argument: 'cas'",
    )
  })

  it('a call of the same library stays as it is', () => {
    const words = { call: 'set', args: ['k', 1], kwargs: { time: 2 } }
    expect(translate(pylibmc, pylibmc, words, bind(pylibmc, words), noTokens).call).toBe(words)
  })
})

describe('a pylibmc call in the words of python-memcached', () => {
  it.each([
    [
      { call: 'cas', args: ['k', 1, 5], kwargs: {} },
      { key: 'k', val: 1 },
    ],
    [
      { call: 'set_multi', args: [{ a: 1 }], kwargs: { key_prefix: 'p' } },
      { mapping: { a: 1 }, key_prefix: 'p' },
    ],
    [
      { call: 'touch', args: ['k', 5], kwargs: {} },
      { key: 'k', time: 5 },
    ],
  ])('%j', (words, expected) => {
    const { call } = translate(pylibmc, memcache, words, bind(pylibmc, words), noTokens)
    expect(bind(memcache, call)).toEqual(expected)
  })
})
