/**
 * Every row of the reference that states an outcome, with the evidence for it: docs/reference/pylibmc.md#3 to #10 over both protocols,
 * docs/reference/python-memcached.md#2 to #22 by version. All evidence that is named must exist, and every row needs some.
 */
import { describe, expect, it } from 'vitest'
import { expectSections, expectShown, named, type Row, rowsOf, withoutSection } from './support/coverage.js'
import { loadRecordings, recordedLibraries } from './support/recordings.js'

interface PylibmcRow extends Row {
  /** The one protocol that has such a row; meta commands go with text. */
  readonly only?: 'text' | 'binary'
}

describe('rows of docs/reference/pylibmc.md#3 to #10', () => {
  const rows = rowsOf<PylibmcRow>('pylibmc')
  const recordings = {
    text: loadRecordings('pylibmc-1.6.3'),
    binary: loadRecordings('pylibmc-1.6.3-binary'),
  }

  it('there is one for every section', () => {
    expectSections(
      rows,
      '3.1 3.2 3.3 3.4 3.5 4.1 4.2 4.3 4.4 4.5 4.6 5 5.1 5.2 5.3 5.4 5.5 5.6 5.7 5.8 6 6.1 7.1 7.2 7.3 7.4 8 9.1 9.2 9.3 9.4 9.5 10 10.1 10.2',
    )
  })

  it.each(rows)('#$section $row', (row) => {
    expectShown(row)
    const { recordings: references = [], only, why } = row
    const found = (protocol: 'text' | 'binary', reference: string) =>
      named(recordings[protocol], reference).length
    for (const reference of references)
      expect(found('text', reference) + found('binary', reference), reference).toBeGreaterThan(0)
    if (references.length > 0)
      for (const protocol of only ? [only] : (['text', 'binary'] as const))
        expect(
          references.some((reference) => found(protocol, reference) > 0),
          protocol,
        ).toBe(true)
    if (only) expect(why, 'says why').toBeTruthy()
  })

  it('every recording of pylibmc belongs to a section', () => {
    expect(withoutSection('pylibmc', [...recordings.text, ...recordings.binary])).toEqual([])
  })
})

interface VersionedRow extends Row {
  /** What the row says is so from … to …, `1.53..1.58`, `..1.44`, `1.60..`: each must be shown. Default: every version. */
  readonly versions?: readonly string[]
}

describe('rows of docs/reference/python-memcached.md#2 to #22', () => {
  const rows = rowsOf<VersionedRow>('python-memcached')
  const library = 'python-memcached-'
  const versions = recordedLibraries()
    .filter((folder) => folder.startsWith(library))
    .map((folder) => folder.slice(library.length))
  const byVersion = new Map(versions.map((version) => [version, loadRecordings(library + version)]))
  const all = [...byVersion.values()].flat()

  function within(range: string): string[] {
    const [from = '', to = range] = range.split('..')
    return versions.filter((version) => version >= from && (to === '' || version <= to))
  }

  it('there is one for every section', () => {
    expectSections(
      rows,
      '2 3 4 5 6.1 6.2 6.3 6.4 6.5 7.1 7.2 7.3 7.4 8.1 8.2 8.3 8.4 9.1 9.2 9.3 9.4 9.5 9.6 10 10.1 10.2 10.3 10.4 10.5 10.6 11 12 13.1 13.2 13.3 14 15 16.1 16.2 17 18 19 20 21 22',
    )
  })

  it('the table of section 21 has 23 rows, and section 22 has 43 traps', () => {
    expect(rows.filter(({ section }) => section === '21')).toHaveLength(23)
    const traps = rows.filter(({ section }) => section === '22').map(({ row }) => Number.parseInt(row, 10))
    expect(traps).toEqual(Array.from({ length: 43 }, (_, index) => index + 1))
  })

  it.each(rows)('#$section $row', (row) => {
    expectShown(row)
    const { recordings: references = [], versions: ranges = ['..'] } = row
    for (const reference of references) expect(named(all, reference).length, reference).toBeGreaterThan(0)
    if (references.length === 0) return
    for (const range of ranges) {
      const concerned = within(range)
      expect(concerned.length, range).toBeGreaterThan(0)
      for (const version of concerned)
        expect(
          references.some((reference) => named(byVersion.get(version)!, reference).length > 0),
          `${range}: ${version}`,
        ).toBe(true)
    }
  })

  it('every recording of python-memcached belongs to a section', () => {
    expect(withoutSection('python-memcached', all)).toEqual([])
  })
})
