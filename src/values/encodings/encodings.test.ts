/**
 * Flags, dialects, compression rules and choices. Expectations: fixtures/vectors/pickle-dialects.json (the real versions of
 * python-memcached), docs/reference/pylibmc.md#4, docs/reference/python-memcached.md#9.
 */
import { readFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ValueError } from '../../python/errors.js'
import { ValueDecodeError, ValueEncodeError } from '../errors.js'
import {
  fromTypedJson,
  jsonSerializer,
  PyGlobal,
  PythonObject,
  pylibmcEncoding,
  pythonMemcachedEncoding,
  rawEncoding,
  type TypedJson,
} from '../index.js'

const { versions: dialects } = JSON.parse(
  readFileSync(new URL('../../../fixtures/vectors/pickle-dialects.json', import.meta.url), 'utf8'),
) as {
  versions: readonly {
    readonly version: '1.54' | '1.56' | '1.57' | '1.58' | '1.59' | '1.62'
    readonly python: string
    readonly writes: readonly { readonly expression: string; readonly flags: number; readonly data: string }[]
    readonly reads: readonly {
      readonly flags: number
      readonly data: string
      readonly value?: TypedJson | undefined
      readonly raises?: string
    }[]
  }[]
}

const stored = (encoded: { flags: number; data: Uint8Array }) => [
  encoded.flags,
  Buffer.from(encoded.data).toString(),
]

describe('dialects of python-memcached', () => {
  /** Expressions of fixtures/record/values/values_dialects.py. */
  const values: Readonly<Record<string, unknown>> = {
    "'text'": 'text',
    "'caf\\u00e9'": 'café',
    "b'bytes'": Buffer.from('bytes'),
    True: true,
    False: false,
    '5': 5,
    '-1': -1,
    '2**70': 2n ** 70n,
    None: null,
    '1.5': 1.5,
    "['a', 1]": ['a', 1],
  }
  const dialectOf = {
    '1.54': '1.54',
    '1.56': '1.56',
    '1.57': '1.58',
    '1.58': '1.58',
    '1.59': '1.59',
    '1.62': '1.59',
  } as const

  for (const recorded of dialects) {
    const version = dialectOf[recorded.version]
    const encoding = pythonMemcachedEncoding({ version })
    test.each(recorded.writes)(`${recorded.version} writes $expression`, ({ expression, flags, data }) => {
      const encoded = encoding.encode(values[expression])
      expect(encoded.flags).toBe(flags)
      expect(Buffer.from(encoded.data).toString('base64')).toBe(data)
    })
    test.each(recorded.reads)(
      `${recorded.version} reads flags $flags, $data`,
      ({ flags, data, value, raises }) => {
        const read = () => encoding.decode(flags, Buffer.from(data, 'base64'))
        if (raises === undefined) expect(read()).toEqual(fromTypedJson(value!))
        else expect(read).toThrow(ValueError)
      },
    )
  }

  test('a mixed fleet may read flag 16 before it writes it', () => {
    const mixed = pythonMemcachedEncoding({ version: '1.58', dialect: { readsText: true } })
    expect(mixed.decode(16, Buffer.from('text'))).toBe('text')
    expect(stored(mixed.encode('text'))).toEqual([0, 'text'])
  })
})

describe('unknown flags', () => {
  test('raise, bytes or null', () => {
    const data = Buffer.from('?')
    for (const make of [pylibmcEncoding, pythonMemcachedEncoding] as const) {
      const flags = make === pylibmcEncoding ? 17 : 32
      expect(() => make().decode(flags, data)).toThrow(ValueDecodeError)
      expect(make({ unknownFlags: 'bytes' }).decode(flags, data)).toEqual(data)
      expect(make({ unknownFlags: 'null' }).decode(flags, data)).toBeNull()
    }
  })
})

