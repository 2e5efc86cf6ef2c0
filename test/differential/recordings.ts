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
}

/** Folder names under fixtures/recordings, e.g. `pylibmc-1.6.3`. */
export function recordedLibraries(): string[] {
  return readdirSync(join(fixtures, 'recordings')).sort()
}

/** Every recording of one library and version. */
export function loadRecordings(folder: string): Recording[] {
  const base = join(fixtures, 'recordings', folder)
  return jsonFiles(base).map((path) => {
    const recording = readJson(join(base, path))
    const scenario = readJson(join(fixtures, 'scenarios', `${recording.scenario}.json`))
    const wire = recording.wire.map((entry: { sent: WireBytes; received: WireBytes | null }) => ({
      ...entry,
      sent: wireBytes(entry.sent),
      received: entry.received === null ? null : wireBytes(entry.received),
    }))
    return { ...recording, name: recording.scenario, scenario, wire }
  })
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
