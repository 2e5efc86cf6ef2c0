/** Delta debugging as such, Python source for every kind of value, and traces that shrink to what can be said by hand. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { TypedJson } from '../../values/index.js'
import { AuditOptionsError } from '../options.js'
import type { TraceEvent } from '../traces/trace.js'
import { traceOf } from '../traces/trace-file.js'
import { minimize } from './minimize.js'
import { pythonSource } from './python-source.js'
import { reduce } from './reduce.js'
import { reducedScenario, reproPython } from './repro.js'

test('minimize finds what is needed, wherever it is, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(60), { maxLength: 6 }),
      fc.integer({ min: 61, max: 90 }),
      async (needed, size) => {
        const all = Array.from({ length: size }, (_, i) => i)
        const found = await minimize(all, async (part) => needed.every((one) => part.includes(one)))
        expect([...found]).toEqual([...needed].sort((a, b) => a - b))
      },
    ),
  )
})

test.each<[TypedJson, string]>([
  [null, 'None'],
  [true, 'True'],
  [-1, '-1'],
  [{ $int: '18446744073709551616' }, '18446744073709551616'],
  [{ $float: '-inf' }, "float('-inf')"],
  [{ $float: '1e+300' }, '1e+300'],
  ["a'\\\n\u00e9\u{1f600}", "'a\\'\\\\\\u000a\\u00e9\\U0001f600'"],
  ['x'.repeat(2000), "'x' * 2000"],
  [{ $bytes: "a'\u00ff\\" }, "b'a\\'\\xff\\\\'"],
  [{ $tuple: [1] }, '(1,)'],
  [{ $set: [] }, 'set()'],
  [{ $dict: [[{ $tuple: [1, 2] }, 'v']] }, "{(1, 2): 'v'}"],
  [{ a: [1, { $repeat: ['b', 3] }] }, "{'a': [1, 'b' * 3]}"],
  [{ $iterator: [1], $class: 'generator' }, 'iter([1])'],
])('%j in Python: %s', (value, source) => {
  expect(pythonSource(value)).toBe(source)
})

describe('reduce', () => {
  const header = {
    format: 'memshim-trace/1',
    library: 'python-memcached',
    version: '1.59',
    servers: 1,
  } as const
  const call = (line: number, client: string, name: string, ...args: TypedJson[]): TraceEvent => ({
    kind: 'call',
    line,
    t: line,
    client,
    call: name,
    args,
    kwargs: {},
  })
  const made = (line: number, client: string): TraceEvent => ({
    kind: 'new',
    line,
    t: 0,
    client,
    servers: ['a:1'],
    kwargs: {},
  })
  const trace = traceOf('t', header, [
    made(2, 'a'),
    made(3, 'b'),
    ...Array.from({ length: 40 }, (_, i) => call(4 + i, i % 2 ? 'a' : 'b', 'set', `k${i}`, i)),
    call(50, 'a', 'set', 'text', 'x'),
    call(51, 'b', 'get', 'k1'),
    call(52, 'b', 'incr', 'text'),
    call(53, 'a', 'delete', 'none'),
  ])

  it('to the store of another client and the call', async () => {
    const reduced = await reduce(trace, 'counter-errors')
    expect(reduced.events.map(({ line }) => line)).toEqual([2, 3, 50, 52])
    expect(reduced).toMatchObject({ before: 46, operation: { call: 'incr' } })
    expect(reproPython(reduced)).toContain("call('b', 'incr', 'text')")
    expect(reproPython(reduced)).toContain("client('a', [(0, None)], {}, {}),  # line 2")
    expect(JSON.parse(reducedScenario(reduced)).steps.map((step: { call: string }) => step.call)).toEqual([
      'set',
      'incr',
    ])
  })

  it('commands of a capture, as the calls that they stand for', async () => {
    const wire = (line: number, command: string): TraceEvent => ({
      kind: 'wire',
      line,
      t: line,
      client: 'w',
      wire: command,
      server: 0,
    })
    const captured = traceOf('w', header, [
      wire(2, 'set k 0 0 1\r\nv\r\n'),
      wire(3, 'get k\r\n'),
      wire(4, 'incr none 1\r\n'),
    ])
    const reduced = await reduce(captured, 'missing-counter')
    expect(reduced.events.map(({ line, kind }) => [line, kind])).toEqual([[4, 'call']])
    expect(reproPython(reduced)).toContain("client('w', [(0, None)], {}, {}),\n    call('w', 'incr', 'none'")
  })

  it('by line', async () => {
    expect((await reduce(trace, 'line:53')).events.map(({ line }) => line)).toEqual([2, 53])
  })

  it('ends when it is aborted between its replays', async () => {
    const stop = new AbortController()
    let calls = 0
    const onProgress = () => {
      if (++calls === 46) stop.abort()
    }
    const ended = reduce(trace, 'counter-errors', { signal: stop.signal, onProgress })
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('refuses what the trace does not show, and names that there are not', async () => {
    for (const finding of ['oversize', 'unexplained', 'line:51', 'line:999', 'nonsense', ''])
      await expect(reduce(trace, finding)).rejects.toThrow(AuditOptionsError)
  })
})
