/** Random arguments as typed JSON: values of every type that the libraries write, times, keys and arguments that nobody should pass. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import type { TypedJson } from '../../src/values/index.js'
import { fixtures } from '../differential/support/recordings.js'

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom('', '1', '-1', ' 7 ', 'STORED', 'END', 'x'.repeat(300)) },
)

const integer = fc.oneof(
  fc.integer({ min: -5, max: 300 }),
  fc.constantFrom<TypedJson>(
    2 ** 31,
    -(2 ** 31),
    2 ** 53 - 1,
    { $int: '9223372036854775807' },
    { $int: '-9223372036854775808' },
    { $int: '18446744073709551615' },
    { $int: '18446744073709551616' },
    { $int: '123456789012345678901234567890' },
  ),
)

const float = fc.constantFrom('0.0', '-0.0', '1.0', '1.5', '-2.25', '1e+300', '1e-07', 'inf', '-inf', 'nan')

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map((data) => Buffer.from(data).toString('latin1')),
  fc.constantFrom('', '5', 'END\r\n', '\xff\xfe'),
)

const scalar: fc.Arbitrary<TypedJson> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: integer },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: float.map(($float) => ({ $float })) },
  { weight: 3, arbitrary: bytes.map(($bytes) => ({ $bytes })) },
)

/** Objects of the standard library, as CPython 3.11 pickles them: dates, decimals, ranges and others. */
const object = fc
  .constantFrom(
    ...(
      JSON.parse(readFileSync(join(fixtures, 'vectors', 'pickle.json'), 'utf8')) as {
        readonly objects: readonly { readonly pickles: readonly (string | null)[] }[]
      }
    ).objects.flatMap(({ pickles }) => pickles[4] ?? []),
  )
  .map(($pickle) => ({ $pickle }))

const name = fc.stringMatching(/^[a-z]{1,4}$/)

/** Values that can be stored. Sets hold one element at most: Python orders larger ones anew in each process. */
export const value: fc.Arbitrary<TypedJson> = fc.letrec<{ value: TypedJson }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    { weight: 8, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }).map(($tuple) => ({ $tuple })) },
    { weight: 1, arbitrary: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.integer({ min: 0, max: 9 }), tie('value')).map((pair) => ({ $dict: [pair] })),
    },
    { weight: 1, arbitrary: fc.array(text, { maxLength: 1 }).map(($set) => ({ $set })) },
    { weight: 1, arbitrary: fc.array(text, { maxLength: 1 }).map(($frozenset) => ({ $frozenset })) },
    { weight: 1, arbitrary: bytes.map(($bytearray) => ({ $bytearray })) },
    { weight: 1, arbitrary: fc.tuple(float, float).map((parts) => ({ $complex: parts })) },
    { weight: 1, arbitrary: object },
  ),
})).value

/** An item that another client wrote, as bytes for a server: types that do not fit the data, and unknown flags. */
export const foreignItem = (key: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      key,
      fc.constantFrom(
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        8,
        9,
        10,
        12,
        16,
        17,
        18,
        24,
        32,
        33,
        34,
        36,
        40,
        256,
        2 ** 31,
        2 ** 32 - 1,
      ),
      fc.constantFrom(...stored),
    )
    .map(([key, flags, data]) => `set ${key} ${flags} 0 ${data.length}\r\n${data}\r\n`)

const stored = [
  '', 'abc', 'é', '17', ' 17 ', '+17', '-0', '1_7', '017', '9'.repeat(30), '1.5', '\xff', 'I5\n.', 'N.', '.', 'garbage',
  '\x80\x04K\x05.', '\x80\x04\x8c\x01a\x94.', 'ccollections\nOrderedDict\n.', latin1(deflateSync('17')), latin1(deflateSync('I5\n.')), latin1(deflateSync('')),
  latin1(deflateSync('17')).slice(0, -2), `${latin1(deflateSync('17'))}more`,
] // biome-ignore format: one list

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

/** Around the limit of one mebibyte; compressible. */
export const largeValue: fc.Arbitrary<TypedJson> = fc.constantFrom<TypedJson>(
  { $repeat: ['x', 2 ** 20 + 1] },
  { $repeat: [{ $bytes: 'y' }, 2 ** 20 + 1] },
  { $repeat: ['z', 5000] },
)

/** Times that do not run out while a sequence runs, or have run out when they are stored. */
export const time: fc.Arbitrary<TypedJson> = fc.constantFrom<TypedJson>(
  0,
  60,
  3600,
  2_592_000,
  2_000_000_000,
  -1,
)

/** What a program can pass by mistake where a number is meant. */
export const oddNumber: fc.Arbitrary<TypedJson> = fc.constantFrom<TypedJson>(
  null,
  true,
  false,
  '5',
  'x',
  '',
  { $bytes: '5' },
  { $float: '90.7' },
  { $float: '-0.5' },
  { $float: 'nan' },
  { $float: 'inf' },
  -5,
  2 ** 31,
  [],
  { $tuple: [60] },
  {},
)

export const plainKeys = ['a', 'b', 'c', 'd', 'key:5', 'z'.repeat(250)]

/** Keys that some rule of some version looks at. */
export const oddKey: fc.Arbitrary<TypedJson> = fc.oneof(
  fc.constantFrom<TypedJson>(
    '',
    'a b',
    'tab\t',
    'del\x7f',
    'nul\0',
    'ключ',
    'é',
    '𝄞',
    'y'.repeat(251),
    'é'.repeat(126),
    { $bytes: 'a' },
    { $bytes: '' },
    { $bytes: '\xff\x80' },
    { $bytes: 'a b' },
    5,
    0,
    true,
    null,
    { $float: '1.5' },
    { $tuple: [7, 'a'] },
    { $tuple: [3, 'b'] },
    { $tuple: [-1, { $bytes: 'c' }] },
    { $tuple: ['x', 'a'] },
    { $tuple: [1] },
    { $tuple: [] },
    { $tuple: [1, 2] },
    { $tuple: [1, 'a', 2] },
    { $tuple: [1, null] },
    { $tuple: [1, ''] },
    { $tuple: [1, 'a b'] },
    { $tuple: [true, 'a'] },
    [],
    ['a'],
    { $set: [] },
    { $bytearray: 'a' },
  ),
  // A line feed at the end is let through by the library and refused by us (docs/compat.md).
  fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }).filter((text) => !text.endsWith('\n')),
)
