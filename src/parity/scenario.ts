/** The types of scenarios and recordings (docs/formats.md). */

export type WireBytes = string | readonly (string | { readonly $repeat: readonly [string, number] })[]

export interface Step {
  readonly call?: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
  readonly client?: string
  readonly sleep?: number
  /** Seconds by which the library's clock is advanced, where its driver sets the clock. */
  readonly advance?: number
  readonly raw?: WireBytes
  readonly fault?: string
  readonly server?: number | undefined
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
  readonly retcode?: number | undefined
  readonly message?: string
}

/** The outcome of a call: a value as typed JSON, or an exception. */
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
  /** `pylibmc`, `python-memcached`, `pymemcache` */
  readonly library: string
  readonly version: string
  /** Over the binary protocol. */
  readonly binary?: boolean
  readonly scenario: Scenario
  readonly steps: readonly (Recorded | null)[]
  readonly wire: readonly WireEntry[]
  /** The versions of memcached that it applies to, if not all. */
  readonly memcached?: readonly string[]
  /** The outcomes on versions of memcached with other outcomes. */
  readonly others?: readonly Recording[]
}

/** The recording, once for each outcome that depends on the server's version. */
export function byServer(recording: Recording): readonly Recording[] {
  return [recording, ...(recording.others ?? [])]
}

/** One character per byte. */
export function wireBytes(written: WireBytes): string {
  if (typeof written === 'string') return written
  return written
    .map((part) => (typeof part === 'string' ? part : part.$repeat[0].repeat(part.$repeat[1])))
    .join('')
}
