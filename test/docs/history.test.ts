/** docs/evidence/history.md: what changed between the recorded versions of each library, made from fixtures/recordings. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compareVersions } from '../../src/rules/version.js'
import { fixtures, recordedLibraries, scenarioRecordings } from '../differential/support/recordings.js'

/** A scenario with the versions of a library, those with the same outcome together, oldest first. */
interface History {
  readonly scenario: string
  readonly about: string
  readonly groups: readonly (readonly string[])[]
}

const names = ['python-memcached', 'pymemcache', 'pylibmc'] as const

function versionsOf(library: string): string[] {
  return recordedLibraries()
    .filter((name) => name.startsWith(`${library}-`))
    .map((name) => name.slice(library.length + 1))
    .sort((a, b) => compareVersions(a.replace('-binary', ''), b.replace('-binary', '')))
}

function historyOf(library: string): History[] {
  const versions = versionsOf(library)
  return scenarioRecordings.flatMap(({ scenario, outcomes }) => {
    const groups = outcomes
      .map(({ libraries }) => versions.filter((version) => libraries.includes(`${library}-${version}`)))
      .filter((group) => group.length > 0)
    if (groups.length < 2) return []
    const { about } = JSON.parse(readFileSync(join(fixtures, 'scenarios', `${scenario}.json`), 'utf8'))
    return [{ scenario, about, groups }]
  })
}

/** `1.52 to 1.54, 1.58`: versions that follow each other in the list of recorded ones are a range. */
function ranges(group: readonly string[], versions: readonly string[]): string {
  const parts: string[][] = []
  for (const version of group) {
    const last = parts.at(-1)
    if (last && versions.indexOf(version) === versions.indexOf(last.at(-1)!) + 1) last.push(version)
    else parts.push([version])
  }
  return parts.map((part) => (part.length > 2 ? `${part[0]} to ${part.at(-1)}` : part.join(', '))).join(', ')
}

function differing(history: readonly History[], one: string, other: string): number {
  const groupOf = (groups: History['groups'], version: string) =>
    groups.findIndex((group) => group.includes(version))
  return history.filter(({ groups }) => {
    const [a, b] = [groupOf(groups, one), groupOf(groups, other)]
    return a >= 0 && b >= 0 && a !== b
  }).length
}

function page(): string {
  const lines = [
    '# Changes between versions',
    '',
    'test/docs/history.test.ts generates this page from `fixtures/recordings/`, the outcomes of the real libraries in the same scenarios. Two versions differ in a scenario if their',
    'results, exceptions or bytes on the wire differ. Versions up to 1.54 of python-memcached ran on Python 2.7, later ones on Python 3.11.',
    '',
  ]
  for (const library of names) {
    const versions = versionsOf(library)
    const history = historyOf(library)
    lines.push(`## ${library}`, '', 'The table has the number of scenarios in which two versions differ:', '')
    lines.push(`| | ${versions.join(' | ')} |`, `| --- |${' ---: |'.repeat(versions.length)}`)
    for (const one of versions) {
      const counts = versions.map((other) => (one === other ? '' : differing(history, one, other)))
      lines.push(`| ${one} | ${counts.join(' | ')} |`)
    }
    lines.push(
      '',
      'Bars separate versions with different outcomes:',
      '',
      '| scenario | about | versions |',
      '| --- | --- | --- |',
    )
    for (const { scenario, about, groups } of history) {
      const shown = groups.map((group) => ranges(group, versions)).join(' \\| ')
      lines.push(`| ${scenario} | ${about.replaceAll('|', '\\|')} | ${shown} |`)
    }
    lines.push('')
  }
  return lines.join('\n')
}

it('docs/evidence/history.md is what the recordings say (npx vitest run test/docs/history.test.ts -u writes it)', async () => {
  await expect(page()).toMatchFileSnapshot(join(fixtures, '..', 'docs', 'evidence', 'history.md'))
})
