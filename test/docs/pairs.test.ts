/** docs/evidence/pairs.md: what changes between each pair of libraries, made from the table of rules and from what the audit says of each difference. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type DifferingRow, differingRows } from '../../src/audit/columns.js'
import type { Library, LibraryName } from '../../src/audit/methods/python-signatures.js'
import { findingsBetween } from '../../src/audit/pymemcache/findings.js'
import { cell, switches, switchesByName, versionsOf } from '../../src/rules/index.js'

const newest = (name: LibraryName): Library => ({ name, version: versionsOf(name).at(-1)! })
const named = ({ name, version }: Library): string => `${name} ${version}`
const value = (given: unknown): string =>
  given === undefined ? '–' : typeof given === 'object' ? JSON.stringify(given) : String(given)
const cells = (...texts: string[]): string =>
  `| ${texts.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`

function rowsText(rows: readonly DifferingRow[]): string {
  return rows.map(({ fact, before, after }) => `${fact}: ${value(before)} → ${value(after)}`).join('; ')
}

function table(head: readonly string[], lines: readonly string[]): string[] {
  return [cells(...head), cells(...head.map(() => '---')), ...lines, '']
}

/** Titles name pylibmc, where a version of python-memcached takes its place. */
function betweenVersions(before: Library, after: Library): string[] {
  const lines = [...differingRows(before, after)].map(([name, rows]) =>
    cells(
      `[${name}](../switches.md#${name})`,
      switchesByName[name as keyof typeof switchesByName].title,
      rowsText(rows),
    ),
  )
  return table(['switch', 'behaviour', 'rows'], lines)
}

function toPylibmc(before: Library, after: Library): string[] {
  const lines = switches.map(({ name, title, governs, pythonMemcached, pylibmc }) => {
    const rows = governs.flatMap((fact): DifferingRow[] => {
      const [one, other] = [before, after].map((library) => cell(fact, library.name, library.version))
      return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ fact, before: one, after: other }]
    })
    return rows.length === 0
      ? undefined
      : cells(`[${name}](../switches.md#${name})`, title, pythonMemcached, pylibmc)
  })
  return table(
    ['switch', 'behaviour', named(before), named(after)],
    lines.filter((line) => line !== undefined),
  )
}

function toPymemcache(before: Library, after: Library): string[] {
  const lines = findingsBetween(before, after).map(
    ({ name, title, pythonMemcached, pylibmc, docs, rows = [] }) =>
      cells(`[${name}](../${docs})`, title, pythonMemcached, pylibmc, rowsText(rows)),
  )
  return table(['finding', 'behaviour', 'python-memcached, pylibmc', named(after), 'rows'], lines)
}

function page(): string {
  const [memcache, pylibmc, pymemcache] = [
    newest('python-memcached'),
    newest('pylibmc'),
    newest('pymemcache'),
  ]
  const older: Library = { name: 'python-memcached', version: '1.59' }
  const sections: [Library, Library, (before: Library, after: Library) => string[]][] = [
    [older, memcache, betweenVersions],
    [memcache, pylibmc, toPylibmc],
    [older, pylibmc, toPylibmc],
    [memcache, pymemcache, toPymemcache],
    [older, pymemcache, toPymemcache],
    [pylibmc, pymemcache, toPymemcache],
  ]
  return [
    '# Changes between two libraries',
    '',
    'test/docs/pairs.test.ts generates this page from the table of rules (`src/rules/`) and from the texts of the audit. `memshim audit app.jsonl --to …` reports which of these changes affect an application',
    '([audit.md](../audit.md)); other versions are columns of the same table. The column of pymemcache is for its `Client` with the defaults, and for `HashClient` with several servers.',
    '',
    ...sections.flatMap(([before, after, text]) => [
      `## ${named(before)} → ${named(after)}`,
      '',
      ...text(before, after),
    ]),
  ].join('\n')
}

it('the page is what the table says', async () => {
  await expect(page()).toMatchFileSnapshot(
    join(import.meta.dirname, '..', '..', 'docs', 'evidence', 'pairs.md'),
  )
})
