/** Finds the recordings of the real libraries with the scenarios they answer (docs/formats.md). */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const fixtures = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures')

type WireBytes = string | readonly (string | { readonly $repeat: readonly [string, number] })[]

export interface Step {
  readonly call?: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
  readonly client?: string
  readonly sleep?: number
  readonly raw?: WireBytes
  readonly fault?: string
  readonly server?: number
  readonly [field: string]: unknown
}

export interface Scenario {
  readonly about: string
  readonly servers: number
  /** One per server, for constructors that take pairs. */
  readonly weights?: readonly number[]
  /** Further memcached arguments. */
  readonly memcached?: readonly string[]
  readonly client?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly steps: readonly Step[]
}

export interface Raised {
  readonly class: string
  readonly retcode?: number
  readonly message?: string
}

/** What a call did: a value as typed JSON, or an exception. */
export type Recorded = { readonly result: unknown } | { readonly raises: Raised }

export interface WireEntry {
  readonly step: number
  readonly server: number
  readonly connection: number
  readonly sent: string
  readonly received: string | null
}

export interface Recording {
  /** `topic/name` */
  readonly name: string
  /** `pylibmc`, `python-memcached` */
  readonly library: string
  readonly version: string
  /** Over the binary protocol. */
  readonly binary?: boolean
  readonly scenario: Scenario
  readonly steps: readonly (Recorded | null)[]
  readonly wire: readonly WireEntry[]
  /** The versions of memcached it holds for, where it does not hold for all. */
  readonly memcached?: readonly string[]
  /** What the library did on versions of memcached with which it did otherwise. */
  readonly others?: readonly Recording[]
}

/** What the library did, once for each outcome that depends on the server's version. */
export function byServer(recording: Recording): readonly Recording[] {
  return [recording, ...(recording.others ?? [])]
}

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

/** One character per byte. */
export function wireBytes(written: WireBytes): string {
  if (typeof written === 'string') return written
  return written
    .map((part) => (typeof part === 'string' ? part : part.$repeat[0].repeat(part.$repeat[1])))
    .join('')
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
