import { describe, expect, test } from 'vitest'
import { pylibmcDialect } from '../dialects.js'
import { arithmetic, flushAll, type Request, remove, retrieval, store, touch } from '../requests.js'
import { inWriteOrder } from './write-order.js'

const get = (key: string, verb: 'get' | 'gets' = 'get') => retrieval(verb, [key])
const set = (key: string) => store({ verb: 'set', key, flags: 0, exptime: 0, data: 'v' }, pylibmcDialect)

function ordered(...requests: (Request | { request: Request; settledEarly: boolean })[]): string[] {
  const pending = requests.map((each) => ('kind' in each ? { request: each } : each))
  return inWriteOrder(pending).map(({ request }) => {
    if (request.kind === 'retrieval') return `get ${request.keys.join(' ')}`
    return `${request.kind}${'key' in request ? ` ${request.key}` : ''}`
  })
}

describe('the order of the requests of one write', () => {
  test('a get leaves before commands of other keys', () => {
    expect(ordered(get('a'), set('b'), get('c'), set('d'), get('e'))).toEqual([
      'get a',
      'get c',
      'get e',
      'store b',
      'store d',
    ])
    expect(
      ordered(arithmetic('incr', 'a', '1'), remove('b'), touch('c', '0'), get('d'), get('e', 'gets')),
    ).toEqual(['get d', 'get e', 'arithmetic a', 'delete b', 'touch c'])
  })

  test('a get follows the commands of its own key, and so do later gets', () => {
    expect(ordered(get('a'), set('b'), get('b'), get('c'), set('c'), get('a'), get('c'))).toEqual([
      'get a',
      'store b',
      'get b',
      'get c',
      'get a',
      'store c',
      'get c',
    ])
  })

  test('nothing overtakes a request of all keys or of several', () => {
    const flush = flushAll(pylibmcDialect)
    expect(ordered(set('a'), flush, get('b'))).toEqual(['store a', 'flush_all', 'get b'])
    expect(ordered(set('a'), retrieval('get', ['a', 'b']), get('c'))).toEqual(['store a', 'get a b', 'get c'])
  })

  test('nothing overtakes a command whose caller has its result already', () => {
    const buffered = { request: set('a'), settledEarly: true }
    expect(ordered(buffered, set('b'), get('c'))).toEqual(['store a', 'get c', 'store b'])
    expect(ordered(set('b'), buffered, get('c'))).toEqual(['store b', 'store a', 'get c'])
  })

  test('requests that are in this order already are passed on as they are', () => {
    for (const requests of [[], [get('a'), get('b')], [set('a'), set('b')], [get('a'), set('b'), set('a')]]) {
      const pending = requests.map((request) => ({ request }))
      expect(inWriteOrder(pending)).toBe(pending)
    }
  })
})
