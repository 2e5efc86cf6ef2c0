/** Hooks, references and choices of reader and writer. The hexadecimal pickles are CPython 3.11's. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PyByteArray, PyPersistent, type PyTuple, type PythonObject } from '../classes/built-ins.js'
import { pylibmcEncoding } from '../encodings/pylibmc.js'
import { ValueDecodeError } from '../errors.js'
import { unpickle } from './read/reader.js'
import { pickle } from './write/writer.js'

const hex = (text: string) => Buffer.from(text, 'hex')

function holdsItself(value: unknown, outer: readonly unknown[]): boolean {
  if (!Array.isArray(value)) return false
  return outer.includes(value) || value.some((item) => holdsItself(item, [...outer, value]))
}

/** Nesting of lists; a list inside of itself counts once. */
function levels(value: unknown, outer: readonly unknown[]): number {
  if (!Array.isArray(value) || outer.includes(value)) return 0
  return 1 + Math.max(0, ...value.map((item) => levels(item, [...outer, value])))
}

describe('persistent ids', () => {
  const stored = [
    [0, '286c70300a50726f77370a612e', ['row7']],
    [1, '5d710028285803000000726f7771014b07747102512868014b0874710351652e', [['row', 7], ['row', 8]]],
    [4, '80049517000000000000005d94288c03726f77944b0786945168014b08869451652e', [['row', 7], ['row', 8]]],
  ] as const // biome-ignore format: one pickle a line
  test.each(stored)('protocol %i: resolved by the hook', (_, data, ids) => {
    const asked: unknown[] = []
    const read = unpickle(hex(data), {
      persistentLoad(id) {
        asked.push(id)
        return { id }
      },
    })
    expect(asked).toEqual(ids)
    expect(read).toEqual(ids.map((id) => ({ id })))
  })
  test.each(stored)('protocol %i: kept as ids and written back', (protocol, data) => {
    const read = unpickle(hex(data), { preserve: true, persistentLoad: () => undefined }) as PyPersistent[]
    expect(read[0]).toBeInstanceOf(PyPersistent)
    expect(pickle(read, { protocol }).toString('hex')).toBe(data)
  })
  test('are asked for once, also when a dict makes a second pass necessary', () => {
    let asked = 0
    const data = pickle([{ id: 1 }, new Map([[1, 2]])], {
      persistentId: (value) => ((value as { id?: number })?.id === 1 ? 'one' : undefined),
    })
    const read = unpickle(data, { persistentLoad: (id) => ({ id, asked: ++asked }) })
    expect(read).toEqual([{ id: 'one', asked: 1 }, new Map([[1, 2]])])
  })
  test('are refused without a hook', () => {
    expect(() => unpickle(hex(stored[0][1]))).toThrow(/no persistentLoad to resolve it \(offset 5, PERSID\)/)
  })
})

describe('buffers out of band', () => {
  const data = hex('80059508000000000000005d9428979897652e')
  test('are what the caller gives, read-only ones as bytes', () => {
    const read = unpickle(data, { preserve: true, buffers: [Buffer.from('ro'), Buffer.from('rw')] })
    expect(read).toEqual([Buffer.from('ro'), new PyByteArray(Buffer.from('rw'))])
  })
  test('are refused when one is missing', () => {
    expect(() => unpickle(data, { buffers: [Buffer.from('ro')] })).toThrow(
      /buffer 2 is missing \(offset 16, NEXT_BUFFER\)/,
    )
  })
})

test('the extension registry is refused by number', () => {
  expect(() => unpickle(hex('8002832c012e'))).toThrow(
    /class number 300 of the copyreg extension registry.*EXT2/,
  )
})

describe('references', () => {
  test.each([
    [0, '28286c70300a2867300a7470310a61303067310a2e'],
    [1, '285d7100286800747101613168012e'],
    [2, '80025d71006800857101613068012e'],
    [4, '8004950b000000000000005d9468008594613068012e'],
  ])('protocol %i: a tuple in a list in itself', (protocol, data) => {
    const read = unpickle(hex(data), { preserve: true }) as PyTuple
    expect((read.items[0] as unknown[])[0]).toBe(read)
    expect(pickle(read, { protocol }).toString('hex')).toBe(data)
  })
  test('an object in its own state', () => {
    const data = '8004951c000000000000008c0473686f70948c01419493942981947d948c026d6594680373622e'
    const read = unpickle(hex(data), { preserve: true }) as PythonObject
    expect(read.attributes.get('me')).toBe(read)
    expect(pickle(read, { protocol: 4 }).toString('hex')).toBe(data)
  })
  test.each([
    [2, '80025d71006373686f700a410a7101295271026373686f700a7365747465720a710368027d710458010000007871054b0173865230612e'],
    [5, '8005952f000000000000005d948c0473686f70948c014194939429529468018c0673657474657294939468047d948c0178944b0173865230612e'],
  ])('protocol %i: a state setter is kept', (protocol, data) => {
    const read = unpickle(hex(data), { preserve: true }) as [PythonObject]
    expect(read[0].stateSetter).toMatchObject({ module: 'shop', name: 'setter' })
    expect(read[0].attributes).toEqual(new Map([['x', 1]]))
    expect(pickle(read, { protocol }).toString('hex')).toBe(data)
  }) // biome-ignore format: one pickle a line
})

