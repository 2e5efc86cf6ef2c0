/** Expected texts are what Python's repr() prints for the same values (CPython 3.12). */
import { expect, describe as group, test } from 'vitest'
import { describe } from './describe.js'
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
  PyRange,
  PySlice,
  PyTime,
  PyTimeDelta,
  PyTimeZone,
  PyTuple,
  PythonObject,
  PyUuid,
  unpickle,
} from './index.js'

const user = new PythonObject(new PyGlobal('shop.models', 'User'), [], 'new')

group('describe', () => {
  test.each<[unknown, string]>([
    [null, 'None'],
    [true, 'True'],
    [5, '5'],
    [-(2n ** 70n), '-1180591620717411303424'],
    [1.5, '1.5'],
    [new PyFloat(1), '1.0'],
    ['a\'b"\n\u00e9\u200b\ud800', "'a\\'b\"\\n\u00e9\\u200b\\ud800'"],
    ["it's", '"it\'s"'],
    [Buffer.from('a\0\xe9', 'latin1'), "b'a\\x00\\xe9'"],
    [[1, 'a', [null]], "[1, 'a', [None]]"],
    [new PyTuple([1]), '(1,)'],
    [new PyTuple([]), '()'],
    [{ a: 1, b: { c: [] } }, "{'a': 1, 'b': {'c': []}}"],
    [new Map<unknown, unknown>([[1, 'x']]), "{1: 'x'}"],
    [new Set(), 'set()'],
    [new Set([1, 2]), '{1, 2}'],
    [new PyFrozenSet(new Set()), 'frozenset()'],
    [new PyFrozenSet(new Set([1])), 'frozenset({1})'],
    [new PyByteArray(Buffer.from('a')), "bytearray(b'a')"],
    [new PyByteArray(Buffer.from("a'")), String.raw`bytearray(b"a\'")`],
    [new PyComplex(1, -2.5), '(1-2.5j)'],
    [new PyComplex(0, 2), '2j'],
    [new PyDecimal('1.10'), "Decimal('1.10')"],
    [new PyFraction(1n, 3n), 'Fraction(1, 3)'],
    [PyUuid.fromInt(5n), "UUID('00000000-0000-0000-0000-000000000005')"],
    [new PyRange(0, 3), 'range(0, 3)'],
    [new PyRange(0, 3, 2), 'range(0, 3, 2)'],
    [new PySlice(1, 2), 'slice(1, 2, None)'],
    [new PyDate(2020, 1, 2), 'datetime.date(2020, 1, 2)'],
    [new PyDateTime(2020, 1, 2, 3, 4), 'datetime.datetime(2020, 1, 2, 3, 4)'],
    [
      new PyDateTime(2020, 1, 2, 3, 4, 0, 6, PyTimeZone.utc, 1),
      'datetime.datetime(2020, 1, 2, 3, 4, 0, 6, fold=1, tzinfo=datetime.timezone.utc)',
    ],
    [new PyTime(1), 'datetime.time(1, 0)'],
    [new PyTimeDelta(-1, 5), 'datetime.timedelta(days=-1, seconds=5)'],
    [new PyTimeDelta(0), 'datetime.timedelta(0)'],
    [
      new PyTimeZone(new PyTimeDelta(0, 7200), 'CEST'),
      "datetime.timezone(datetime.timedelta(seconds=7200), 'CEST')",
    ],
    [new PyDeque([1], 5), 'deque([1], maxlen=5)'],
    [new PyOrderedDict([['a', 1]]), "OrderedDict({'a': 1})"],
    [new PyCounter([['a', 1]]), "Counter({'a': 1})"],
    [
      new PyDefaultDict(new PyGlobal('builtins', 'list'), [['a', []]]),
      "defaultdict(<class 'list'>, {'a': []})",
    ],
    [user, '<shop.models.User object>'],
    [
      new PythonObject(new PyGlobal('builtins', 'KeyError'), ['k'], 'call'),
      "<builtins.KeyError object ('k')>",
    ],
  ])('%#: %o', (value, expected) => {
    expect(describe(value, 100)).toBe(expected)
  })

  test('what is too long ends in …, at the length asked for', () => {
    expect(describe('x'.repeat(100), 10)).toBe("'xxxxxxxx…")
    expect(describe([1, 2, 3, 4, 5, 6], 10)).toBe('[1, 2, 3,…')
    expect(describe(new Map([[1, 'x'.repeat(50)]]), 12)).toBe("{1: 'xxxxxx…")
  })

  test('a value inside of itself is shown as Python shows it', () => {
    const list: unknown[] = [1]
    list.push(list)
    expect(describe(list)).toBe('[1, [...]]')
    // d = {}; d[d] = d, which only a hostile pickle says.
    expect(describe(unpickle(Buffer.from('80027d710068006800732e', 'hex')))).toBe('{{...}: {...}}')
  })

  test('takes no more time than its text is long', () => {
    const many = unpickle(Buffer.from(`]q\0${'0](h\0h\0eq\0'.repeat(60)}.`, 'latin1'))
    expect(describe(many, 2000)).toHaveLength(2000)
    const dicts = Array.from({ length: 40 }).reduce<unknown>((inner) => new Map([[inner, inner]]), 1)
    expect(describe(dicts, 2000)).toHaveLength(2000)
    let deep: unknown = 1
    for (let i = 0; i < 900; i++) deep = new PyTuple([deep])
    expect(describe(deep, 2000)).toContain('…')
  })

  test('integers that Python refuses to write in decimal are shown by their length', () => {
    expect(describe(10n ** 4000n, 5000)).toHaveLength(4001)
    expect(describe(2n ** (8n * 1_000_000n))).toBe('<int of 8000004 bits>')
  })
})
