/**
 * The results of frameworks for the outcomes of their memcached client, as data.
 * Recorded from the real frameworks on the real libraries by fixtures/record/applications/framework_outcomes.py; the same as a page: docs/frameworks.md.
 */
import { compareVersions } from '../../rules/version.js'
import type { LibraryName } from '../methods/python-signatures.js'
import recorded from './recorded.json' with { type: 'json' }

/** One observation: the client's outcome was `client`, the call went through `via`, and the application got `application`. */
export interface RecordedRow {
  readonly library: LibraryName
  /** Functions of the framework, innermost first, joined by ` < `. */
  readonly via: string
  /** Words for outcomes: see `outcome-words.ts`. */
  readonly client: string
  /** null when it depends on more than the client's outcome. */
  readonly application: string | null
  /** Versions in which it was seen; absent: in all. */
  readonly versions?: readonly string[]
}

/** A framework with its recorded versions, oldest first. */
export interface RecordedFramework {
  /** Name of the distribution. */
  readonly name: string
  readonly versions: readonly string[]
  /** Versions that have no backend for a library. */
  readonly absent: Readonly<Partial<Record<LibraryName, readonly string[]>>>
  readonly rows: readonly RecordedRow[]
}

export const recordedFrameworks: readonly RecordedFramework[] =
  recorded.frameworks as readonly RecordedFramework[]

/** The recorded version that is used for another one: of the same release series if there is one; then the newest that is not newer, else the oldest. */
export function nearestVersion(versions: readonly string[], wanted: string): string {
  const series = versions.filter((version) => seriesOf(version) === seriesOf(wanted))
  const from = (series.length > 0 ? series : [...versions]).sort(compareVersions)
  const found = from.filter((version) => compareVersions(version, wanted) <= 0).at(-1) ?? from[0]
  if (found === undefined) throw new RangeError('a framework without recorded versions')
  return found
}

/** `4.0` of 4.0.10: Django's releases of one series differ only by corrections. */
function seriesOf(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}
