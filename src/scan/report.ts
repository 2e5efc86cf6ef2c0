/** The report of a scan. Plain data: `JSON.stringify` gives the file format. */
import type { Writer } from './writers.js'

/** Classes of remaining lifetimes: upper limit in seconds, and name in reports. */
export const lifetimes = [
  [60, 'under a minute'],
  [3600, 'under an hour'],
  [86_400, 'under a day'],
  [7 * 86_400, 'under a week'],
  [30 * 86_400, 'under 30 days'],
  [Number.POSITIVE_INFINITY, '30 days or more'],
] as const

export interface ScanReport {
  readonly format: 'memshim-scan/1'
  readonly taken: string
  readonly seconds: number
  readonly servers: readonly ServerRow[]
  readonly items: number
  /** Including the servers' item headers. */
  readonly bytes: number
  /** Values that were read. */
  readonly sampled: number
  /** The largest in bytes first. */
  readonly prefixes: readonly PrefixRow[]
  readonly writers: readonly { readonly writer: string; readonly items: number }[]
  /** Libraries that cannot read some items, estimated from the sample. */
  readonly unreadable: readonly UnreadableRow[]
  readonly keys: readonly KeyRow[]
  /** Items whose size is close to the servers' limit, the largest first. */
  readonly large: readonly LargeRow[]
  readonly largeItems: number
  readonly placement: PlacementReport | undefined
  readonly notes: readonly string[]
}

export interface ServerRow {
  readonly server: string
  readonly version: string | undefined
  readonly items: number
  readonly bytes: number
  /** Bytes of the largest item it takes. */
  readonly itemSizeMax: number | undefined
  /** The reason why it was not scanned, or not to the end. */
  readonly problem?: string
}

export interface PrefixRow {
  readonly prefix: string
  readonly items: number
  readonly bytes: number
  readonly largest: number
  /** Items that have been read since they were stored. */
  readonly fetched: number
  /** Items by remaining lifetime. */
  readonly lifetimes: Readonly<Record<string, number>>
  /** Flags with items, the most first; from the sample before memcached 1.6.24. */
  readonly flags: readonly (readonly [flags: number, count: number])[]
  /** The libraries that explain the most items, several if equally well; empty: another client. */
  readonly writers: readonly Writer[]
  /** The part of the evidence that these libraries explain. */
  readonly explained: number
  readonly sampled: number
  readonly pickleProtocols: Readonly<Record<string, number>>
  readonly classes: readonly (readonly [name: string, count: number])[]
}

export interface UnreadableRow {
  readonly reader: string
  readonly reason: string
  readonly sampled: number
  /** Estimated for all items. */
  readonly items: number
  readonly prefixes: readonly string[]
  readonly example: string
}

export interface KeyRow {
  readonly rule: string
  readonly meaning: string
  readonly items: number
  readonly examples: readonly string[]
}

export interface LargeRow {
  readonly key: string
  readonly server: string
  readonly size: number
  readonly limit: number
}

export interface PlacementReport {
  /** The part of the items on the server where the placement looks, from one item in 16. */
  readonly agreement: readonly {
    readonly placement: string
    readonly title: string
    readonly part: number
  }[]
  /** Items on a server where no placement looks for them. */
  readonly lost: number
  readonly examples: readonly { readonly key: string; readonly server: string }[]
}
