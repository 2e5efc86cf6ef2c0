/**
 * Thousands of generated values between this package and a live CPython, in one long-lived process: what we write, Python
 * reads as the same value and would have written byte for byte; what Python writes, we read as the same value.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  compress,
  disassembly,
  fromTypedJson,
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
  PyGlobal,
  PyOrderedDict,
  PyRange,
  PySlice,
  PyTime,
  PyTimeDelta,
  PyTimeZone,
  PyTuple,
  PyUuid,
  pickle,
  type TypedJson,
  toTypedJson,
  unpickle,
} from '../../../src/values/index.js'
import { python2Name, python3Name } from '../../../src/values/pickle/write/python2-names.js'
import { fixtures } from '../support/recordings.js'

const python = process.env.MEMSHIM_PYTHON
const skipped = process.env.MEMSHIM_PYTHON_SKIPPED ?? 'run `npm test`, or set MEMSHIM_PYTHON'

class Oracle {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: AsyncIterator<string>
  constructor() {
    this.child = spawn(python!, [join(fixtures, 'record', 'values', 'values_oracle.py')])
    this.child.stderr.resume()
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }
  async ask<T>(request: object): Promise<T> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value } = await this.lines.next()
    const answer = JSON.parse(value as string) as { result: T; error?: string }
    if (answer.error) throw new Error(`Python: ${answer.error}`)
    return answer.result
  }
  stop(): void {
    this.child.stdin.end()
  }
}

const text = fc.string({ unit: 'binary', maxLength: 20 })
const integer = fc.oneof(
  fc.integer(),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.constantFrom(0, 255, 256, 65535, 65536, 2 ** 31, 2 ** 53 - 1, -(2 ** 31) - 1),
)
const bytes = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data))
const float = fc.double().map((value) => new PyFloat(value))
const delta = fc
  .tuple(fc.integer({ min: -999, max: 999 }), fc.nat(86_399), fc.nat(999_999))
  .map(([days, seconds, microseconds]) => new PyTimeDelta(days, seconds, microseconds))
const zone = fc.constantFrom(null, PyTimeZone.utc, new PyTimeZone(new PyTimeDelta(0, 7200), 'CEST'))
const dateParts = [
  fc.integer({ min: 1, max: 9999 }),
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 28 }),
] as const
const timeParts = [fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999)] as const
const standard = fc.oneof(
  fc.tuple(...dateParts).map((parts) => new PyDate(...parts)),
  fc.tuple(...dateParts, ...timeParts, zone).map((parts) => new PyDateTime(...parts)),
  fc.tuple(...timeParts, zone).map((parts) => new PyTime(...parts)),
  delta,
  fc.tuple(fc.bigInt(), fc.nat()).map(([whole, part]) => new PyDecimal(`${whole}.${part}`)),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((int) => PyUuid.fromInt(int)),
  fc
    .bigInt({ min: -(2n ** 80n), max: 2n ** 80n })
    .map((numerator) => new PyFraction(2n * numerator + 1n, 2n)),
  fc.tuple(fc.integer(), fc.integer()).map(([start, stop]) => new PyRange(start, stop, 2)),
  fc.tuple(fc.integer(), fc.integer()).map(([start, stop]) => new PySlice(start, stop)),
  fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })).map((parts) => new PyComplex(...parts)),
)
const scalar = fc.oneof(
  fc.constantFrom(null, true, false),
  integer,
  float,
  text,
  fc.string({ unit: 'grapheme', minLength: 50, maxLength: 400 }),
  bytes,
  bytes.map((data) => new PyByteArray(data)),
  standard,
)
/** Keys that are distinct to Python too. */
const key = fc.oneof(text, fc.integer({ min: 2 }))

function entriesOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<[unknown, unknown][]> {
  return fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 5 })
}

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.array(tie('tree'), { maxLength: 5 }).map((items) => new PyTuple(items)),
    entriesOf(tie('tree')).map((entries) => new Map(entries)),
    entriesOf(tie('tree')).map((entries) => new PyOrderedDict(entries)),
    entriesOf(tie('tree')).map((entries) => new PyDefaultDict(new PyGlobal('builtins', 'list'), entries)),
    entriesOf(fc.nat()).map((entries) => new PyCounter(entries)),
    fc.array(tie('tree'), { maxLength: 4 }).map((items) => new PyDeque(items, null)),
    fc.array(tie('tree'), { maxLength: 4 }).map((items) => new PyDeque(items, 4)),
    // More than one item would be in another order in Python.
    fc.oneof(text, integer).map((item) => new Set([item])),
    tie('tree').map((shared) => [shared, shared]),
  ),
}))

/** Without Python's repr, which only says the same once more. */
function bare(json: TypedJson): TypedJson {
  return JSON.parse(JSON.stringify(json, (name, part) => (name === '$repr' ? undefined : part)))
}

