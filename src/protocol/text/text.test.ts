import { describe, expect, test } from 'vitest'
import { pylibmcDialect, pythonMemcachedDialect } from '../dialects.js'
import { arithmetic, flushAll, type Request, remove, retrieval, stats, store, touch } from '../requests.js'
import { checkText, encodeText } from './text.js'

function bytes(request: Request): string {
  let sent = ''
  checkText(request)
  encodeText(request, {
    text: (text) => {
      sent += text
    },
    data: (data) => {
      sent += Buffer.from(data).toString('latin1')
    },
  })
  return sent
}
const item = { key: 'a', flags: 16, exptime: 0, data: Buffer.from('v') } as const

describe('pylibmc (docs/reference/pylibmc.md#11.1)', () => {
  test.each([
    ['get a\r\n', retrieval('get', ['a'])],
    ['gets a\r\n', retrieval('gets', ['a'])],
    ['get x y zz\r\n', retrieval('get', ['x', 'y', 'zz'])],
    ['set a 16 0 1\r\nv\r\n', store({ verb: 'set', ...item }, pylibmcDialect)],
    [
      'cas a 4 0 1 40\r\n2\r\n',
      store(
        { verb: 'cas', key: 'a', flags: 4, exptime: 0, data: Buffer.from('2'), cas: 40n },
        pylibmcDialect,
      ),
    ],
    [
      'set a 4 0 1 noreply\r\n1\r\n',
      store(
        { verb: 'set', key: 'a', flags: 4, exptime: 0, data: Buffer.from('1'), noreply: true },
        pylibmcDialect,
      ),
    ],
    ['incr n 1\r\n', arithmetic('incr', 'n', '1')],
    ['decr n 3\r\n', arithmetic('decr', 'n', '3')],
    ['incr a 1 noreply\r\n', arithmetic('incr', 'a', '1', true)],
    ['delete a\r\n', remove('a')],
    ['delete a noreply\r\n', remove('a', { noreply: true })],
    ['touch n 60\r\n', touch('n', '60')],
    ['flush_all \r\n', flushAll(pylibmcDialect)],
    ['flush_all 5\r\n', flushAll(pylibmcDialect, 5n)],
    ['flush_all  noreply\r\n', flushAll(pylibmcDialect, undefined, true)],
    ['stats \r\n', stats(pylibmcDialect)],
    ['stats items\r\n', stats(pylibmcDialect, 'items')],
  ])('%j', (wire, request) => {
    expect(bytes(request)).toBe(wire)
  })
})

describe('python-memcached (docs/reference/python-memcached.md#16.1)', () => {
  test.each([
    ['set k 16 0 1 \r\nv\r\n', store({ verb: 'set', ...item, key: 'k' }, pythonMemcachedDialect)],
    [
      'set k 16 0 1 noreply \r\nv\r\n',
      store({ verb: 'set', ...item, key: 'k', noreply: true }, pythonMemcachedDialect),
    ],
    [
      'cas k 16 0 1 120 \r\nv\r\n',
      store({ verb: 'cas', ...item, key: 'k', cas: 120n }, pythonMemcachedDialect),
    ],
    [
      'cas k 16 0 1 120 noreply \r\nv\r\n',
      store({ verb: 'cas', ...item, key: 'k', cas: 120n, noreply: true }, pythonMemcachedDialect),
    ],
    ['delete a \r\n', remove('a', { tail: ' ' })],
    ['delete a 0 \r\n', remove('a', { time: '0', tail: ' ' })],
    ['delete a noreply \r\n', remove('a', { noreply: true, tail: ' ' })],
    ['touch k 60 noreply\r\n', touch('k', '60', true)],
    ['flush_all\r\n', flushAll(pythonMemcachedDialect)],
    ['stats\r\n', stats(pythonMemcachedDialect)],
  ])('%j', (wire, request) => {
    expect(bytes(request)).toBe(wire)
  })
})

describe('nothing breaks out of its place in a command line', () => {
  test.each(['', 'a b', 'a\r\nset x 0 0 1\r\ny', 'a\n', 'a\0', 'k'.repeat(251)])('key %j', (key) => {
    expect(() => bytes(retrieval('get', [key]))).toThrow(RangeError)
    expect(() => bytes(store({ verb: 'set', ...item, key }, pylibmcDialect))).toThrow(RangeError)
    expect(() => bytes(remove(key))).toThrow(RangeError)
    expect(() => bytes(touch(key, '1'))).toThrow(RangeError)
    expect(() => bytes(arithmetic('incr', key, '1'))).toThrow(RangeError)
  })
  test('numbers', () => {
    expect(() => bytes(arithmetic('incr', 'k', '1\r\nflush_all'))).toThrow(RangeError)
    expect(() => bytes(touch('k', '1 noreply'))).toThrow(RangeError)
    expect(() => bytes(remove('k', { time: '0 x noreply ' }))).toThrow(RangeError)
    expect(() => bytes(remove('k', { time: '0\r\nflush_all' }))).toThrow(RangeError)
    // One line with too many words, which the server answers with one line.
    expect(bytes(remove('k', { time: '<app.Thing object>' }))).toBe('delete k <app.Thing object>\r\n')
    expect(() => bytes(stats(pylibmcDialect, 'items\r\nflush_all'))).toThrow(RangeError)
  })
})
