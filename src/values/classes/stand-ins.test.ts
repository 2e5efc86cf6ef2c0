/** Tuples, frozensets and bytearrays that are read as plain values. That Python gets back what it wrote is in test/differential/values. */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { withObjects } from '../../adapters/objects.js'
import { describe as shown } from '../describe.js'
import { pylibmcEncoding } from '../encodings/pylibmc.js'
import { pymemcacheEncoding } from '../encodings/pymemcache.js'
import { pythonMemcachedEncoding } from '../encodings/python-memcached.js'
import { unpickle } from '../pickle/read/reader.js'
import { pickleByPython2 } from '../pickle/write/python2.js'
import { pickle } from '../pickle/write/writer.js'
import { toTypedJson } from '../typed-json.js'
import { PyByteArray, PyFrozenSet, PyTuple } from './built-ins.js'
import { isStandIn, standIn } from './stand-ins.js'

const tuple = new PyTuple([1, 'a'])
const frozenset = new PyFrozenSet(new Set([1]))
const bytearray = new PyByteArray(Buffer.from('ab'))
const read = <T>(value: unknown) => unpickle(pickle(value)) as T

describe('plain values read from a tuple, a frozenset and a bytearray', () => {
  it('are ordinary Arrays, Sets and Buffers', () => {
    const array = read<unknown[]>(tuple)
    expect(Object.getPrototypeOf(array)).toBe(Array.prototype)
    expect(array).toStrictEqual([1, 'a'])
    expect(Reflect.ownKeys(array)).toEqual(['0', '1', 'length'])
    expect(inspect([array, read(frozenset), read(bytearray)])).toBe(
      "[ [ 1, 'a' ], Set(1) { 1 }, <Buffer 61 62> ]",
    )
    array.push(3)
    expect(JSON.stringify(array)).toBe('[1,"a",3]')
    expect(structuredClone(array)).toEqual([1, 'a', 3])
  })

  it.each([
    ['tuple', tuple],
    ['frozenset', frozenset],
    ['bytearray', bytearray],
    ['tuple in a list', [tuple]],
    ['empty tuple', new PyTuple([])],
  ])('%s: written as what they were, in every encoding', (_, value) => {
    for (const protocol of [0, 1, 2, 3, 4, 5])
      expect(pickle(read(value), { protocol })).toEqual(pickle(value, { protocol }))
    for (const module of ['cPickle', 'pickle'] as const)
      expect(pickleByPython2(module, read(value))).toEqual(pickleByPython2(module, value))
    for (const encoding of [pylibmcEncoding(), pythonMemcachedEncoding(), pymemcacheEncoding()])
      expect(encoding.encode(read(value))).toEqual(encoding.encode(value))
    expect(toTypedJson(read(value))).toEqual(toTypedJson(value))
    expect(shown(read(value))).toBe(shown(value))
  })

  it('may be changed: a longer tuple is a tuple', () => {
    const array = read<unknown[]>(tuple)
    array.push(2)
    expect(toTypedJson(array)).toEqual({ $tuple: [1, 'a', 2] })
  })

  it('are no stand-ins when they are copied', () => {
    const array = read<unknown[]>(tuple)
    for (const copy of [[...array], array.slice(), array.map((item) => item), structuredClone(array)])
      expect(isStandIn(copy)).toBe(false)
    expect(pickle([...array])).toEqual(pickle([1, 'a']))
  })

  it('are one object wherever they are met', () => {
    const twice = read<[unknown, unknown]>([tuple, tuple])
    expect(twice[0]).toBe(twice[1])
    expect(pickle(twice)).toEqual(pickle([tuple, tuple]))
    const asKey = new Map([[tuple, tuple]])
    expect(pickle(read(asKey))).toEqual(pickle(asKey))
  })

  it('stay what they are where adapters make objects of dicts', () => {
    const read = withObjects(new Map<string, unknown>([['1', standIn([2])]])) as { 1: unknown[] }
    expect(isStandIn(read[1])).toBe(true)
  })

  it('are refused as keys when Python has no such key', () => {
    expect(() => pickle(new Map([[read(bytearray), 1]]))).toThrow(/a bytearray is a key/)
    expect(() => pickle(new Map([[read(new PyTuple([new Map()])), 1]]))).toThrow(/a dict is a key/)
  })
})
