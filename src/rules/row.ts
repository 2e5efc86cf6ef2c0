/** The shape of the table: a row is a fact, a column is a library at a version. */
import type { History } from './version.js'

/** The libraries that the table knows. */
export type LibraryName = 'python-memcached' | 'pylibmc' | 'pymemcache'

/**
 * One fact with its history in every library. If a library is missing, the fact does not apply to it, or it has not been
 * measured. pymemcache's cells are those of its `Client` with the defaults (noreply, no serde), and of HashClient for several
 * servers (docs/reference/pymemcache.md).
 */
export type Row = { readonly [Library in LibraryName]?: History } & {
  /** The value under the setting `safe` of the switch. */
  readonly safe?: unknown
  /** The value under the setting `pylibmc` of the switch, if pylibmc itself has another one. */
  readonly off?: unknown
}

export type Rows = Readonly<Record<string, Row>>

/** The same in every version. */
export function always<const T>(value: T): { readonly '0': T } {
  return { '0': value }
}
