/** Reader and writer against pickles of CPython 2.7 and 3.11 (fixtures/vectors/pickle.json). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PyFloat, PyTuple, PythonObject } from '../classes/built-ins.js'
import { PyDeque, PyOrderedDict } from '../classes/collections.js'
import { PyDecimal } from '../classes/numbers.js'
import { UnpicklingError, ValueEncodeError } from '../errors.js'
import { fromTypedJson, type TypedJson, toTypedJson } from '../typed-json.js'
import { unpickle } from './read/reader.js'
import { pickle } from './write/writer.js'

interface Row {
  readonly value: TypedJson
  readonly repr: string
  readonly class: string
  readonly pickles: readonly string[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../fixtures/vectors/pickle.json', import.meta.url), 'utf8'),
)
const values: Row[] = vectors.values
const objects: Row[] = vectors.objects
const name = (row: Row) => JSON.stringify(row.value).slice(0, 60)

describe('plain data', () => {
  test.each(values.map((row) => [name(row), row] as const))(
    '%s: read like CPython, protocols 0–5',
    (_, row) => {
      for (const encoded of row.pickles) {
        expect(toTypedJson(unpickle(Buffer.from(encoded, 'base64'), { preserve: true }))).toEqual(row.value)
      }
    },
  )

  test.each(values.map((row) => [name(row), row] as const))(
    '%s: written byte for byte, protocols 0–5',
    (_, row) => {
      row.pickles.forEach((encoded, protocol) => {
        const written = pickle(fromTypedJson(row.value), { protocol })
        expect(written.toString('base64')).toBe(encoded)
      })
    },
  )

  /** JavaScript has one type for them. */
  const hasWholeFloat = (row: Row) => /"\$float":"-?\d+(\.0|e\+\d+)"/.test(JSON.stringify(row.value))

  test.each(values.filter((row) => !hasWholeFloat(row)).map((row) => [name(row), row] as const))(
    '%s: read with default options, written byte for byte again, protocols 0–5',
    (_, row) => {
      row.pickles.forEach((encoded, protocol) => {
        const read = unpickle(Buffer.from(encoded, 'base64'))
        expect(pickle(read, { protocol }).toString('base64')).toBe(encoded)
      })
    },
  )

  test('without preserve, plain JavaScript', () => {
    const read = (json: TypedJson) => unpickle(pickle(fromTypedJson(json)))
    expect(read({ $float: '1.0' })).toBe(1)
    expect(read({ $tuple: [1, 'a'] })).toEqual([1, 'a'])
    expect(read({ a: { b: [1] } })).toEqual({ a: { b: [1] } })
    expect(read({ $int: '18446744073709551616' })).toBe(2n ** 64n)
    expect(read({ $frozenset: [1] })).toEqual(new Set([1]))
    expect(read({ $bytes: '\xff' })).toEqual(Buffer.from([255]))
  })

  test('a dict that an object cannot hold in order becomes a Map', () => {
    const read = (json: TypedJson) => unpickle(pickle(fromTypedJson(json)))
    expect([
      ...(read({
        $dict: [
          ['2', 1],
          ['1', 2],
        ],
      }) as Map<string, number>),
    ]).toEqual([
      ['2', 1],
      ['1', 2],
    ])
    expect([
      ...(read({
        $dict: [
          [1, 'a'],
          ['1', 'b'],
        ],
      }) as Map<unknown, string>),
    ]).toEqual([
      [1, 'a'],
      ['1', 'b'],
    ])
  })

  test('__proto__ as a key is a key', () => {
    const read = unpickle(pickle(new Map([['__proto__', { polluted: true }]]))) as Record<string, unknown>
    expect(Object.keys(read)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('recursive and shared references survive both ways', () => {
    const list: unknown[] = []
    list.push(list)
    const shared = { a: 1 }
    for (let protocol = 0; protocol <= 5; protocol++) {
      const read = unpickle(pickle(list, { protocol })) as unknown[]
      expect(read[0]).toBe(read)
      const pair = unpickle(pickle([shared, shared], { protocol })) as unknown[]
      expect(pair[0]).toBe(pair[1])
    }
  })
})

describe('objects stay inert', () => {
  test.each(objects.map((row) => [row.repr, row] as const))(
    '%s is read and written back to the same pickle',
    (_, row) => {
      row.pickles.forEach((encoded, protocol) => {
        const read = unpickle(Buffer.from(encoded, 'base64'), { preserve: true })
        expect(pickle(read, { protocol }).toString('base64')).toBe(encoded)
      })
    },
  )
  // CPython 3.11, protocols 2, 4 and 5. The class is SQLAlchemy's OrderingList in small: __reduce__ has `self.__dict__` itself among the
  // arguments, and the dict holds an object that refers to self. Python makes the inner object of a dict that is still empty.
  test.each([
    [
      2,
      'gAJ9cQBYBQAAAGl0ZW1zcQFjc2hvcApyZWNvbnN0aXR1dGUKcQJjc2hvcApPcmRlcmVkCnEDfXEEKFgEAAAAYXR0cnEFWAgAAABwb3NpdGlvbnEGWAcAAABhZGFwdGVycQdjc2hvcApBZGFwdGVyCnEIKYFxCX1xClgEAAAAZGF0YXELaAJoA2gEhnEMUnENc2J1hnEOUjBoDXMu',
    ],
    [
      4,
      'gASVfgAAAAAAAAB9lIwFaXRlbXOUjARzaG9wlIwMcmVjb25zdGl0dXRllJOUaAKMB09yZGVyZWSUk5R9lCiMBGF0dHKUjAhwb3NpdGlvbpSMB2FkYXB0ZXKUaAKMB0FkYXB0ZXKUk5QpgZR9lIwEZGF0YZRoBGgGaAeGlFKUc2J1hpRSMGgRcy4=',
    ],
    [
      5,
      'gAWVfgAAAAAAAAB9lIwFaXRlbXOUjARzaG9wlIwMcmVjb25zdGl0dXRllJOUaAKMB09yZGVyZWSUk5R9lCiMBGF0dHKUjAhwb3NpdGlvbpSMB2FkYXB0ZXKUaAKMB0FkYXB0ZXKUk5QpgZR9lIwEZGF0YZRoBGgGaAeGlFKUc2J1hpRSMGgRcy4=',
    ],
  ])('an object that is made of its own attributes, protocol %i', (protocol, encoded) => {
    for (const preserve of [false, true]) {
      const read = unpickle(Buffer.from(encoded, 'base64'), { preserve })
      expect(pickle(read, { protocol }).toString('base64')).toBe(encoded)
    }
  })
  test('what an object is can be seen', () => {
    const row = objects.find(({ repr }) => repr === "Decimal('1.10')")!
    expect(unpickle(Buffer.from(row.pickles[4]!, 'base64'))).toEqual(new PyDecimal('1.10'))
    const error = objects.find(({ repr }) => repr === "KeyError('k')")!
    const read = unpickle(Buffer.from(error.pickles[4]!, 'base64')) as PythonObject
    expect(read).toBeInstanceOf(PythonObject)
    expect(read.className).toBe('builtins.KeyError')
    expect(read.args).toEqual(['k'])
  })
  test('a pickle that would run a command in Python runs nothing', () => {
    const evil = Buffer.from("cos\nsystem\n(S'touch pwned'\ntR.")
    expect(unpickle(evil)).toMatchObject({
      className: 'posix.system'.replace('posix', 'os'),
      args: ['touch pwned'],
    })
  })
})

describe('Python 2', () => {
  test('pickles of 2.7, text and byte strings', () => {
    for (const encoded of vectors.python2.pickles) {
      expect(toTypedJson(unpickle(Buffer.from(encoded, 'base64'), { preserve: true }))).toEqual(
        vectors.python2.value,
      )
    }
  })
  test('byte strings that are not ASCII fail by default, as in Python 3, and can be read as asked', () => {
    const data = Buffer.from("S'\\xe9'\n.")
    expect(() => unpickle(data)).toThrow(/ascii/)
    expect(unpickle(data, { encoding: 'latin1' })).toBe('é')
    expect(unpickle(data, { encoding: 'bytes' })).toEqual(Buffer.from([0xe9]))
  })
})

describe('failures name the class that CPython 3.11 raises', () => {
  test.each([
    ['', 'builtins.EOFError'],
    ['\x80\x04]', 'builtins.EOFError'],
    ['\x8c\x05ab', '_pickle.UnpicklingError'],
    ["S'\xe9'\n.", 'builtins.UnicodeDecodeError'],
    ['\x8c\x01\xff.', 'builtins.UnicodeDecodeError'],
    ['V\\u12\n.', 'builtins.UnicodeDecodeError'],
    ['I1x\n.', 'builtins.ValueError'],
    ['L1x\n.', 'builtins.ValueError'],
    ['Fx\n.', 'builtins.ValueError'],
    ['gx\n.', 'builtins.ValueError'],
    ['\x80\x09.', 'builtins.ValueError'],
    ['\x82\x05.', 'builtins.ValueError'],
    ['N)R.', 'builtins.TypeError'],
    ['0.', '_pickle.UnpicklingError'],
    ['g7\n.', '_pickle.UnpicklingError'],
    [']e.', '_pickle.UnpicklingError'],
    ['}(Nu.', '_pickle.UnpicklingError'],
    ['Pa\n.', '_pickle.UnpicklingError'],
    ['\x97.', '_pickle.UnpicklingError'],
    ['\xff.', '_pickle.UnpicklingError'],
  ])('%j: %s', (data, python) => {
    try {
      unpickle(Buffer.from(data, 'latin1'))
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(UnpicklingError)
      expect(error).toMatchObject({ python })
    }
  })
})

describe('hostile input', () => {
  const cases: [string, Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['truncated', Buffer.from([0x80, 4, 0x5d])],
    ['stack underflow', Buffer.from('0.')],
    ['items without a mark', Buffer.from(']e.')],
    ['negative BINSTRING length', Buffer.from([0x54, 0xff, 0xff, 0xff, 0xff, 0x2e])],
    ['BINBYTES8 claiming 2^40 bytes', Buffer.from([0x8e, 0, 0, 0, 0, 0, 1, 0, 0, 0x2e])],
    ['negative LONG4', Buffer.from([0x8b, 0xff, 0xff, 0xff, 0xff, 0x2e])],
    ['memo that was never put', Buffer.from('g7\n.')],
    ['extension registry', Buffer.from([0x82, 1, 0x2e])],
    ['unknown protocol', Buffer.from([0x80, 9, 0x4e, 0x2e])],
    ['unknown opcode', Buffer.from([0x7f, 0x2e])],
    ['SETITEMS with an odd count', Buffer.from('}(NNNu.')],
    ['BUILD of a list', Buffer.from(']}b.')],
    ['persistent id without a hook', Buffer.from('Pabc\n.')],
  ]
  test.each(cases)('%s: an error that says where', (_, data) => {
    expect(() => unpickle(data)).toThrow(UnpicklingError)
  })
  test('300,000 items in one APPENDS, a 400 kB LONG4 and 500,000 nested lists are read in linear time', () => {
    const many = Buffer.concat([Buffer.from(']('), Buffer.alloc(300_000, 'N'), Buffer.from('e.')])
    expect(unpickle(many)).toHaveLength(300_000)
    const header = Buffer.from([0x8b, 0, 0, 0, 0])
    header.writeInt32LE(400_000, 1)
    expect(typeof unpickle(Buffer.concat([header, Buffer.alloc(400_000, 0x7f), Buffer.from('.')]))).toBe(
      'bigint',
    )
    const nested = Buffer.concat([Buffer.alloc(500_000, ']'), Buffer.alloc(499_999, 'a'), Buffer.from('.')])
    expect(() => unpickle(nested)).toThrow(/nested deeper than 1000 \(offset \d+, APPEND\)/)
    expect(Array.isArray(unpickle(nested, { maxDepth: 500_000 }))).toBe(true)
  })
})

describe('values that Python has no word for', () => {
  test.each([[undefined], [() => 1], [Symbol('s')], [new Date()], [[undefined]]])('%s', (value) => {
    expect(() => pickle(value)).toThrow(ValueEncodeError)
  })
  test('nesting has a limit', () => {
    let deep: unknown = 1
    for (let i = 0; i < 5000; i++) deep = [deep]
    expect(() => pickle(deep)).toThrow(/nested deeper than 1000/)
  })
  test('whole numbers beyond 2^53 are floats, -0 is a float, a bigint is an int', () => {
    expect(unpickle(pickle([1e300, -0, 5n, new PyFloat(1), new PyTuple([])]), { preserve: true })).toEqual([
      new PyFloat(1e300),
      new PyFloat(-0),
      5,
      new PyFloat(1),
      new PyTuple([]),
    ])
  })
})

describe('keys of dicts and members of sets, which in Python are tuples and frozensets', () => {
  const key = [1, 'a']
  test.each([
    [
      new Map<unknown, unknown>([
        [key, 7],
        [[1, [2]], 8],
      ]),
      4,
      '80049519000000000000007d94284b018c01619486944b074b014b02859486944b08752e',
    ],
    [
      new Map([[new Set([1]), 'x']]),
      2,
      '80027d7100635f5f6275696c74696e5f5f0a66726f7a656e7365740a71015d71024b01618571035271045801000000787105732e',
    ],
    [new Set([key]), 4, '8004950d000000000000008f94284b018c0161948694902e'],
    [
      [new Map([[key, 1]]), new Map([[key, 2]])],
      4,
      '80049519000000000000005d94287d944b018c01619486944b01737d9468034b0273652e',
    ],
  ])('%j is written as CPython writes it', (value, protocol, bytes) => {
    expect(pickle(value, { protocol }).toString('hex')).toBe(bytes)
  })

  const itself: unknown[] = []
  itself.push(itself)
  let deep: unknown = 1
  for (let i = 0; i < 50_000; i++) deep = [deep]
  test.each([
    [{ a: 1 }, 'a dict is a key'],
    [new Map(), 'a dict is a key'],
    [[new PyDeque([])], 'a deque is a key'],
    [itself, 'a list that holds itself is a key'],
    [deep, 'nested deeper than 1000'],
  ])('what Python cannot have there is refused: %#', (refused, message) => {
    for (const value of [new Map([[refused, 1]]), new Set([refused]), new PyOrderedDict([[refused, 1]])]) {
      expect(() => pickle(value)).toThrow(ValueEncodeError)
      expect(() => pickle(value)).toThrow(message)
    }
  })
  test('what occurs often in a key is looked at once', () => {
    let wide: unknown = 1
    for (let i = 0; i < 500; i++) wide = [wide, wide]
    expect(pickle(new Map([[wide, 1]])).length).toBeLessThan(10_000)
  })
})

test('a getter that deletes a later key of its object: no value takes the place of another', () => {
  const dict: Record<string, unknown> = {
    get a() {
      delete dict.b
      return 1
    },
    b: 2,
    c: 3,
  }
  expect(() => pickle(dict)).toThrow('undefined has no form in Python')
})
