/** How Python's values look in JavaScript: JSON.stringify, String() and util.inspect, and what is said of values without a form in Python. */
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import {
  PyByteArray,
  PyComplex,
  PyCounter,
  PyDate,
  PyDateTime,
  PyDecimal,
  PyDefaultDict,
  PyDeque,
  PyFloat,
  PyFraction,
  PyFrozenSet,
  PyGlobal,
  PyOrderedDict,
  PyPersistent,
  PyRange,
  PySlice,
  PyTime,
  PyTimeDelta,
  PyTimeZone,
  PyTuple,
  PythonObject,
  PyUuid,
  pickle,
  unpickle,
  ValueEncodeError,
} from '../index.js'

const user = new PythonObject(new PyGlobal('shop.models', 'User'), [], 'new')
user.state = new Map<string, unknown>([
  ['name', 'Ada'],
  ['scores', [new PyFloat(1), new Map([['k', new PyTuple([1])]])]],
])
user.hasState = true
const uuid = '00000000-0000-0000-0000-000000000005'

describe('text, JSON and inspect', () => {
  // The texts are Python's str() and repr(), the JSON of dates and durations that of Django's encoder, with microseconds.
  test.each<[object, string, unknown, string]>([
    [new PyFloat(1), '1.0', 1, '1.0'],
    [new PyTuple([1, new Map([['a', new Set([1])]])]), "(1, {'a': {1}})", [1, { a: [1] }], "(1, {'a': {1}})"],
    [new PyFrozenSet(new Set([1])), 'frozenset({1})', [1], 'frozenset({1})'],
    [new PyByteArray(Buffer.from('a')), "bytearray(b'a')", { type: 'Buffer', data: [97] }, "bytearray(b'a')"],
    [new PyComplex(1, 2), '(1+2j)', '(1+2j)', '(1+2j)'],
    [new PyDecimal('1.10'), '1.10', '1.10', "Decimal('1.10')"],
    [new PyFraction(1n, 3n), '1/3', '1/3', 'Fraction(1, 3)'],
    [new PyUuid(uuid), uuid, uuid, `UUID('${uuid}')`],
    [new PyRange(0, 3), 'range(0, 3)', 'range(0, 3)', 'range(0, 3)'],
    [new PySlice(1, 2), 'slice(1, 2, None)', { start: 1, stop: 2, step: null }, 'slice(1, 2, None)'],
    [new PyDate(2020, 1, 2), '2020-01-02', '2020-01-02', 'datetime.date(2020, 1, 2)'],
    [new PyTime(1, 2), '01:02:00', '01:02:00', 'datetime.time(1, 2)'],
    [
      new PyDateTime(2020, 1, 2, 3, 4, 5, 6, PyTimeZone.utc),
      '2020-01-02T03:04:05.000006+00:00',
      '2020-01-02T03:04:05.000006+00:00',
      'datetime.datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)',
    ],
    [
      new PyTimeDelta(1, 7384, 5),
      '1 day, 2:03:04.000005',
      'P1DT02H03M04.000005S',
      'datetime.timedelta(days=1, seconds=7384, microseconds=5)',
    ],
    [
      new PyTimeDelta(-1, 86_399),
      '-1 day, 23:59:59',
      '-P0DT00H00M01S',
      'datetime.timedelta(days=-1, seconds=86399)',
    ],
    [PyTimeZone.utc, '+00:00', '+00:00', 'datetime.timezone.utc'],
    [
      new PyOrderedDict([['a', new PyTuple([1])]]),
      "OrderedDict({'a': (1,)})",
      { a: [1] },
      "OrderedDict({'a': (1,)})",
    ],
    [new PyCounter([[1, 2]]), 'Counter({1: 2})', { '1': 2 }, 'Counter({1: 2})'],
    [
      new PyDefaultDict(null, [['a', 1]]),
      "defaultdict(None, {'a': 1})",
      { a: 1 },
      "defaultdict(None, {'a': 1})",
    ],
    [new PyDeque([1], 2), 'deque([1], maxlen=2)', [1], 'deque([1], maxlen=2)'],
    [new PyGlobal('shop', 'User'), "<class 'shop.User'>", 'shop.User', "<class 'shop.User'>"],
    [
      new PyPersistent('row1'),
      "<persistent object 'row1'>",
      { persistentId: 'row1' },
      "<persistent object 'row1'>",
    ],
    [
      user,
      "<shop.models.User object name='Ada' scores=[1.0, {'k': (1,)}]>",
      { class: 'shop.models.User', attributes: { name: 'Ada', scores: [1, { k: [1] }] } },
      "<shop.models.User object name='Ada' scores=[1.0, {'k': (1,)}]>",
    ],
  ])('%s', (value, text, json, shown) => {
    expect(String(value)).toBe(text)
    expect(`${value}`).toBe(text)
    expect(JSON.parse(JSON.stringify(value))).toEqual(json)
    expect(inspect(value)).toBe(shown)
    expect(inspect([value], { breakLength: Infinity })).toBe(`[ ${shown} ]`)
  })

  test('a float takes part in arithmetic', () => {
    expect((new PyFloat(1.5) as unknown as number) * 2).toBe(3)
  })

  test('a value in itself is refused by JSON.stringify and shown by String()', () => {
    const items: unknown[] = []
    const tuple = new PyTuple(items)
    items.push([tuple])
    expect(() => JSON.stringify(tuple)).toThrow(TypeError)
    expect(String(tuple)).toBe('([(...)],)')
  })
})

