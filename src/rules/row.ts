/** The shape of the table: a row is a fact, a column is a library at a version. */
import type { History } from './version.js'

/** The libraries that the table knows. */
export type LibraryName = 'python-memcached' | 'pylibmc' | 'pymemcache'

/**
 * One fact with its history in every library. A library that is missing does not have what the fact is about, or has not been
 * measured. pymemcache's cells are those of its `Client` with the defaults (noreply, no serde), and of HashClient where there are several
 * servers (docs/reference/pymemcache.md).
 */
export type Row = { readonly [Library in LibraryName]?: History } & {
  /** What the setting `safe` of the switch makes of it. */
  readonly safe?: unknown
  /** What the setting `pylibmc` of the switch makes of it, where that is not what pylibmc itself does. */
  readonly off?: unknown
}

export type Rows = Readonly<Record<string, Row>>

/** The same in every version. */
export function always<const T>(value: T): { readonly '0': T } {
  return { '0': value }
}
