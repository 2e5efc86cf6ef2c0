/** Finds the recordings of the real libraries with the scenarios they answer (docs/formats.md). */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Recording, type WireBytes, type WireEntry, wireBytes } from '../../src/parity/scenario.js'

export const fixtures = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures')

/** Folder names under fixtures/recordings, e.g. `pylibmc-1.6.3`. */
export function recordedLibraries(): string[] {
  return readdirSync(join(fixtures, 'recordings')).sort()
}

/** Every recording of one library and version. */
export function loadRecordings(folder: string): Recording[] {
  const base = join(fixtures, 'recordings', folder)
  return jsonFiles(base).map((path) => {
    const { servers, ...recording } = readJson(join(base, path)) as Written
    const scenario = readJson(join(fixtures, 'scenarios', `${recording.scenario}.json`))
    const whole = { ...recording, name: recording.scenario, scenario, wire: recording.wire.map(wireEntry) }
    if (!servers) return whole
    return {
      ...whole,
      memcached: servers.find(({ steps }) => !steps)!.memcached,
      others: servers.flatMap(({ memcached, steps, wire }) =>
        steps && wire ? [{ ...whole, memcached, steps, wire: wire.map(wireEntry) }] : [],
      ),
    }
  })
}

/** A recording as it stands in its file. */
interface Written extends Omit<Recording, 'name' | 'scenario' | 'wire' | 'memcached' | 'others'> {
  readonly scenario: string
  readonly wire: readonly WrittenEntry[]
  /** Who did what; the main part's entry has no steps of its own. */
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