describe('compression', () => {
  const text = 'a'.repeat(12)
  test('pylibmc compresses at the length, python-memcached above it', () => {
    expect(pylibmcEncoding().encode(text, { minCompressLen: 12 }).flags).toBe(24)
    expect(pylibmcEncoding().encode(text, { minCompressLen: 13 }).flags).toBe(16)
    expect(pythonMemcachedEncoding().encode(text, { minCompressLen: 11 }).flags).toBe(24)
    expect(pythonMemcachedEncoding().encode(text, { minCompressLen: 12 }).flags).toBe(16)
  })
  test('only what got shorter is kept', () => {
    expect(pylibmcEncoding().encode('a'.repeat(11), { minCompressLen: 1 }).flags).toBe(16)
    expect(pylibmcEncoding().encode(text, { minCompressLen: 1 }).data).toHaveLength(11)
  })
  test('integers: pylibmc compresses them, python-memcached never', () => {
    const integer = 10n ** 300n
    expect(pylibmcEncoding().encode(integer, { minCompressLen: 1 }).flags).toBe(12)
    expect(pythonMemcachedEncoding().encode(integer, { minCompressLen: 1 }).flags).toBe(2)
  })
  test('−1: python-memcached always, level 0 of pylibmc never', () => {
    expect(pythonMemcachedEncoding().encode(text, { minCompressLen: -1 }).flags).toBe(24)
    expect(pylibmcEncoding().encode(text, { minCompressLen: 1, compressLevel: 0 }).flags).toBe(16)
  })
  test('fast is node:zlib, and inflates to the same', () => {
    const long = Array.from({ length: 500 }, (_, i) => `line ${i * i}`).join('\n')
    const fast = pylibmcEncoding({ compression: 'fast' }).encode(long, { minCompressLen: 1 })
    expect(Buffer.from(fast.data)).toEqual(deflateSync(long))
    expect(pylibmcEncoding().decode(fast.flags, Buffer.from(fast.data))).toBe(long)
  })
  test('another compressor, under the same flag', () => {
    const compressor = {
      compress: (data: Uint8Array) => data.subarray(0, 1),
      decompress: (data: Uint8Array) => Buffer.alloc(12, data[0]),
    }
    const encoding = pythonMemcachedEncoding({ compressor })
    const short = encoding.encode(text, { minCompressLen: 1 })
    expect(stored(short)).toEqual([24, 'a'])
    expect(encoding.decode(24, Buffer.from(short.data))).toBe(text)
  })
  test.each([null, undefined, 'text', 5, Promise.resolve(Buffer.from('x'))])(
    'functions of the application that return %s instead of bytes are refused by name',
    (returned) => {
      const give = () => returned as never
      const compressor = { compress: give, decompress: give }
      const encoding = pythonMemcachedEncoding({ compressor })
      expect(() => encoding.encode(text, { minCompressLen: 1 })).toThrow('the compressor returned')
      expect(() => encoding.decode(24, Buffer.from('x'))).toThrow('the decompressor returned')
      const serializer = { flag: 64, serialize: give, deserialize: give }
      expect(() => pylibmcEncoding({ serializer }).encode([])).toThrow('the serializer returned')
    },
  )
  test('a bomb stops at the limit', () => {
    const bomb = deflateSync(Buffer.alloc(10_000_000))
    expect(() => pylibmcEncoding({ maxMemory: 1_000_000 }).decode(24, bomb)).toThrow(
      /more than 1000000 bytes/,
    )
    // What it inflates to and the text made of it share one budget.
    expect(() => pylibmcEncoding({ maxMemory: 15_000_000 }).decode(24, bomb)).toThrow(ValueDecodeError)
    expect(pylibmcEncoding({ maxMemory: 20_000_000 }).decode(24, bomb)).toHaveLength(10_000_000)
  })
})

describe('choices', () => {
  test('JSON beside pickle, with its own flag', () => {
    const encoding = pylibmcEncoding({ serializer: jsonSerializer() })
    const json = encoding.encode({ a: [1, null] })
    expect(stored(json)).toEqual([32, '{"a":[1,null]}'])
    expect(encoding.decode(32, Buffer.from(json.data))).toEqual({ a: [1, null] })
    expect(encoding.decode(1, Buffer.from('N.'))).toBeNull()
    const long = encoding.encode({ a: 'x'.repeat(100) }, { minCompressLen: 1 })
    expect(long.flags).toBe(40)
    expect(encoding.decode(40, Buffer.from(long.data))).toEqual({ a: 'x'.repeat(100) })
    expect(() => pylibmcEncoding({ serializer: jsonSerializer(16) })).toThrow(RangeError)
  })
  test('converters serve both directions', () => {
    class Point {
      constructor(
        readonly x: number,
        readonly y: number,
      ) {}
    }
    const point = {
      className: 'shop.Point',
      type: Point,
      read: ({ args }: PythonObject) => new Point(args[0] as number, args[1] as number),
      write: ({ x, y }: Point) => new PythonObject(new PyGlobal('shop', 'Point'), [x, y], 'new'),
    }
    const encoding = pylibmcEncoding({ converters: [point] })
    const shared = new Point(1, 2)
    const { flags, data } = encoding.encode([shared, { at: shared }])
    const read = encoding.decode(flags, Buffer.from(data)) as [Point, { at: Point }]
    expect(read).toEqual([new Point(1, 2), { at: new Point(1, 2) }])
    expect(read[0]).toBe(read[1].at)
    // Without the converter it is inert, and still known by name.
    expect((pylibmcEncoding().decode(flags, Buffer.from(data)) as [PythonObject])[0].className).toBe(
      'shop.Point',
    )
  })
  test('raw bytes and flags', () => {
    expect(rawEncoding.decode(1234, Buffer.from('x'))).toEqual({ flags: 1234, data: Buffer.from('x') })
    expect(stored(rawEncoding.encode({ flags: 1234, data: Buffer.from('x') }))).toEqual([1234, 'x'])
    expect(stored(rawEncoding.encode(Buffer.from('x')))).toEqual([0, 'x'])
    expect(() => rawEncoding.encode('text')).toThrow(ValueEncodeError)
    expect(() => rawEncoding.encode({ flags: -1, data: Buffer.from('') })).toThrow(/flags must be/)
  })
})