describe.skipIf(!python)(`Generated values and a live CPython (${python ? 'live' : skipped})`, () => {
  let oracle: Oracle
  beforeAll(() => {
    oracle = new Oracle()
  })
  afterAll(() => oracle.stop())

  it.each([0, 1, 2, 3, 4, 5])('protocol %i: ours in Python, and Python’s here', async (protocol) => {
    await fc.assert(
      fc.asyncProperty(fc.array(tree, { minLength: 10, maxLength: 25 }), async (values) => {
        const ours = values.map((value) => pickle(value, { protocol }))
        const seen = await oracle.ask<{ value: TypedJson; again: string }[]>({
          loads: ours.map((data) => data.toString('base64')),
          protocol,
        })
        seen.forEach(({ value, again }, i) => {
          expect(bare(value)).toEqual(bare(toTypedJson(values[i])))
          // The byte string of these is what CPython's own pickler writes for the value it has just read.
          expect(ours[i]!.toString('latin1')).toBe(Buffer.from(again, 'base64').toString('latin1'))
        })
        const typed = values.map(toTypedJson)
        const theirs = await oracle.ask<string[]>({ dumps: typed, protocol })
        theirs.forEach((data, i) => {
          const read = unpickle(Buffer.from(data, 'base64'), { preserve: true })
          expect(bare(toTypedJson(read))).toEqual(bare(typed[i]!))
        })
      }),
      { numRuns: 40, interruptAfterTimeLimit: 20_000 },
    )
  })

  it('frames of 64 KiB end where CPython ends them', async () => {
    const rows = Array.from({ length: 4000 }, (_, id) => ({
      id,
      name: `user${id}`,
      tags: [`${id}é`, `${'z'.repeat(id % 300)}-${id}`],
      none: null,
    }))
    for (const value of [rows, [...rows, 'x'.repeat(70_000), ...rows], Array(70_000).fill(null)]) {
      const ours = [4, 5].map((protocol) => pickle(value, { protocol }))
      for (const [i, data] of ours.entries()) {
        const [seen] = await oracle.ask<{ again: string }[]>({
          loads: [data.toString('base64')],
          protocol: 4 + i,
        })
        expect(data.equals(Buffer.from(seen!.again, 'base64'))).toBe(true)
      }
    }
  })

  it('names of Python 2 and 3 are CPython’s, every one', async () => {
    type Pairs<T> = readonly (readonly [T, T])[]
    const tables = await oracle.ask<{
      modules3: Pairs<string>
      modules2: Pairs<string>
      names3: Pairs<readonly [string, string]>
      names2: Pairs<readonly [string, string]>
    }>({ names: true })
    for (const [two, three] of tables.modules3) expect(python3Name(two, 'no name')[0], two).toBe(three)
    for (const [three, two] of tables.modules2) expect(python2Name(three, 'no name')[0], three).toBe(two)
    for (const [two, three] of tables.names3) expect(python3Name(...two)).toEqual(three)
    for (const [three, two] of tables.names2) expect(python2Name(...three)).toEqual(two)
  })

  it('compressed bytes are zlib’s, level by level', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(text, fc.constantFrom('{"id": ', 'name', 'Ada ', '1234')), { maxLength: 400 }),
        fc.integer({ min: 1, max: 9 }),
        async (parts, level) => {
          const data = Buffer.from(parts.join(''))
          const theirs = await oracle.ask<string>({ compress: data.toString('base64'), level })
          expect(Buffer.from(compress(data, level)).toString('base64')).toBe(theirs)
        },
      ),
      { numRuns: 200, interruptAfterTimeLimit: 20_000 },
    )
  })

  it('disassembles like pickletools, every recorded pickle of Python 3', async () => {
    const { values } = JSON.parse(readFileSync(join(fixtures, 'vectors', 'pickle.json'), 'utf8'))
    const { cases } = JSON.parse(readFileSync(join(fixtures, 'vectors', 'pickle-types.json'), 'utf8'))
    const all: string[] = [
      ...values.flatMap(({ pickles }: { pickles: string[] }) => pickles),
      ...cases.flatMap(({ pickles }: { pickles: { by: string[]; data: string }[] }) =>
        // pickletools of Python 3 refuses some byte strings of Python 2.
        pickles.filter(({ by }) => by[0] !== '2.7').map(({ data }) => data),
      ),
    ]
    const theirs = await oracle.ask<string[]>({ disassemble: all })
    all.forEach((data, i) => {
      const lines = theirs[i]!.trimEnd().split('\n').slice(0, -1)
      expect([...disassembly(Buffer.from(data, 'base64'))]).toEqual(lines)
    })
  })

  it('typed JSON of the vectors survives Python', async () => {
    const values: TypedJson[] = [{ $tuple: [1, { $float: '1.0' }] }, { $dict: [[1, 'a']] }, { $set: ['x'] }]
    const dumped = await oracle.ask<string[]>({ dumps: values, protocol: 5 })
    dumped.forEach((data, i) => {
      expect(pickle(fromTypedJson(values[i]!)).toString('base64')).toBe(data)
    })
  })
})
