/**
 * Every row of pylibmc's specification (§3–§10) that states an outcome, with what shows it: coverage.json beside this file, described
 * in docs/formats.md. Nothing named there may be missing, no row may be without, and what is for both protocols is shown over both.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixtures, loadRecordings } from './recordings.js'

interface Row {
  readonly section: string
  readonly row: string
  /** `topic/name`, with `*` for any part of a name, `#n` for one step. */
  readonly recordings?: readonly string[]
  /** File under fixtures/vectors, and where it matters the part of it: `file: part`. */
  readonly vectors?: readonly string[]
  /** `file: beginning of a title`. */
  readonly tests?: readonly string[]
  /** The one protocol that has such a row; meta commands go with text. */
  readonly only?: 'text' | 'binary'
  /** Why there is one protocol, or no recording. */
  readonly why?: string
}

const root = join(fixtures, '..')
const rows: readonly Row[] = JSON.parse(readFileSync(join(import.meta.dirname, 'coverage.json'), 'utf8'))
const recordings = {
  text: loadRecordings('pylibmc-1.6.3'),
  binary: loadRecordings('pylibmc-1.6.3-binary'),
}

function found(protocol: 'text' | 'binary', reference: string) {
  const [name = '', step] = reference.split('#')
  const pattern = new RegExp(
    `^${name
      .split('*')
      .map((part) => part.replace(/[.+?]/g, '\\$&'))
      .join('[^/]*')}$`,
  )
  return recordings[protocol].filter(
    (recording) => pattern.test(recording.name) && (step === undefined || recording.steps[Number(step)]),
  )
}

const protocolsOf = ({ only }: Row) => (only ? [only] : (['text', 'binary'] as const))

describe('rows of spec/pylibmc §3–§10', () => {
  it('there is one for every section', () => {
    const sections = new Set(rows.map(({ section }) => section))
    for (const section of '3.1 3.2 3.3 3.4 3.5 4.1 4.2 4.3 4.4 4.5 4.6 5 5.1 5.2 5.3 5.4 5.5 5.6 5.7 5.8 6 6.1 7.1 7.2 7.3 7.4 8 9.1 9.2 9.3 9.4 9.5 10 10.1 10.2'.split(
      ' ',
    ))
      expect(sections).toContain(section)
    expect(new Set(rows.map(({ section, row }) => `${section} ${row}`)).size).toBe(rows.length)
  })

  it.each(rows)('§$section $row', (row) => {
    const { recordings: named = [], vectors = [], tests = [], why } = row
    expect(named.length + vectors.length + tests.length).toBeGreaterThan(0)
    for (const reference of named)
      expect(found('text', reference).length + found('binary', reference).length, reference).toBeGreaterThan(
        0,
      )
    if (named.length > 0)
      for (const protocol of protocolsOf(row))
        expect(
          named.some((reference) => found(protocol, reference).length > 0),
          protocol,
        ).toBe(true)
    if (named.length === 0 || row.only) expect(why, 'says why').toBeTruthy()
    for (const reference of vectors) {
      const [file = '', part] = reference.split(': ')
      const path = join(fixtures, 'vectors', file)
      expect(existsSync(path), file).toBe(true)
      const content = JSON.parse(readFileSync(path, 'utf8'))
      if (part !== undefined) expect({ ...content, ...content.cases }, file).toHaveProperty([part])
    }
    for (const reference of tests) {
      const at = reference.indexOf(': ')
      const path = join(root, reference.slice(0, at))
      expect(existsSync(path), path).toBe(true)
      expect(readFileSync(path, 'utf8')).toContain(reference.slice(at + 2))
    }
  })

  it('every recording of pylibmc belongs to a row', () => {
    const shown = new Set(
      rows.flatMap((row) =>
        (row.recordings ?? []).flatMap((reference) =>
          (['text', 'binary'] as const).flatMap((protocol) =>
            found(protocol, reference).map(({ name }) => name),
          ),
        ),
      ),
    )
    const all = [...recordings.text, ...recordings.binary].map(({ name }) => name)
    expect([...new Set(all)].filter((name) => !shown.has(name))).toEqual([])
  })
})
