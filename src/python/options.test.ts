import { runInNewContext } from 'node:vm'
import { afterEach, expect, test } from 'vitest'
import { ownOptions } from './options.js'

const known = ['time', 'keyPrefix', 'minCompressLen', 'timeout']
const prototype = Object.prototype as Record<string, unknown>
afterEach(() => {
  delete prototype.time
})

test('known names are taken, from objects of every kind of literal', () => {
  const bare = Object.assign(Object.create(null), { time: 1 })
  for (const given of [{ time: 1 }, bare, runInNewContext('({ time: 1 })'), Object.freeze({ time: 1 })])
    expect(ownOptions(given, known).time).toBe(1)
  expect(ownOptions({}, known)).toEqual({})
})

test.each([
  ['ttl', 'time'],
  ['expires', 'time'],
  ['exptime', 'time'],
  ['key_prefix', 'keyPrefix'],
  ['prefix', 'keyPrefix'],
  ['KeyPrefix', 'keyPrefix'],
  ['min_compress_len', 'minCompressLen'],
])('%s: the error says that it is called %s', (name, right) => {
  expect(() => ownOptions({ [name]: 1 }, known)).toThrow(
    new TypeError(`unexpected option '${name}'; it is called '${right}' here`),
  )
})

test.each(['toString', 'constructor', 'hasOwnProperty', 'valueOf', 'nothing', ''])(
  '%j: the error names what there is',
  (name) => {
    const message = `unexpected option '${name}'; there are time, keyPrefix, minCompressLen, timeout`
    expect(() => ownOptions({ [name]: 1 }, known)).toThrow(new TypeError(message))
  },
)

test('symbols and __proto__ are unknown names', () => {
  expect(() => ownOptions({ [Symbol('s')]: 1 }, known)).toThrow(/unexpected option Symbol\(s\)/)
  expect(() => ownOptions(JSON.parse('{"__proto__": 1}'), known)).toThrow(/unexpected option '__proto__'/)
})

class Settings {
  time = 1
}
test.each([
  ['a date', new Date(), 'Date'],
  ['a list', [60], 'list'],
  ['a map', new Map(), 'Map'],
  ['bytes', Buffer.from('x'), 'bytes|Buffer'],
  ['an object of a class', new Settings(), 'Settings'],
  ['null', null, 'NoneType'],
  ['a number', 5, 'int'],
  ['text', 'x', 'str'],
  ['a function', () => 1, 'function'],
])('%s is refused by its type', (_, given, name) => {
  expect(() => ownOptions(given as object, known)).toThrow(
    new RegExp(`options must be a plain object, not (${name})`),
  )
  expect(() => ownOptions(given as object, known)).toThrow(TypeError)
})

test('nothing comes from Object.prototype', () => {
  prototype.time = 60
  expect(ownOptions<{ time?: number | undefined }>({}, known).time).toBeUndefined()
})