describe('a Django model', () => {
  const model = new PythonObject(
    new PyGlobal('django.db.models.base', 'model_unpickle'),
    [new PyTuple(['auth', 'User'])],
    'call',
  )
  model.state = new Map([['username', 'ada']])
  model.hasState = true
  const data = pickle([model])

  test('has the label of its class', () => {
    expect((unpickle(data) as [PythonObject])[0].className).toBe('auth.User')
  })
  test('is converted by it, and shown to the converter in plain JavaScript', () => {
    const user = {
      className: 'auth.User',
      read: ({ attributes, args }: PythonObject) => ({ attributes, args }),
    }
    const orders = { className: 'shop.Order', read: () => 'never' }
    expect(unpickle(data, { converters: [orders, user] })).toEqual([
      { attributes: new Map([['username', 'ada']]), args: [['auth', 'User']] },
    ])
  })
})

describe('what cannot be written says what to write instead', () => {
  class Cache extends Map {}
  class Point {
    x = 1
  }
  test.each<[string, unknown, RegExp]>([
    [
      'undefined',
      { a: undefined },
      /undefined has no form in Python: write null for None, or leave the key out/,
    ],
    ['a function', () => 1, /a function has no form in Python/],
    ['a Date', [new Date()], /a Date has no form in Python: write PyDateTime\.fromDate\(date\)/],
    [
      'a subclass of Map',
      new Cache(),
      /a Cache is a Map with a class of its own: write new Map\(value\) for a dict/,
    ],
    [
      'an instance',
      new Point(),
      /a Point object has no form in Python: write a plain object .* or give a converter/,
    ],
    [
      'floats in a typed array',
      new Float64Array(2),
      /a Float64Array has no form in Python: write \[\.\.\.value\]/,
    ],
    ['a boxed text', new String('a'), /a String object has no form in Python: write value\.valueOf\(\)/],
    ['a promise', Promise.resolve(), /await it first/],
  ])('%s', (_, value, message) => {
    expect(() => pickle(value)).toThrow(ValueEncodeError)
    expect(() => pickle(value)).toThrow(message)
  })

  test('plain values of another realm are written', () => {
    const value = runInNewContext("({ a: [1, new Map([['k', new Set([1])]])], b: new Uint8Array([1]) })")
    expect(
      pickle(value).equals(pickle({ a: [1, new Map([['k', new Set([1])]])], b: Buffer.from([1]) })),
    ).toBe(true)
  })
})

describe('an attribute is set where it is', () => {
  const made = (state: unknown): PythonObject => {
    const object = new PythonObject(new PyGlobal('shop', 'User'), [], 'new')
    object.state = state
    object.hasState = state !== undefined
    return object
  }
  const slots = (value: unknown) => new Map([['b', value]])
  test.each<[unknown, string, unknown]>([
    [undefined, 'a', new Map([['a', 1]])],
    [null, 'a', new Map([['a', 1]])],
    [new Map([['a', 0]]), 'a', new Map([['a', 1]])],
    [{ a: 0 }, 'a', { a: 1 }],
    [new PyTuple([null, slots(0)]), 'b', new PyTuple([null, slots(1)])],
    [new PyTuple([null, slots(0)]), 'a', new PyTuple([new Map([['a', 1]]), slots(0)])],
    [new PyTuple([new Map(), slots(0)]), 'a', new PyTuple([new Map([['a', 1]]), slots(0)])],
  ])('%j, %s', (state, name, changed) => {
    const object = made(state)
    object.setAttribute(name, 1)
    expect(object.state).toEqual(changed)
    expect(object.hasState).toBe(true)
    expect(object.attributes.get(name)).toBe(1)
  })
  test('a state of another form is left as it is', () => {
    for (const state of [5, 'text', [1, 2, 3], new PyTuple([1, 2])]) {
      const object = made(state)
      expect(() => object.setAttribute('a', 1)).toThrow('not a dict of attributes')
      expect(object.state).toEqual(state)
    }
    expect(() => made(undefined).setAttribute(5 as never, 1)).toThrow('must be text')
    const object = made({})
    object.setAttribute('__proto__', 1)
    expect(Object.getPrototypeOf(object.state)).toBe(Object.prototype)
    expect(object.attributes.get('__proto__')).toBe(1)
  })
})
