/** The table of docs/values.md, cell by cell, against the real libraries. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pylibmcEncoding, pythonMemcachedEncoding } from '../../../src/values/index.js'
import { installed, skipped } from '../../support/python-library.js'
import { fixtures } from '../support/recordings.js'

const page = readFileSync(join(fixtures, '..', 'docs', 'values.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, code, pylibmc, newer, older, read, preserved]) => ({
    expression: code!.slice(1, -1),
    flags: { pylibmc: Number(pylibmc), '1.59': Number(newer), '1.62': Number(newer), '1.58': Number(older) },
    read,
    preserved,
  }))

/** How the table calls a type. */
function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? value.constructor.name : typeof value
}

describe('docs/values.md', () => {
  it('has a row for every type', () => {
    expect(rows.length).toBeGreaterThanOrEqual(34)
  })

  for (const { library, version, python } of installed) {
    describe.skipIf(python === undefined)(`${library} ${version} (${python ? 'live' : skipped})`, () => {
      const stored: [number, string][] = python
        ? JSON.parse(
            execFileSync(python, [join(fixtures, 'record', 'values', 'values_written.py'), library], {
              input: JSON.stringify(rows.map(({ expression }) => expression)),
              encoding: 'utf8',
            }),
          )
        : []
      const pylibmc = library === 'pylibmc'
      const memcached = version === '1.58' ? '1.58' : '1.59'
      const encoding = (preserve: boolean) =>
        pylibmc ? pylibmcEncoding({ preserve }) : pythonMemcachedEncoding({ preserve, version: memcached })

      it.each(rows.map((row, i) => ({ ...row, i })))(
        '$expression',
        ({ expression, flags, read, preserved, i }) => {
          const [written, base64] = stored[i]!
          const data = Buffer.from(base64, 'base64')
          expect(written).toBe(pylibmc ? flags.pylibmc : flags[version as keyof typeof flags])
          const value = encoding(true).decode(written, data)
          // bytes without a flag are text to 1.58, and pylibmc's booleans are integers to everyone: encoded again as such.
          const again = encoding(true).encode(written === 2 && expression === 'True' ? true : value)
          expect(Buffer.from(again.data).toString('latin1')).toBe(data.toString('latin1'))
          expect(again.flags).toBe(written)
          // Read with default options all but whole floats is written back as it was.
          const plain = encoding(false).decode(written, data)
          if (expression !== '1.0') {
            const rewritten = encoding(false).encode(written === 2 && expression === 'True' ? true : plain)
            expect(Buffer.from(rewritten.data).toString('latin1')).toBe(data.toString('latin1'))
            expect(rewritten.flags).toBe(written)
          }
          if (library === 'python-memcached' && memcached === '1.59') {
            // Early releases of CPython 3.11 write members of enums as attributes of their class.
            const attribute = data.includes('getattr') && preserved === 'PythonObject'
            expect(typeOf(value)).toBe(attribute ? 'PyGlobal' : preserved)
            expect(typeOf(plain)).toBe(attribute ? 'PyGlobal' : read)
          }
        },
      )
    })
  }
})
