/** Against what pymemcache's own serdes write and read (fixtures/record/applications/framework_values.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PyFloat, PyTuple, pymemcacheEncoding } from '../index.js'

const [{ recorded: pymemcache }] = JSON.parse(
  readFileSync(new URL('../../../fixtures/vectors/framework-values.json', import.meta.url), 'utf8'),
).pymemcache
interface Row {
  readonly serde: 'pickle' | 'compressed'
  readonly flags: number
  readonly data: string
  readonly expression: string
  readonly value?: string | undefined
  readonly raises?: string
}

const values: Readonly<Record<string, unknown>> = {
  "b'bytes'": Buffer.from('bytes'),
  "''": '',
  "'text'": 'text',
  "'caf\\u00e9'": 'café',
  True: true,
  '5': 5,
  '-(2**70)': -(2n ** 70n),
  '1.5': 1.5,
  None: null,
  "['a', 1]": ['a', 1],
  "'x' * 400": 'x'.repeat(400),
  "'x' * 401": 'x'.repeat(401),
  "'ab' * 2000": 'ab'.repeat(2000),
  "b'q' * 500": Buffer.alloc(500, 'q'),
  "{'k': (1, 2.0)}": { k: new PyTuple([1, new PyFloat(2)]) },
  '10**500': 10n ** 500n,
}

describe('pymemcache', () => {
  test.each<Row>(pymemcache.writes)(
    '$serde writes $expression',
    ({ serde, expression, flags, data, raises }) => {
      const encoding = pymemcacheEncoding({ serde })
      const value = values[expression]
      if (raises !== undefined) {
        expect(() => encoding.encode(value)).toThrow(TypeError)
        return
      }
      const encoded = encoding.encode(value)
      expect(encoded.flags).toBe(flags)
      expect(Buffer.from(encoded.data).toString('base64')).toBe(data)
      expect(encoding.decode(flags, Buffer.from(data, 'base64'))).toEqual(
        expression === "{'k': (1, 2.0)}" ? { k: [1, 2] } : value,
      )
    },
  )

  test.each<Row>(pymemcache.reads)(
    '$serde reads flags $flags, $data',
    ({ serde, flags, data, value, raises }) => {
      // pymemcache reads a pickle that fails as None.
      const encoding = pymemcacheEncoding({ serde, undecodablePickle: () => null })
      const read = () => encoding.decode(flags, Buffer.from(data, 'base64'))
      if (raises !== undefined) expect(read).toThrow()
      else if (value!.startsWith('b')) expect((read() as Buffer).toString('base64')).toBe(data)
      else if (value === 'None') expect(read()).toBeNull()
      else expect(read()).toEqual(JSON.parse(value!.replaceAll("'", '"')))
    },
  )

  test('arguments are checked', () => {
    expect(() => pymemcacheEncoding({ serde: 'json' as never })).toThrow(RangeError)
    expect(() => pymemcacheEncoding({ minCompressLen: -1 })).toThrow(RangeError)
    expect(() => pymemcacheEncoding().decode(1, Buffer.from('nonsense'))).toThrow('pickle')
  })
})
