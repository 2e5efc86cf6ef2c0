/**
 * Pickles of real applications (Django, numpy, pandas, time zones, users' classes; fixtures/record/values/applications.py), read with default
 * options and written back in every protocol: to Python, what is written back is an equal object.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PyFloat, PythonObject, pickle, unpickle } from '../../../src/values/index.js'
import { fixtures } from '../support/recordings.js'

interface Row {
  readonly title: string
  readonly protocol: number
  readonly data: string
}

const { runs } = JSON.parse(readFileSync(join(fixtures, 'vectors', 'applications.json'), 'utf8')) as {
  runs: readonly { readonly python: string; readonly rows: readonly Row[] }[]
}

/** Python 2's text is bytes, which only this keeps. */
const encodingOf = (python: string) => (python === '2.7' ? 'bytes' : 'ascii')

describe.each(runs)('pickles of Python $python', ({ python, rows }) => {
  const titles = [...new Set(rows.map(({ title }) => title))]
  it.each(titles)('%s: read, written and read again it is the same', (title) => {
    const encoding = encodingOf(python)
    for (const { data, protocol } of rows.filter((row) => row.title === title)) {
      const bytes = Buffer.from(data, 'base64')
      const written = pickle(unpickle(bytes, { encoding, preserve: true }), { protocol })
      // What is written as bytes by protocols 0 to 2 is text that Python encodes again, whatever it was before.
      expect(unpickle(written, { preserve: true })).toEqual(unpickle(bytes, { encoding, preserve: true }))
      if (python !== '2.7') expect(unpickle(pickle(unpickle(bytes), { protocol }))).toEqual(unpickle(bytes))
    }
  })
})

/** The interpreters with the packages: those that environments.py makes, and Python 2.7. */
const interpreters: Readonly<Record<string, string | undefined>> = {
  '2.7': process.env.MEMSHIM_PYTHON2,
  '3.11':
    process.env.MEMSHIM_PYTHON_APPLICATIONS ??
    join(fixtures, '..', '.cache', 'venvs', 'applications-5.1', 'bin', 'python'),
}

class Comparer {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: AsyncIterator<string>
  constructor(python: string) {
    this.child = spawn(python, [join(fixtures, 'record', 'values', 'applications.py'), '--compare'])
    this.child.stderr.resume()
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }
  async ask(original: string, written: Buffer, options: object): Promise<unknown> {
    const request = { original, written: written.toString('base64'), ...options }
    this.child.stdin.write(`${JSON.stringify(request)}\n`)
    const { value } = await this.lines.next()
    const answer = JSON.parse(value as string) as { result?: unknown; error?: string }
    return answer.error ?? answer.result
  }
  stop(): void {
    this.child.stdin.end()
  }
}

/** Attributes that are text or numbers: a class that reads its own state, as numpy's generators do, expects others to have their type. */
const simpleAttributes = (object: PythonObject): string[] =>
  [...object.attributes].flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' || value instanceof PyFloat ? [name] : [],
  )

describe.each(runs)('pickles of Python $python, compared by Python', ({ python, rows }) => {
  const interpreter = interpreters[python] ?? ''
  describe.skipIf(!existsSync(interpreter))(
    `live (${existsSync(interpreter) ? interpreter : 'not installed'})`,
    () => {
      let comparer: Comparer
      beforeAll(() => {
        comparer = new Comparer(interpreter)
      })
      afterAll(() => comparer?.stop())

      const protocols = python === '2.7' ? [0, 1, 2] : [0, 1, 2, 3, 4, 5]
      /** Python itself cannot say these in protocols 0 and 1. */
      const least = new Map(
        rows.map(({ title }) => [
          title,
          Math.min(...rows.filter((row) => row.title === title).map(({ protocol }) => protocol)),
        ]),
      )
      const titles = [...least.keys()]
      it.each(titles)('%s', { timeout: 120_000 }, async (title) => {
        const encoding = encodingOf(python)
        for (const { data, protocol: from } of rows.filter((row) => row.title === title)) {
          const bytes = Buffer.from(data, 'base64')
          for (const protocol of protocols.filter((to) => to >= Math.min(from, least.get(title)!))) {
            for (const preserve of [false, true]) {
              const written = pickle(unpickle(bytes, { encoding, preserve }), { protocol })
              const same = await comparer.ask(data, written, { outside: !preserve })
              expect(same, `from ${from} to ${protocol}${preserve ? ', preserved' : ''}`).toBe(true)
            }
          }
        }
      })

      // Names that Python 2 wrote are bytes.
      it.skipIf(python === '2.7')('objects with one attribute changed', { timeout: 120_000 }, async () => {
        const encoding = encodingOf(python)
        let compared = 0
        for (const { data, protocol, title } of rows.filter((row) => row.title !== 'numpy random state')) {
          const bytes = Buffer.from(data, 'base64')
          const read = () => unpickle(bytes, { encoding, preserve: true })
          const object = read()
          for (const name of object instanceof PythonObject ? simpleAttributes(object) : []) {
            const changed = read() as PythonObject
            changed.setAttribute(name, 'changed')
            const same = await comparer.ask(data, pickle(changed, { protocol }), { changed: name })
            expect(same, `${title}, protocol ${protocol}: ${name}`).toBe(true)
            compared++
          }
        }
        expect(compared).toBeGreaterThan(20)
      })
    },
  )
})
