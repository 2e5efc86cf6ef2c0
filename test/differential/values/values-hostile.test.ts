/**
 * Input that kills or hangs readers (docs/reference/field.md#4), and a corpus of broken pickles, each in a child process with little
 * memory: every one is read or refused with a typed error, quickly, and nothing it names is run.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixtures } from '../support/recordings.js'
import { buildValues, type ValueBuild } from './value-build.js'

const HEAP_MB = 512
/** Milliseconds. What takes linear time takes far less, also on a busy machine; what does not takes far more. */
const TOO_LONG = 60_000
const child = `
import { readFileSync } from 'node:fs'
import { UnpicklingError, ValueDecodeError, pylibmcEncoding, unpickle } from './values/index.js'
const { inputs, zlib } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const results = inputs.map((input) => {
  const data = Buffer.from(input, 'base64')
  const started = performance.now()
  let outcome
  try {
    const value = zlib ? pylibmcEncoding().decode(9, data) : unpickle(data, { encoding: 'latin1' })
    outcome = typeof value
  } catch (error) {
    outcome = error instanceof UnpicklingError || error instanceof ValueDecodeError ? error.message : 'UNTYPED ' + error
  }
  return { outcome, ms: performance.now() - started }
})
console.log(JSON.stringify({ results, rss: process.resourceUsage().maxRSS / 1024, polluted: 'polluted' in {} }))
`

interface Report {
  readonly results: readonly { readonly outcome: string; readonly ms: number }[]
  /** MiB at the highest. */
  readonly rss: number
  readonly polluted: boolean
}

const repeat = (count: number, ...bytes: (string | number)[]) =>
  Buffer.alloc(count * Buffer.concat(bytes.map(piece)).length, Buffer.concat(bytes.map(piece)))
const piece = (part: string | number | Buffer) =>
  typeof part === 'number' ? Buffer.from([part]) : Buffer.isBuffer(part) ? part : Buffer.from(part, 'latin1')
const pickled = (...parts: (string | number | Buffer)[]) => Buffer.concat([...parts, '.'].map(piece))
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
const text = (length: number, unit = 'a') => [0x58, u32(length), unit.repeat(length)] as const
const N = 300_000

