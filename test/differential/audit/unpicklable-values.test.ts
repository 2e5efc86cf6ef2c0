/**
 * Values that cannot be pickled: lambdas, generators, locks, modules, files, objects whose own code refuses. The audit of a trace predicts what each real
 * library does with them (`fixtures/record/calls/unpicklable_values.py` records).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { audit, type Outcome, readTrace } from '../../../src/audit/index.js'
import { fixtures } from '../support/recordings.js'

type Real = { readonly raises: string } | { readonly result: unknown }
const { trace, real } = JSON.parse(
  readFileSync(join(fixtures, 'vectors', 'unpicklable-values.json'), 'utf8'),
) as { readonly trace: readonly object[]; readonly real: Readonly<Record<string, readonly Real[]>> }

const folder = mkdtempSync(join(tmpdir(), 'memshim-unpicklable-'))
const file = join(folder, 'trace.jsonl')
beforeAll(() => writeFileSync(file, trace.map((row) => `${JSON.stringify(row)}\n`).join('')))
afterAll(() => rmSync(folder, { recursive: true }))

/** What the program of the recording prints of an outcome: an object of another class by its class only. */
function printed(outcome: Outcome): unknown {
  if ('raises' in outcome) return outcome.raises.class
  const { result } = outcome
  return typeof result === 'object' && result !== null && !Array.isArray(result) ? 'an object' : result
}

const truths = new Map<unknown, unknown>([
  [true, 1],
  [false, 0],
])
const plain = (value: unknown): unknown => truths.get(value) ?? value

it.each(Object.keys(real).filter((version) => version !== 'python-memcached-1.59'))(
  'python-memcached 1.59 → %s: every call of 23 values is predicted',
  { timeout: 120_000 },
  async (version) => {
    const predicted: { line: number; call: string; target: Outcome; source: Outcome }[] = []
    const pymemcache = version.startsWith('pymemcache')
    await audit(await readTrace(file), {
      to: version,
      ...(pymemcache && { targetOptions: { serde: 'pickle_serde', default_noreply: false } }),
      onOperation: ({ line, call, compat, strict }) =>
        predicted.push({ line, call, target: strict, source: compat }),
    })
    const calls = predicted.filter(({ call }) => call !== 'Client')
    expect(calls.length).toBe(real[version]!.length)
    const wrong = calls.flatMap(({ line, call, target, source }, at) => {
      const sides = [
        { side: version, found: printed(target), wanted: real[version]![at]! },
        { side: 'source', found: printed(source), wanted: real['python-memcached-1.59']![at]! },
      ]
      return sides.flatMap(({ side, found, wanted }) => {
        const expected =
          'raises' in wanted
            ? wanted.raises
            : typeof wanted.result === 'string' && found === 'an object'
              ? 'an object'
              : wanted.result
        return JSON.stringify(plain(found)) === JSON.stringify(plain(expected))
          ? []
          : [{ line, call, side, found, expected }]
      })
    })
    expect(wrong).toEqual([])
  },
)
