/**
 * Compares a library on the user's machine with the presets of memshim: the same scenarios on the same kind of server, results, exceptions
 * and the bytes that the servers received.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { construct } from '../audit/index.js'
import { type PresetName, presets, versionsOf } from '../rules/index.js'
import { compareVersions } from '../rules/version.js'
import { firstDifference } from './compare.js'
import { type Cast, leftOut, play } from './play.js'
import { pymemcachePlayer } from './pymemcache.js'
import type { PythonLibraryName } from './python-library.js'
import { type RecordedLibrary, recordScenario } from './record-scenario.js'
import type { Recording, Scenario } from './scenario.js'
import { proxiedStage, type ServerKind } from './stage.js'

/** A scenario of the package. */
export interface ShippedScenario extends Scenario {
  /** `topic/name` */
  readonly name: string
  /** Sections of docs/reference that it shows, e.g. `python-memcached 10.3`. */
  readonly spec: readonly string[]
  /** `pylibmc`, `python-memcached`, `pymemcache`, or with a comparison: `python-memcached>=1.60`. */
  readonly libraries: readonly string[]
  /** pylibmc's protocols that the scenario applies to; default both. */
  readonly protocols?: readonly string[]
}

/** Presets with the same outcomes, with the number of scenarios in which they agree with the library. */
export interface Candidate {
  readonly names: readonly string[]
  readonly agreed: number
}

/** A scenario in which the library and the nearest preset differ. */
export interface ParityDifference {
  readonly scenario: string
  readonly about: string
  readonly spec: readonly string[]
  /** The first difference in one line: `library` is the user's, `here` is memshim. */
  readonly difference: string
}

/** The result of a comparison. */
export interface ParityReport {
  readonly library: PythonLibraryName
  /** The version that the library reports. */
  readonly version: string
  readonly protocol: 'text' | 'binary'
  /** Version of the interpreter. */
  readonly python: string
  /** The servers that both sides used. */
  readonly server: string
  /** Scenarios that were compared. */
  readonly scenarios: number
  /** Names of scenarios that this version cannot run. */
  readonly leftOut: readonly string[]
  /** Nearest first. */
  readonly candidates: readonly Candidate[]
  /** Differences from the nearest preset. */
  readonly differences: readonly ParityDifference[]
}

/** The number of scenarios that run at the same time, each with its own processes. */
const parallel = 4
/** Number of attempts: a difference counts only if it occurs in all of them, because a busy machine causes others. */
const attempts = 3

/** Milliseconds. */
const timeToArrive = 500

/** The scenarios of the package. */
export function shippedScenarios(): readonly ShippedScenario[] {
  return JSON.parse(
    readFileSync(new URL('../../python/parity/scenarios.json', import.meta.url), 'utf8'),
  ) as ShippedScenario[]
}

/**
 * @param servers are started again for every scenario and side
 * @throws Error when the library ends its process, or a server does not start
 */
export async function compareLibrary(
  library: RecordedLibrary,
  servers: ServerKind,
  scenarios: readonly ShippedScenario[],
): Promise<ParityReport> {
  // A version without a number, such as a development build, counts as the newest.
  const version = /^\d+(\.\d+)+/.exec(library.version)?.[0] ?? '999.0'
  const asked = { ...library, version }
  const groups = candidatesFor(library)
  const rows = await inParallel(
    scenarios.filter((scenario) => concerns(scenario, asked)),
    (scenario) => compareScenario(scenario, asked, servers, groups),
  )
  const compared = rows.filter((row) => row.differences !== undefined)
  const counted = groups.map((group, index) => ({
    index,
    group,
    agreed: compared.filter(({ differences }) => differences![index] === undefined).length,
  }))
  const distance = (name: string): number => Number(compareVersions(versionIn(name), version) !== 0)
  // Among equals the preset of the version that the library names itself comes first.
  counted.sort(
    (a, b) => b.agreed - a.agreed || Math.min(...a.group.map(distance)) - Math.min(...b.group.map(distance)),
  )
  const nearest = counted[0]!.index
  return {
    library: library.library,
    version: library.version,
    protocol: library.binary ? 'binary' : 'text',
    python: library.python,
    server: servers.name,
    scenarios: compared.length,
    leftOut: rows.filter(({ differences }) => !differences).map(({ scenario }) => scenario.name),
    candidates: counted.map(({ group, agreed }) => ({ names: group, agreed })),
    differences: compared.flatMap(({ scenario: { name, about, spec }, differences }) => {
      const difference = differences![nearest]
      const own = spec.filter((section) => section.startsWith(`${library.library} `))
      return difference === undefined ? [] : [{ scenario: name, about, spec: own, difference }]
    }),
  }
}