/** Title, input, and what has to be said; `object` and the like = it is read. */
const cases: readonly (readonly [string, Buffer, string | RegExp])[] = [
  ['BINBYTES with a length beyond the end', pickled('B', u32(0xffffffff)), /4294967295 bytes announced, 1 left \(offset 0, BINBYTES\)/],
  ['BINSTRING with a negative length', pickled('T', u32(0xffffffff)), /negative length -1 \(offset 0, BINSTRING\)/],
  ['LONG4 with a negative length', pickled(0x8b, u32(0xffffffff)), /negative length -1 \(offset 0, LONG4\)/],
  ['LONG4 of 400 kB', pickled(0x8b, u32(400_000), repeat(400_000, 0x7f)), 'bigint'],
  ['LONG4 of 32 MiB', pickled(0x8b, u32(2 ** 25), Buffer.alloc(2 ** 25, 1)), /more than the limit of 16777216/],
  ['300,000 items in one APPENDS', pickled('](', repeat(N, 'N'), 'e'), 'object'],
  ['300,000 items in one tuple', pickled('(', repeat(N, 'N'), 't'), 'object'],
  ['300,000 items in one SETITEMS', pickled('}(', repeat(N, 'I1\nN'), 'u'), 'object'],
  ['BINBYTES8 of 2^40 bytes', pickled(0x8e, u32(0), u32(256)), /1099511627776 bytes announced/],
  ['BYTEARRAY8 of 2^63 bytes', pickled(0x96, u32(0), u32(2 ** 31)), /bytes announced/],
  ['a frame of 2^60 bytes', pickled(0x95, u32(0), u32(2 ** 28)), /bytes announced, 1 left \(offset 0, FRAME\)/],
  ['500,000 nested lists', pickled(repeat(500_000, ']'), repeat(499_999, 'a')), /nested deeper than 1000 \(offset \d+, APPEND\)/],
  ['500,000 nested tuples on a flat stack', pickled('N', repeat(500_000, 0x85)), /nested deeper than 1000 \(offset 1001, TUPLE1\)/],
  ['500,000 lists nested through the memo', pickled(']q\0', repeat(500_000, ']h\0aq\0')), /nested deeper than 1000/],
  ['500,000 objects, each the class of the next', pickled('ca\nb\n', repeat(500_000, ')\x81')), /nested deeper than 1000/],
  ['stack underflow', pickled('0'), /the stack is empty \(offset 0, POP\)/],
  ['marks without end', pickled(repeat(8_000_000, '(')), /more memory than the limit of 134217728 bytes \(offset \d+, MARK\)/],
  ['a stack without end', pickled(repeat(20_000_000, 'N')), /more memory than .* \(offset 8388608, NONE\)/],
  ['a memo without end', pickled('N', repeat(8_000_000, 0x94)), /more memory than .* MEMOIZE\)/],
  ['memo index 4294967295', pickled('Nr', u32(0xffffffff), 'j', u32(0xffffffff)), 'object'],
  ['a memo index of a million digits', pickled('Np', '1'.repeat(1_000_000), '\n'), /is not a memo index/],
  ['an integer of a million digits', pickled('I', '1'.repeat(1_000_000), '\n'), /is not an integer/],
  ['a float of a million digits and one letter', pickled('F', '1'.repeat(1_000_000), 'x\n'), /is not a float/],
  ['a million backslashes', pickled('V', '\\'.repeat(1_000_000), 'u\n'), 'string'],
  ['a Decimal of a million digits and one letter', pickled('cdecimal\nDecimal\n', ...text(1_000_000, '1'), 'I1\n0', 0x85, 'R'), 'object'],
  ['one text decoded 100,000 times', pickled(...text(100_000), 'q\0Vlatin1\nq\x010', repeat(100_000, 'c_codecs\nencode\nh\0h\x01\x86R')), /more memory than/],
  ['one list copied into 100,000 sets', pickled('](', repeat(100_000, 'N'), 'eq\x000', repeat(100_000, 'c__builtin__\nset\nh\0\x85R')), /more memory than/],
  ['one argument tuple for 200,000 objects', pickled('(', repeat(200_000, 'N'), 'tq\0ca\nb\nq\x0100](', repeat(200_000, 'h\x01h\0R'), 'e'), 'object'],
  ['a class name of a million letters', pickled('c', 'a'.repeat(1_000_000), '\nb\n'), /is more than the limit of 1000/],
  ['__proto__ as a key', pickled('}V__proto__\n}Vpolluted\nI01\nss'), 'object'],
  ['__proto__ as an attribute', pickled('ca\nb\n)\x81}V__proto__\n}Vpolluted\nI01\nssb'), 'object'],
  ['text that is not UTF-8', pickled(0x8c, 2, Buffer.from([0xc3, 0x28])), /not UTF-8 \(offset 0, SHORT_BINUNICODE\)/],
  ['a command for a shell', pickled('cos\nsystem\n(Vtouch memshim-was-here\ntR'), 'object'],
  ['a hundred long keys of one length', pickled('}(', ...Array.from({ length: 100 }, (_, i) => Buffer.concat([...text(16_390, ''), `${'a'.repeat(16_384)}${i + 100_000}`, 'N'].map(piece))), 'u'), 'object'],
  ['three hundred long keys of one length', pickled('}(', ...Array.from({ length: 300 }, (_, i) => Buffer.concat([...text(16_390, ''), `${'a'.repeat(16_384)}${i + 100_000}`, 'N'].map(piece))), 'u'), /300 keys are chosen so that their hashes clash/],
  ['a list of two, sixty times doubled', pickled(']q\0', ...Array.from({ length: 60 }, () => '0](h\0h\0eq\0')), 'object'],
] // biome-ignore format: one case a line

/** Small items that are large once they are inflated, and larger still once they are read. */
const M = 1e8
const many = (...parts: (string | number)[]) => repeat(Math.floor(M / pickled(...parts).length), ...parts)
const memoised = (first: string, ...each: (string | number)[]) => pickled(first, '(', many(...each), 't')
const numbered = (count: number, unit: (i: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => unit(i)))
const int = (value: number) => Buffer.concat([piece('J'), u32(value)])
/** V8's hash of a small integer (hash-flood.ts says where that is from): these all fall into one bucket of 16,384. */
function colliding(count: number): number[] {
  const found: number[] = []
  for (let key = 0; found.length < count; key++) {
    let hash = (~key + (key << 15)) | 0
    hash ^= hash >>> 12
    hash = (hash + (hash << 2)) | 0
    hash ^= hash >>> 4
    hash = Math.imul(hash, 2057)
    hash ^= hash >>> 16
    if ((hash & 0x3fff) === 5) found.push(key)
  }
  return found
}
const COLLIDING = colliding(60_000)
const clashing = (unit: (key: number) => Buffer) => Buffer.concat(COLLIDING.map(unit))
/** V8 hashes text of more than 16,383 characters by its length alone. */
const longText = (i: number) =>
  Buffer.concat(
    text(16_390, '')
      .map(piece)
      .concat(piece(`${'a'.repeat(16_384)}${i + 100_000}`)),
  )
