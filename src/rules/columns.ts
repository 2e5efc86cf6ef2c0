/**
 * The columns of the table: libraries at a version. The versions are in `versions.json`, which the recorder, the scripts and the
 * tests read as well: `recorded` versions have recordings; `live` names the variable with the interpreter that `npm test`
 * installs; `same` names the recorded version whose module differs from this one's only in its version number.
 */
import type { LibraryName, Row, Rows } from './row.js'
import { keyRows } from './rows/keys.js'
import { resultRows } from './rows/results.js'
import { serverRows } from './rows/servers.js'
import { surfaceRows } from './rows/surface.js'
import { valueRows } from './rows/values.js'
import { valueAt } from './version.js'
import versions from './versions.json' with { type: 'json' }

/** Every fact, with its value for each library from which version on. */
export const rows = { ...surfaceRows, ...serverRows, ...keyRows, ...valueRows, ...resultRows }

type Table = typeof rows

/** Name of a row. */
export type Fact = keyof Table

type Values<Histories> = Histories extends Readonly<Record<string, infer Value>> ? Value : never
type CellOf<R, Library> = Library extends keyof R ? Values<R[Library]> : never
type SettingOf<R, Setting> = Setting extends keyof R ? R[Setting] : never

/** The rules of a client: for every fact the value of one of the libraries, or of a setting of a switch. */
export type RuleOf<F extends Fact> =
  | CellOf<Table[F], 'python-memcached' | 'pylibmc'>
  | SettingOf<Table[F], 'safe'>
  | SettingOf<Table[F], 'off'>

/** The facts of one version of python-memcached. */
export type VersionFacts = { readonly version: string } & {
  readonly [F in Fact]: CellOf<Table[F], 'python-memcached'>
}

/** The facts of a version with the switches laid over them. */
export type Rules = { readonly version: string } & { readonly [F in Fact]: RuleOf<F> }

export type PythonMemcachedVersion = keyof (typeof versions)['python-memcached']
export type VersionName = `python-memcached-${PythonMemcachedVersion}`

/** Versions of a library that have a column, oldest first. */
export function versionsOf(library: keyof typeof versions): readonly string[] {
  return Object.keys(versions[library])
}

/** The cell of a row; undefined if the fact does not apply to the library. @throws RangeError for older versions */
export function cell(fact: Fact, library: LibraryName, version: string): unknown {
  const history = (rows as Rows)[fact]?.[library]
  return history && valueAt(history, version)
}

/** A column of python-memcached: the facts of one version. */
function column(version: string): VersionFacts {
  const facts = Object.keys(rows).map((fact) => [fact, cell(fact as Fact, 'python-memcached', version)])
  return { version, ...Object.fromEntries(facts) }
}

/** Every column of python-memcached by its name, oldest version first. */
export const pythonMemcachedColumns: Readonly<Record<VersionName, VersionFacts>> = lazily(
  versionsOf('python-memcached').map((version) => `python-memcached-${version}` as VersionName),
  (name) => column(name.slice('python-memcached-'.length)),
)

/**
 * The value of a fact under a setting of the switch that governs it: that of the version, pylibmc's, or the value for `safe`. Undefined
 * if the setting does not change the fact.
 */
export function settingValue(
  fact: Fact,
  setting: VersionName | 'pylibmc' | 'safe',
): { value: unknown } | undefined {
  const row: Row = rows[fact]
  if (setting === 'safe') return 'safe' in row ? { value: row.safe } : undefined
  if (setting !== 'pylibmc') return { value: pythonMemcachedColumns[setting][fact] }
  if ('off' in row) return { value: row.off }
  return row.pylibmc && { value: valueAt(row.pylibmc, versionsOf('pylibmc').at(-1)!) }
}

/** An object whose values are made at their first use: a program needs one column, and making all takes milliseconds of its start. */
function lazily<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name) => Value,
): Readonly<Record<Name, Value>> {
  const made = {} as Record<Name, Value>
  for (const name of names) {
    const get = () => {
      const value = make(name)
      Object.defineProperty(made, name, { enumerable: true, value })
      return value
    }
    Object.defineProperty(made, name, { enumerable: true, configurable: true, get })
  }
  return made
}