/** Presets grouped by their rules: versions without a difference are one candidate. */
function candidatesFor({ library }: RecordedLibrary): readonly (readonly string[])[] {
  if (library === 'pylibmc') return [['pylibmc']]
  if (library === 'pymemcache') return versionsOf(library).map((version) => [`pymemcache-${version}`])
  const groups = new Map<string, string[]>()
  for (const { name, facts } of Object.values(presets)) {
    if (!/^python-memcached-[\d.]+$/.test(name)) continue
    const does = JSON.stringify({ ...facts, version: undefined })
    groups.set(does, [...(groups.get(does) ?? []), name])
  }
  return [...groups.values()]
}

/** `1.59` of `python-memcached-1.59`. */
const versionIn = (preset: string): string => preset.replace(/^.*-/, '')

function concerns(scenario: ShippedScenario, { library, version, binary }: RecordedLibrary): boolean {
  const protocol = binary ? 'binary' : 'text'
  if (!(scenario.protocols ?? ['text', 'binary']).includes(protocol) || (binary && !hasBinaryForm(scenario)))
    return false
  return scenario.libraries.some((only) => !leftOut({ only }, library, version))
}

/** Replies that are written out in the text protocol, and commands without replies, have no binary form. */
function hasBinaryForm({ client, steps, protocols }: ShippedScenario): boolean {
  if (protocols) return true
  const behaviors = (client?.pylibmc?.behaviors ?? {}) as Readonly<Record<string, unknown>>
  if ('verify_keys' in behaviors || '_noreply' in behaviors) return false
  return !steps.some(({ fault }) => fault === 'reply' || fault === 'truncate' || fault === 'slow')
}

interface Row {
  readonly scenario: ShippedScenario
  /** The difference of each candidate, undefined if it agrees; undefined as a whole when the library cannot run the scenario. */
  readonly differences: readonly (string | undefined)[] | undefined
}

async function compareScenario(
  scenario: ShippedScenario,
  library: RecordedLibrary,
  servers: ServerKind,
  groups: readonly (readonly string[])[],
): Promise<Row> {
  let differences: (string | undefined)[] | undefined
  for (let attempt = 0; attempt < attempts; attempt++) {
    const played = await onLibrary(scenario, library, servers)
    if (!played) return { scenario, differences: undefined }
    const found = await eachOf(groups, async ([name], index) =>
      differences && differences[index] === undefined ? undefined : differenceFrom(played, name!, servers),
    )
    differences = found
    if (found.includes(undefined)) break
  }
  return { scenario, differences }
}

interface Played {
  readonly recording: Recording
  readonly sent: readonly string[]
}

async function onLibrary(
  scenario: ShippedScenario,
  library: RecordedLibrary,
  servers: ServerKind,
): Promise<Played | undefined> {
  const stage = await proxiedStage(scenario, servers)
  try {
    const recording = await recordScenario(scenario.name, scenario, library, stage)
    return recording && { recording, sent: [...stage.sent()] }
  } finally {
    await stage.stop()
  }
}

async function differenceFrom(
  { recording, sent }: Played,
  preset: string,
  servers: ServerKind,
): Promise<string | undefined> {
  const stage = await proxiedStage(recording.scenario, servers)
  try {
    const outcomes = await play(recording, { ...stage, patience: 10 }, castFor(recording, preset))
    const difference = firstDifference(recording, outcomes, 'library')
    // Commands without a reply may still be on their way.
    for (let waited = 0; difference === undefined && waited < timeToArrive; waited += 20) {
      if (bytesDifference(sent, stage.sent()) === undefined) break
      await sleep(20)
    }
    return difference ?? bytesDifference(sent, stage.sent())
  } finally {
    await stage.stop()
  }
}

function castFor({ library, binary }: Recording, preset: string): Cast {
  if (library === 'pylibmc')
    return {
      library,
      construct: (servers, kwargs, now) =>
        construct(library, servers, kwargs, { now, strict: { negativeTimeout: 'send', binary } }).client,
    }
  const version = versionIn(preset)
  if (library === 'pymemcache')
    return {
      library,
      version,
      construct: (servers, kwargs, now) => pymemcachePlayer(version, servers as string[], kwargs, now),
    }
  return {
    library: 'python-memcached',
    version,
    construct: (servers, kwargs, now) =>
      construct('python-memcached', servers, kwargs, { now, compat: { emulate: preset as PresetName } })
        .client,
  }
}

function bytesDifference(theirs: readonly string[], ours: readonly string[]): string | undefined {
  for (const [server, sent] of theirs.entries()) {
    const here = ours[server]!
    if (sent === here) continue
    let at = 0
    while (sent[at] === here[at]) at++
    const shown = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 20), at + 40))
    return `bytes to server ${server}: library ${shown(sent)}, here ${shown(here)}`
  }
  return undefined
}

async function eachOf<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const [index, item] of items.entries()) results.push(await work(item, index))
  return results
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index]!)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return results
}