const inflating: readonly (readonly [string, () => Buffer])[] = [
  ['one list filled again and again', () => pickled(']', many('(', 'K\x01'.repeat(1e4), 'e'))],
  ['tuples nested without end', () => pickled(')', many(0x85))],
  ['a million tuples', () => memoised('', 'N\x85')],
  ['a million lists', () => memoised('', ']Na')],
  ['a million dicts', () => memoised('Va\nq\0', '}h\0Ns')],
  ['a million sets', () => memoised('', 0x8f)],
  ['a million byte strings', () => memoised('', 'C\x01a')],
  ['a million floats', () => memoised('', 'G\x3f\xf1\x11\x11\x11\x11\x11\x11')],
  ['a million short texts', () => memoised('', 'X\x06\0\0\0\xe2\x82\xac\xe2\x82\xac')],
  ['one long text', () => pickled('X', u32(M), Buffer.alloc(M, 'a'))],
  ['escapes of a byte string', () => pickled("S'", many('\\x41'), "'\n")],
  ['escapes of text', () => pickled('V', many('\\u20ac'), '\n')],
  ['a memo flood', () => pickled('N', many(0x94))],
  ['a million objects', () => memoised('ca\nb\nq\0', 'h\0)\x81')],
  ['a million states for one object', () => pickled('ca\nb\n)\x81', many('}b'))],
  ['objects, each the state of the next', () => pickled('ca\nb\nq\0)\x81q\x010', many('h\0)\x81h\x01bq\x010'), 'h\x01')],
  ['calls of calls', () => pickled('ca\nb\n', many(')R'))],
  ['a million classes', () => memoised('', 'ca\nb\n')],
  ['a million dates', () => memoised('cdatetime\ndate\nq\0C\x04\x07\xe4\x01\x01\x85q\x01', 'h\0h\x01R')],
  ['a million UUIDs', () => memoised('cuuid\nUUID\nq\0}X\x03\0\0\0intK\x01sq\x01', 'h\0)\x81h\x01b')],
  ['a million decimals', () => memoised('cdecimal\nDecimal\nq\0V1\n\x85q\x01', 'h\0h\x01R')],
  ['one dict counted again and again', () => pickled('}(', numbered(1e5, (i) => Buffer.concat([int(i), piece('N')])), 'uq\0ccollections\nCounter\nq\x01(', many('h\x01h\0\x85R'), 't')],
  ['objects dropped again at once', () => pickled(many(']0'), 'N')],
  ['frames of nothing', () => pickled(many(0x95, '\0\0\0\0\0\0\0\0'), 'N')],
  ['long integers', () => pickled('(', repeat(6, 0x8b, Buffer.concat([u32(2 ** 24), Buffer.alloc(2 ** 24, 0x7f)]).toString('latin1')), 't')],
  ['memo numbers from the top', () => pickled('N', numbered(2e6, (i) => Buffer.concat([piece('r'), u32(0xffffffff - i)])))],
  ['integers of one hash as keys', () => pickled('}(', clashing((key) => Buffer.concat([int(key), piece('N')])), 'u')],
  ['integers of one hash as keys, one by one', () => pickled('}', clashing((key) => Buffer.concat([int(key), piece('Ns')])))],
  ['integers of one hash after a hundred thousand others', () => pickled('}(', numbered(1e5, (i) => Buffer.concat([int(1e9 + i), piece('N')])), 'u(', clashing((key) => Buffer.concat([int(key), piece('N')])), 'u')],
  ['integers of one hash in a set', () => pickled(0x8f, '(', clashing(int), 0x90)],
  ['bigints of one hash in a set', () => pickled(0x8f, '(', numbered(90_000, (i) => Buffer.from([0x8a, 11, 1, 1, 1, 1, 1, 1, 1, 1, i & 255, i >> 8, 1])), 0x90)],
  ['long text of one hash as keys', () => pickled('}(', numbered(3000, (i) => Buffer.concat([longText(i), piece('N')])), 'u')],
  ['long text of one hash as keys, one by one', () => pickled('}', numbered(3000, (i) => Buffer.concat([longText(i), piece('Ns')])))],
  ['long text of one hash in a set', () => pickled(0x8f, '(', numbered(3000, longText), 0x90)],
  ['long text of one hash in many dicts', () => pickled('(', numbered(30, () => Buffer.concat([piece('}('), numbered(100, (i) => Buffer.concat([longText(i), piece('N')])), piece('u')])), 't')],
  ['long integers of one hash in a set', () => pickled(0x8f, '(', numbered(2000, (i) => Buffer.concat([piece(0x8b), u32(8002), Buffer.alloc(8000, 1), Buffer.from([i & 255, 1 + (i >> 8)])])), 0x90)],
  ['digits of one hash as keys', () => pickled('}(', numbered(65_000, (i) => piece(`V${i * 65_536}\nN`)), 'u')],
] // biome-ignore format: one case a line

