/** docs/evidence/parity.md and docs/evidence/parity.json: what is shown to be equal, by what evidence, made from recordings, tables and figures of runs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compareVersions } from '../../src/rules/version.js'
import versions from '../../src/rules/versions.json' with { type: 'json' }
import { type Row, rowsOf } from '../differential/support/coverage.js'
import { fixtures, recordedLibraries, scenarioRecordings } from '../differential/support/recordings.js'

const root = join(fixtures, '..')

function readJson(...path: readonly string[]) {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8'))
}

interface Validation {
  readonly library: string
  readonly version: string
  readonly protocol: string
  readonly server: string
  readonly scenarios: number
  readonly agreed: number
  readonly preset: readonly string[]
  readonly differing: readonly string[]
  readonly date: string
}

interface SuiteFigures {
  readonly suite: string
  readonly tests: number
  readonly real: number
  readonly memshim: number
  readonly differing: readonly { readonly test: string; readonly why?: string }[]
  readonly run: string
}

const validations: readonly Validation[] = readJson('test', 'parity', 'validations.json')
const suites: readonly SuiteFigures[] = readJson('test', 'suites', 'figures.json')
const deviations: Readonly<Record<string, Readonly<Record<string, string>>>> = readJson(
  'test',
  'differential',
  'support',
  'deviations.json',
)
const provenance: Readonly<
  Record<
    string,
    {
      readonly library: string
      readonly version: string
      readonly binary?: boolean
      readonly provenance: Readonly<Record<string, string>>
    }
  >
> = readJson('fixtures', 'recordings', 'libraries.json')

const recorded = recordedLibraries().sort((a, b) => {
  const [one, other] = [provenance[a]!, provenance[b]!]
  return (
    one.library.localeCompare(other.library) ||
    compareVersions(one.version, other.version) ||
    a.localeCompare(b)
  )
})
/** The rows of each outcome leave pymemcache out: docs/evidence/history.md has its outcomes. */
const libraries = recorded.filter((name) => !name.startsWith('pymemcache'))
const deviationsFromPymemcache: Readonly<Record<string, string>> = readJson(
  'test',
  'differential',
  'support',
  'deviations-pymemcache.json',
)

/** Why memshim does otherwise in a scenario of a library, if it does. */
function deviation(library: string, scenario: string): string | undefined {
  if (library.startsWith('pymemcache')) return deviationsFromPymemcache[scenario.replace('pymemcache-', '')]
  const family = library.replace(/-[\d.]+/, '')
  const outOfStep = library.startsWith('python-memcached') ? ['python-memcached, out of step'] : []
  return [library, family, `${library}, replayed`, ...outOfStep]
    .map((name) => deviations[name]?.[scenario])
    .find((reason) => reason !== undefined)
}

interface ParityRow {
  readonly scenario: string
  readonly behaviour: string
  readonly reference: readonly string[]
  readonly library: string
  readonly versions: readonly string[]
  readonly protocol: string
  /** Versions of memcached with which it was recorded, those with the same outcome together. */
  readonly servers: readonly (readonly string[])[]
  readonly evidence: string
  readonly deviations: Readonly<Record<string, string>>
}

function parityRows(): ParityRow[] {
  return scenarioRecordings.flatMap(({ scenario, outcomes }) => {
    const { about, spec } = readJson('fixtures', 'scenarios', `${scenario}.json`)
    return outcomes.flatMap(({ libraries: all, servers }) => {
      const shown = libraries.filter((name) => all.includes(name))
      const families = [...new Set(shown.map((name) => name.replace(/-[\d.]+/, '')))]
      return families.map((family) => {
        const members = shown.filter((name) => name.replace(/-[\d.]+/, '') === family)
        const { library, binary, provenance: made } = provenance[members[0]!]!
        const reasons = members.map((name) => [provenance[name]!.version, deviation(name, scenario)] as const)
        return {
          scenario,
          behaviour: about,
          reference: (spec as string[]).filter((section) => section.startsWith(`${library} `)),
          library,
          versions: members.map((name) => provenance[name]!.version),
          protocol: binary ? 'binary' : 'text',
          servers: servers ? servers.map(({ memcached }) => memcached) : [[made.memcached!]],
          evidence: `fixtures/recordings/${scenario}.json`,
          deviations: Object.fromEntries(reasons.filter(([, reason]) => reason !== undefined)) as Record<
            string,
            string
          >,
        }
      })
    })
  })
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cell = (value: string | number) => String(value).replaceAll('|', '\\|')
  return [
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
    '',
  ]
}

