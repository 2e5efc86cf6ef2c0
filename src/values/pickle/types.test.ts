/** The standard library's and users' types, as CPython 2.7–3.13 pickled and described them (fixtures/vectors/pickle-types.json). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { floatRepr } from '../../python/repr.js'
import {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyGlobal,
  PyTuple,
  PythonObject,
} from '../classes/built-ins.js'
import { PyCounter, PyDefaultDict, PyDeque, PyOrderedDict } from '../classes/collections.js'
import { PyDate, PyDateTime, PyTime, PyTimeDelta, PyTimeZone } from '../classes/dates.js'
import { PyDecimal, PyFraction, PyRange, PySlice, PyUuid } from '../classes/numbers.js'
import { unpickle } from './read/reader.js'
import { pickle } from './write/writer.js'

interface Row {
  readonly protocol: number
  readonly by: readonly string[]
  readonly said: unknown
  readonly data: string
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../../fixtures/vectors/pickle-types.json', import.meta.url), 'utf8'),
) as { cases: readonly { readonly title: string; readonly pickles: readonly Row[] }[] }

const rows = cases.flatMap(({ title, pickles }) => pickles.map((row) => ({ ...row, title })))
const named = rows.map(
  (row) => [`${row.title}, protocol ${row.protocol}, by ${row.by.join(' ')}`, row] as const,
)

/** The words that fixtures/record/values/pickle_types.py has for a value. */
function said(value: unknown): unknown {
  const pairs = (entries: Iterable<readonly [unknown, unknown]>) =>
    [...entries].map(([k, v]) => [said(k), said(v)])
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return { int: String(value) }
  if (value instanceof PyDate) return { 'datetime.date': String(value), fold: 0 }
  if (value instanceof PyDateTime) return { 'datetime.datetime': String(value), fold: value.fold }
  if (value instanceof PyTime) return { 'datetime.time': String(value), fold: value.fold }
  if (value instanceof PyTimeDelta)
    return { 'datetime.timedelta': [value.days, value.seconds, value.microseconds] }
  if (value instanceof PyTimeZone)
    return { 'datetime.timezone': said(value.offset), name: value.zoneName ?? null }
  if (value instanceof PyDecimal) return { 'decimal.Decimal': String(value) }
  if (value instanceof PyUuid) return { 'uuid.UUID': String(value) }
  if (value instanceof PyFraction)
    return { 'fractions.Fraction': [`${value.numerator}`, `${value.denominator}`] }
  if (value instanceof PyRange) return { 'builtins.range': [value.start, value.stop, value.step].map(said) }
  if (value instanceof PySlice) return { 'builtins.slice': [value.start, value.stop, value.step].map(said) }
  if (value instanceof PyComplex)
    return { 'builtins.complex': [floatRepr(value.real), floatRepr(value.imag)] }
  if (value instanceof PyOrderedDict) return { 'collections.OrderedDict': pairs(value) }
  if (value instanceof PyDefaultDict)
    return { 'collections.defaultdict': pairs(value), factory: said(value.factory) }
  if (value instanceof PyCounter) return { 'collections.Counter': pairs(value) }
  if (value instanceof PyDeque) return { 'collections.deque': value.items.map(said), maxlen: value.maxlen }
  if (value instanceof PyGlobal) return { global: `${value.module}.${value.name}` }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (value instanceof PyByteArray) return { bytes: value.bytes.toString('base64') }
  if (value instanceof PyFrozenSet) return { set: [...value.items].map(said) }
  if (Array.isArray(value)) return value.map(said)
  if (value instanceof PyTuple) return value.items.map(said)
  if (value instanceof PyFloat) return value.value
  if (value instanceof Map) return { dict: pairs(value) }
  if (value instanceof PythonObject) return saidObject(value, pairs)
  throw new TypeError(`no words for ${value}`)
}

function saidObject(
  object: PythonObject,
  pairs: (entries: Iterable<readonly [unknown, unknown]>) => unknown,
): unknown {
  const words: Record<string, unknown> = { class: object.className }
  const content = object.how === 'base' ? object.args[0] : undefined
  if (content instanceof Map) words.dict = pairs(content)
  else if (Array.isArray(content)) words.list = content.map(said)
  else if (content !== undefined)
    words.arguments = content instanceof PyTuple ? said(content) : [said(content)]
  else if (object.args.length > 0 && !object.kwargs) words.arguments = object.args.map(said)
  if (object.listItems.length > 0) words.list = object.listItems.map(said)
  if (object.dictItems.length > 0) words.dict = pairs(object.dictItems)
  if (object.hasState && object.attributes.size === 0 && object.state instanceof PyTuple)
    words.state = said(object.state)
  if (object.attributes.size > 0)
    words.attributes = [...object.attributes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, said(item)])
  return words
}

describe('read like CPython', () => {
  test.each(named)('%s', (_, { said: expected, data, by }) => {
    const read = unpickle(Buffer.from(data, 'base64'), {
      preserve: true,
      encoding: by[0] === '2.7' ? 'latin1' : 'ascii',
    })
    expect(said(read)).toEqual(expected)
  })
})

test('keyword arguments are read as such in every protocol that has a way to say them', () => {
  for (const { data } of rows.filter(
    ({ title, protocol }) => title === 'keyword arguments' && protocol >= 2,
  )) {
    const read = unpickle(Buffer.from(data, 'base64'), { preserve: true }) as PythonObject
    expect(read).toMatchObject({ className: 'shop.Keyed', how: 'new', args: [1] })
    expect(read.kwargs).toEqual(new Map([['key', 'k']]))
  }
})

describe('written byte for byte as CPython 3.11 does', () => {
  const by311 = named.filter(([, { by }]) => by.includes('3.11'))
  test.each(by311)('%s', (_, { data, protocol }) => {
    const read = unpickle(Buffer.from(data, 'base64'), { preserve: true })
    expect(pickle(read, { protocol }).toString('latin1')).toBe(Buffer.from(data, 'base64').toString('latin1'))
  })
})

describe('written in every protocol, whichever it was read from', () => {
  const by311 = named.filter(([, { by, protocol }]) => by.includes('3.11') && protocol >= 2)
  test.each(by311)('%s', (_, { data, said: expected, title }) => {
    const read = unpickle(Buffer.from(data, 'base64'), { preserve: true })
    for (let protocol = 0; protocol <= 5; protocol++) {
      // In Python, too, protocols 0–3 cannot say a fold.
      if (/fold/.test(title) && protocol < 4) continue
      expect(said(unpickle(pickle(read, { protocol }), { preserve: true }))).toEqual(expected)
    }
  })
})
