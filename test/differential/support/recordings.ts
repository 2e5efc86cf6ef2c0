/** Finds the recordings of the real libraries with the scenarios they answer (docs/formats.md). */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Recording, type WireBytes, type WireEntry, wireBytes } from '../../../src/parity/scenario.js'

export const fixtures = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'fixtures')

const recordings = join(fixtures, 'recordings')

/** What all recordings of a library have in common, by its name: `pylibmc-1.6.3`, `pylibmc-1.6.3-binary`, … */
const libraries: Readonly<Record<string, Pick<Recording, 'library' | 'version' | 'binary'>>> = readJson(
  join(recordings, 'libraries.json'),
)

/** Names of the libraries and versions that have recordings. */
export function recordedLibraries(): string[] {
  return Object.keys(libraries).sort()
}

/** What is recorded of one scenario. */
export interface ScenarioRecordings {
  readonly scenario: string
  readonly outcomes: readonly WrittenOutcome[]
}

/** Every scenario with what the libraries did in it, as it stands in the files. */
export const scenarioRecordings: readonly ScenarioRecordings[] = jsonFiles(recordings)
  .filter((path) => path !== 'libraries.json')
  .map((path) => readJson(join(recordings, path)))

/** Every recording of one library and version, by its name of `recordedLibraries`. */
export function loadRecordings(library: string): Recording[] {
  return scenarioRecordings.flatMap(({ scenario: name, outcomes }) => {
    const outcome = outcomes.find(({ libraries }) => libraries.includes(library))
    return outcome ? [recording(name, library, outcome)] : []
  })
}

function recording(name: string, library: string, { steps, wire, servers }: WrittenOutcome): Recording {
  const scenario = readJson(join(fixtures, 'scenarios', `${name}.json`))
  const whole = { ...libraries[library]!, name, scenario, steps, wire: wire.map(wireEntry) }
  if (!servers) return whole
  return {
    ...whole,
    memcached: servers.find(({ steps }) => !steps)!.memcached,
    others: servers.flatMap(({ memcached, steps, wire }) =>
      steps && wire ? [{ ...whole, memcached, steps, wire: wire.map(wireEntry) }] : [],
    ),
  }
}

/** An outcome as it stands in its file. */
interface WrittenOutcome {
  /** Who has it. */
  readonly libraries: readonly string[]
  readonly steps: Recording['steps']
  readonly wire: readonly WrittenEntry[]
  /** Which versions of memcached lead to what; the main part's entry has no steps of its own. */
  readonly servers?: readonly {
    readonly memcached: readonly string[]
    readonly steps?: Recording['steps']
    readonly wire?: readonly WrittenEntry[]
  }[]
}

type WrittenEntry = Omit<WireEntry, 'sent' | 'received'> & {
  readonly sent: WireBytes
  readonly received: WireBytes | null
}

function wireEntry(entry: WrittenEntry): WireEntry {
  return {
    ...entry,
    sent: wireBytes(entry.sent),
    received: entry.received === null ? null : wireBytes(entry.received),
  }
}

function jsonFiles(folder: string, prefix = ''): string[] {
  return readdirSync(join(folder, prefix))
    .sort()
    .flatMap((name) => {
      const path = join(prefix, name)
      if (statSync(join(folder, path)).isDirectory()) return jsonFiles(folder, path)
      return name.endsWith('.json') ? [path] : []
    })
}

function readJson(path: string) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
