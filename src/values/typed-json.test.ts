/** Typed JSON that is wrong or too much is refused by name; values that cannot be written level by level become one pickle. */
import { describe, expect, it } from 'vitest'
import { ValueError } from '../python/errors.js'
import { fromTypedJson, type TypedJson, toTypedJson } from './typed-json.js'

const nested = (levels: number): TypedJson => {
  let value: TypedJson = 0
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

describe('reading', () => {
  it.each<[unknown, string]>([
    [{ $int: 'x' }, '$int "x" is not an integer'],
    [{ $int: '' }, '$int "" is not an integer'],
    [{ $int: 5 }, '$int needs a string'],
    [{ $int: '9'.repeat(5000) }, '$int has more than 4300 digits'],
    [{ $float: 'one' }, '"one" is not a float'],
    [{ $bytes: '€' }, '$bytes holds a character above U+00FF'],
    [{ $bytearray: '€' }, '$bytearray holds a character above U+00FF'],
    [{ $complex: ['1.0'] }, '$complex needs an array of 2, not of 1'],
    [{ $tuple: {} }, '$tuple needs an array'],
    [{ $dict: [[1]] }, '$dict needs an array of 2, not of 1'],
    [{ $repeat: ['x'] }, '$repeat needs an array of 2'],
    [{ $repeat: ['x', -1] }, '$repeat needs a whole number of times from 0, not -1'],
    [{ $repeat: ['x', '9'] }, '$repeat needs a whole number of times from 0, not "9"'],
    [{ $repeat: ['x', 1e12] }, '$repeat makes more than 67108864 characters'],
    [{ $repeat: [{ $bytes: 'x' }, 1e12] }, '$repeat makes more than 67108864 characters'],
    [
      Array.from({ length: 70 }, () => ({ $repeat: ['x', 1e6] })),
      '$repeat makes more than 67108864 characters',
    ],
    [{ $repeat: [5, 2] }, '$repeat needs text or bytes'],
    [{ $unpicklable: { toString: 1 } }, '$unpicklable needs'],
    [{ $unpicklable: 'builtins.function', $raises: 5 }, '$raises needs'],
    [{ $toString: 1 }, 'unknown tag "$toString"'],
    [undefined, 'typed JSON holds no undefined'],
    [5n, 'typed JSON holds no bigint'],
    [[Symbol('x')], 'typed JSON holds no symbol'],
  ])('case %#', (json, message) => {
    const read = () => fromTypedJson(json as TypedJson)
    expect(read).toThrow(ValueError)
    expect(read).toThrow(message)
  })

  it('nesting that no stack would hold', () => {
    expect(() => fromTypedJson(nested(100_000))).toThrow('typed JSON is nested deeper than 1000')
  })

  it.each(['$set', '$frozenset', '$dict'])('%s with keys that V8 hashes alike', (tag) => {
    const long = Array.from({ length: 300 }, (_, i) => 'a'.repeat(16_384) + (1000 + i))
    const content = tag === '$dict' ? long.map((key) => [key, 1]) : long
    expect(() => fromTypedJson({ [tag]: content })).toThrow(
      `the 300 keys of ${tag} are chosen so that their hashes clash`,
    )
  })

  it('keys of Object.prototype are keys like any other', () => {
    const read = fromTypedJson(JSON.parse('{"__proto__":1,"toString":2,"constructor":3}'))
    expect(read).toEqual(new Map([['__proto__', 1], ['toString', 2], ['constructor', 3]])) // biome-ignore format: short
  })
})

describe('writing', () => {
  it('a list that holds itself is one pickle, and reads back as one', () => {
    const list: unknown[] = [1]
    list.push(list)
    const written = toTypedJson(list)
    // python3.11: base64.b64encode(pickle.dumps(l, 4)) for l = [1]; l.append(l)
    expect(written).toEqual({ $pickle: 'gASVCQAAAAAAAABdlChLAWgAZS4=' })
    const read = fromTypedJson(written) as unknown[]
    expect(read[1]).toBe(read)
  })

  it('so is a dict that holds itself, and what only few objects stand for, over and over', () => {
    const dict = new Map<unknown, unknown>()
    dict.set('d', dict)
    expect(toTypedJson(dict)).toEqual({ $pickle: expect.any(String) })
    let shared: unknown = ['x']
    for (let i = 0; i < 60; i++) shared = [shared, shared]
    expect(toTypedJson(shared)).toEqual({ $pickle: expect.any(String) })
  })

  it('deep nesting is one pickle; what is deeper than Python reads is refused', () => {
    expect(toTypedJson(nested(390))).toEqual(nested(390))
    expect(toTypedJson(nested(450))).toEqual({ $pickle: expect.any(String) })
    expect(() => toTypedJson(nested(100_000))).toThrow(/deep|nested/)
  })
})