describe('dicts', () => {
  const data = pickle({ outer: new Map([[1, { inner: true }]]), digits: new Map([['1', 'a']]), plain: {} })
  test('each for itself: an object where it can be', () => {
    expect(unpickle(data)).toEqual({
      outer: new Map([[1, { inner: true }]]),
      digits: new Map([['1', 'a']]),
      plain: {},
    })
  })
  test('all of them Maps, when asked for', () => {
    expect(unpickle(data, { dicts: 'map' })).toEqual(
      new Map<string, unknown>([
        ['outer', new Map([[1, new Map([['inner', true]])]])],
        ['digits', new Map([['1', 'a']])],
        ['plain', new Map()],
      ]),
    )
  })
  test('the same dict in two places stays one', () => {
    const shared = new Map([[1, 2]])
    const read = unpickle(pickle([shared, { again: shared }])) as [Map<number, number>, { again: unknown }]
    expect(read[1].again).toBe(read[0])
  })
})

describe('limits name themselves', () => {
  test.each([
    [1, /more memory than the limit of 1 bytes \(offset 0, EMPTY_LIST\)/],
    [110, /more memory than the limit of 110 bytes \(offset 3, NONE\)/],
  ])('maxMemory %d', (maxMemory, message) => {
    const read = () => unpickle(Buffer.from(']\x94NN.', 'latin1'), { maxMemory })
    expect(read).toThrow(ValueDecodeError)
    expect(read).toThrow(message)
  })
  test.each([[0], [-1], [Number.NaN]])('maxMemory %d is none', (maxMemory) => {
    expect(() => unpickle(Buffer.from('N.'), { maxMemory })).toThrow(RangeError)
    expect(() => pylibmcEncoding({ maxMemory })).toThrow(RangeError)
  })
  test('maxDepth', () => {
    const nested = [[[1]]]
    expect(unpickle(pickle(nested), { maxDepth: 3 })).toEqual(nested)
    expect(() => unpickle(pickle(nested), { maxDepth: 2 })).toThrow(
      /nested deeper than 2 \(offset \d+, APPEND\); the option maxDepth sets another limit$/,
    )
  })
  // Lists in lists in lists, some of them in several places, and some that grow once they are inside of others.
  test('maxDepth is exact for what the memo hands out again', () => {
    const step = fc.constantFrom(']\x94', '(', 'e', 'a', '2', '\x85\x94', 'h\0', 'h\x01', 'h\x02', 'h\x03')
    let read = 0
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 4, maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        (steps, limit) => {
          const data = Buffer.from(`]\x94${steps.join('')}.`, 'latin1')
          let value: unknown
          try {
            value = unpickle(data)
          } catch {
            return
          }
          read++
          const depth = levels(value, [])
          if (depth <= limit) expect(() => unpickle(data, { maxDepth: limit })).not.toThrow()
          // The longest way through lists that hold themselves would take exponential time to find.
          else if (!holdsItself(value, []))
            expect(() => unpickle(data, { maxDepth: limit })).toThrow(/nested deeper/)
        },
      ),
      { numRuns: 20_000 },
    )
    expect(read).toBeGreaterThan(500)
  })
  test.each([
    ['grows inside of another', '](]\x94]h\0ah\0(]]ae0e.', 5],
    ['is a copy on the stack', '](]2\x85\x940h\x000]]aah\x00e.', 5],
  ])('a shared list that %s', (_, program, depth) => {
    const data = Buffer.from(program, 'latin1')
    const value = unpickle(data)
    expect(levels(value, [])).toBe(depth)
    expect(() => unpickle(data, { maxDepth: depth })).not.toThrow()
    expect(() => unpickle(data, { maxDepth: depth - 1 })).toThrow(/nested deeper/)
  })
})