function librariesTable(): string[] {
  return table(
    [
      'library',
      'protocol',
      'made with',
      'scenarios recorded',
      'of these with a deviation',
      'last validated live',
    ],
    recorded.map((name) => {
      const { library, version, binary, provenance: made } = provenance[name]!
      const protocol = binary ? 'binary' : 'text'
      const scenarios = scenarioRecordings.filter(({ outcomes }) =>
        outcomes.some(({ libraries: all }) => all.includes(name)),
      )
      const runs = validations
        .filter((one) => one.library === library && one.version === version && one.protocol === protocol)
        .map(({ date, server, agreed, scenarios: all }) => `${date}, ${server}: ${agreed} of ${all}`)
      const built = made.libmemcached ? `, built from source on libmemcached ${made.libmemcached}` : ''
      return [
        `${library} ${version}`,
        protocol,
        `Python ${made.python}${built}, memcached ${made.memcached}`,
        scenarios.length,
        scenarios.filter(({ scenario }) => deviation(name, scenario)).length,
        runs.join('; '),
      ]
    }),
  )
}

/** Versions that were not recorded, since their module is another version's. */
function sameModules(): string[] {
  return Object.entries(versions['python-memcached']).flatMap(([version, facts]) =>
    'same' in facts
      ? [
          `python-memcached ${version} has no recordings of its own and needs none: its memcache.py differs from ${facts.same}'s in \`__version__\` alone, so that its preset is ${facts.same}'s.`,
          '',
        ]
      : [],
  )
}

function serversTable(): string[] {
  const rows = parityRows().filter(({ servers }) => servers.length > 1)
  return table(
    ['scenario', 'library', 'versions', 'protocol', 'versions of memcached with one outcome each'],
    rows.map(({ scenario, library, versions, protocol, servers }) => [
      scenario,
      library,
      versions.join(', '),
      protocol,
      servers.map((group) => group.join(', ')).join(' / '),
    ]),
  )
}

function suitesTable(): string[] {
  return table(
    ['suite', 'tests', 'pass with the real library', 'pass with memshim', 'reasons', 'run'],
    suites.map(({ suite, tests, real, memshim, differing, run }) => [
      suite,
      tests,
      real,
      memshim,
      [...new Set(differing.map(({ why = 'unexplained' }) => why))].join('; '),
      run,
    ]),
  )
}

function behavioursTable(library: 'pylibmc' | 'python-memcached'): string[] {
  type CoverageRow = Row & { readonly versions?: readonly string[]; readonly only?: string }
  return table(
    ['section', 'behaviour', 'versions or protocol', 'evidence'],
    rowsOf<CoverageRow>(library).map((row) => {
      const {
        section,
        row: behaviour,
        recordings = [],
        vectors = [],
        tests = [],
        versions,
        only,
        absent,
      } = row
      const evidence = [...recordings, ...vectors, ...tests]
      return [
        `[${section}](../reference/${library}.md#${section})`,
        behaviour,
        only ?? versions?.join(', ') ?? 'all',
        absent ? `not in memshim: ${absent}` : evidence.join(', '),
      ]
    }),
  )
}