describe('hostile values, in a child process', { timeout: 3 * TOO_LONG }, () => {
  let build: ValueBuild
  beforeAll(() => {
    build = buildValues()
    writeFileSync(join(build.directory, 'child.js'), child)
  })
  afterAll(() => build.remove())

  function run(inputs: readonly Buffer[], zlib = false): Report {
    const file = join(build.directory, 'inputs.json')
    writeFileSync(file, JSON.stringify({ inputs: inputs.map((data) => data.toString('base64')), zlib }))
    const { stdout, stderr, status, signal } = spawnSync(
      process.execPath,
      [`--max-old-space-size=${HEAP_MB}`, 'child.js', file],
      { cwd: build.directory, encoding: 'utf8', timeout: 2 * TOO_LONG, maxBuffer: 2 ** 28 },
    )
    expect(status, `${signal ?? ''} ${stderr.slice(0, 2000)}`).toBe(0)
    return JSON.parse(stdout) as Report
  }

  it.each(cases)('%s', (_, input, expected) => {
    const { results, rss, polluted } = run([input])
    if (typeof expected === 'string') expect(results[0]!.outcome).toBe(expected)
    else expect(results[0]!.outcome).toMatch(expected)
    expect(results[0]!.outcome).not.toMatch(/UNTYPED/)
    expect(results[0]!.ms).toBeLessThan(TOO_LONG)
    expect(rss).toBeLessThan(HEAP_MB + 500)
    expect(polluted).toBe(false)
    expect(existsSync(join(build.directory, 'memshim-was-here'))).toBe(false)
  })

  it.each(inflating)('small before it is inflated: %s', (_, make) => {
    const { results, rss } = run([deflateSync(make(), { level: 1 })], true)
    expect(results[0]!.outcome).not.toMatch(/UNTYPED/)
    expect(results[0]!.ms).toBeLessThan(TOO_LONG)
    expect(rss).toBeLessThan(HEAP_MB + 500)
  })

  it('pickles of CPython, cut and changed at random places: read or refused with a typed error', () => {
    const { values } = JSON.parse(readFileSync(join(fixtures, 'vectors', 'pickle.json'), 'utf8'))
    const { cases: types } = JSON.parse(readFileSync(join(fixtures, 'vectors', 'pickle-types.json'), 'utf8'))
    const seeds: Buffer[] = [
      ...values.flatMap(({ pickles }: { pickles: string[] }) => pickles),
      ...types.flatMap(({ pickles }: { pickles: { data: string }[] }) => pickles.map(({ data }) => data)),
    ]
      .map((data: string) => Buffer.from(data, 'base64'))
      .filter(({ length }) => length < 2000)
    // A fixed sequence, so that a failure can be seen again.
    let state = 12345
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
      return state % below
    }
    const inputs = seeds.flatMap((seed) =>
      Array.from({ length: 12 }, (_, round) => {
        const changed = Buffer.from(round % 4 === 0 ? seed.subarray(0, random(seed.length + 1)) : seed)
        for (let i = 0; i < round % 4 && changed.length > 0; i++)
          changed[random(changed.length)] = random(256)
        return changed
      }),
    )
    expect(inputs.length).toBeGreaterThan(10_000)
    const { results, rss } = run(inputs)
    expect(results.filter(({ outcome }) => outcome.startsWith('UNTYPED'))).toEqual([])
    expect(results.some(({ outcome }) => outcome === 'object')).toBe(true)
    expect(Math.max(...results.map(({ ms }) => ms))).toBeLessThan(TOO_LONG)
    expect(rss).toBeLessThan(HEAP_MB + 500)
  })

  it('zlib streams: a bomb of 300 MiB, cut, changed', () => {
    const stream = deflateSync(Buffer.from('(lp0\n.'.repeat(100)))
    const mebibyte = Buffer.alloc(2 ** 20)
    const bomb = deflateSync(Buffer.concat(Array.from({ length: 300 }, () => mebibyte)))
    const cut = Array.from({ length: stream.length }, (_, length) => stream.subarray(0, length))
    const changed = Array.from({ length: stream.length }, (_, at) => {
      const copy = Buffer.from(stream)
      copy[at]! ^= 0x55
      return copy
    })
    const { results, rss } = run([bomb, ...cut, ...changed], true)
    expect(results[0]!.outcome).toMatch(/inflates to more than 134217728 bytes/)
    expect(results.filter(({ outcome }) => outcome.startsWith('UNTYPED'))).toEqual([])
    expect(rss).toBeLessThan(HEAP_MB + 700)
  })
})