function deviationsTable(): string[] {
  const byReason = new Map<string, Set<string>>()
  for (const { library, protocol, versions, scenario, deviations: reasons } of parityRows())
    for (const version of versions) {
      const reason = reasons[version]
      if (reason === undefined) continue
      const where = `${library} ${protocol === 'binary' ? 'binary ' : ''}${scenario}`
      byReason.set(reason, (byReason.get(reason) ?? new Set()).add(where))
    }
  return table(
    ['reason', 'scenarios'],
    [...byReason].map(([reason, where]) => [reason, [...where].sort().join(', ')]),
  )
}

function page(): string {
  return [
    '# Parity: equal behaviours and their evidence',
    '',
    'test/docs/parity-page.test.ts generates this page from recordings, tables and figures of runs; [parity.json](parity.json) has a row for every recorded outcome:',
    'library, versions, protocol, versions of memcached, evidence, deviations. This command compares memshim with the library on your own machine:',
    '',
    '```sh',
    'npx memshim parity --python venv/bin/python',
    '```',
    '',
    '## Libraries and versions',
    '',
    'Every recorded scenario is replayed from the recorded bytes and live on a real memcached by `npm test`. Live validation plays the scenarios of the',
    'package on the real library and on memshim, on the same servers (`npm run parity:validate`).',
    '',
    ...librariesTable(),
    ...sameModules(),
    'pylibmc was built from source on libmemcached 1.1.4. The wheel on PyPI contains libmemcached 1.0.16; its differences are listed in',
    '[reference/pylibmc.md](../reference/pylibmc.md#builds). The recordings of frameworks were made with the wheel.',
    '',
    '## Random comparisons with the real libraries',
    '',
    'Random sequences of calls (`npm run fuzz:parity`) and timelines of failing servers (`npm run fuzz:failover`) run on the library and on memshim side by',
    'side. On three commits, with memcached 1.6.18 and seeds 121001 to 121009 and 221001 to 221014 (2026-11-29), these agreed: pylibmc over text 20,400 and over binary 20,400,',
    'python-memcached 1.58 18,500, 1.59 17,000, 1.62 16,000; and 1,900 timelines. The aim is 20,000 sequences for each and 2,000 timelines. What differed: one pickle in',
    'which equal texts are one object here (docs/values.md), which is longer in Python and was compressed there alone (1.58 and 1.59, seed 121007); a `delete_multi`',
    'of two keys with `flush_on_reconnect` and `dead_retry=0` on a server that closes the connection during the flush: python-memcached connects again for the',
    'second key before it sends anything, and memshim raised the failure of the flush (1.59 and 1.62, seed 121008; mended); texts equal to the module name `builtins` (1.58 and 1.62); two timelines with',
    '`_io_key_prefetch` (seeds 121003 and 121006; mended).',
    '',
    '## Test suites of libraries and frameworks',
    '',
    'The test suites run unmodified, with memshim instead of the library (`npm run suites`).',
    '',
    ...suitesTable(),
    '## Outcomes that depend on the version of memcached',
    '',
    ...serversTable(),
    '## Deliberate deviations',
    '',
    ...deviationsTable(),
    '## Behaviours of pylibmc',
    '',
    ...behavioursTable('pylibmc'),
    '## Behaviours of python-memcached',
    '',
    ...behavioursTable('python-memcached'),
  ].join('\n')
}

it('docs/evidence/parity.md is what the evidence says (npx vitest run test/docs/parity-page.test.ts -u writes it)', async () => {
  await expect(page()).toMatchFileSnapshot(join(root, 'docs', 'evidence', 'parity.md'))
})

it('docs/evidence/parity.json is what the evidence says', async () => {
  const text = `[\n${parityRows()
    .map((row) => JSON.stringify(row))
    .join(',\n')}\n]\n`
  await expect(text).toMatchFileSnapshot(join(root, 'docs', 'evidence', 'parity.json'))
})

it('no test of a suite fails without a known reason', () => {
  expect(suites.flatMap(({ differing }) => differing.filter(({ why }) => why === undefined))).toEqual([])
})
