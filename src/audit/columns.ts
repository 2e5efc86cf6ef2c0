/** The columns of the table of rules that an audit compares: a library at a version each, and the rows in which two of them differ. */

import { shown } from '../ground/arguments.js'
import {
  cell,
  type Fact,
  type PresetName,
  presets,
  switches,
  type VersionFacts,
  valueDialect,
  versionsOf,
} from '../rules/index.js'
import { versionAtLeast } from '../rules/version.js'
import type { PythonMemcachedDialect } from '../values/index.js'
import type { SwitchInfo } from './compare/divergence.js'
import { frameworkTargets } from './frameworks/clients.js'
import type { Library } from './methods/python-signatures.js'
import { type AuditOptions, AuditOptionsError } from './options.js'
import type { TraceHeader } from './traces/trace.js'

const libraries = ['pylibmc', 'python-memcached', 'pymemcache'] as const

/** Every library and version that an audit can compare with, e.g. `pylibmc-1.6.3`. */
export function knownColumns(): readonly string[] {
  return libraries.flatMap((library) => versionsOf(library).map((version) => `${library}-${version}`))
}

/** @returns undefined for a name that is not a column; a library without a version is its newest one, and `pymemcache-4.0` is 4.0.0 */
export function columnNamed(name: string): Library | undefined {
  for (const library of libraries) {
    if (name === library) return { name: library, version: versionsOf(library).at(-1)! }
    const version = name.startsWith(`${library}-`) ? name.slice(library.length + 1) : ''
    const found = versionsOf(library).find((one) => one === version || one === `${version}.0`)
    if (found) return { name: library, version: found }
  }
  return undefined
}

/** Names for `--preset`, oldest version first; `pylibmc` (everything off) last. */
export function knownPresets(): readonly string[] {
  return Object.keys(presets)
}

/** The newest preset that is not newer than the library of the trace; python-memcached 1.59 when there is none. */
export function defaultPreset(source: Library): PresetName {
  const fallback = '1.59'
  const known = versionsOf('python-memcached').filter((version) => versionAtLeast(source.version, version))
  const version = source.name === 'python-memcached' ? (known.at(-1) ?? fallback) : fallback
  return `python-memcached-${version}` as PresetName
}

/** A cache, because an audit needs the same few libraries at every call. */
const factsOfSources = new Map<string, VersionFacts>()

/** The column of the application's version of python-memcached. */
export function sourceFacts(source: Library): VersionFacts {
  const name = `${source.name} ${source.version}`
  let facts = factsOfSources.get(name)
  if (!facts) {
    facts = presets[defaultPreset(source)].facts
    factsOfSources.set(name, facts)
  }
  return facts
}

/** The value dialect of the application's python-memcached. */
export function sourceDialect(source: Library): PythonMemcachedDialect {
  return valueDialect(sourceFacts(source))
}

/** The library that the compat client emulates under a preset. With everything off it still has python-memcached's methods. */
export function compatLibrary(preset: string, source: Library): Library {
  const version = /^python-memcached-([\d.]+)$/.exec(preset)?.[1]
  return {
    name: 'python-memcached',
    version: version ?? (source.name === 'python-memcached' ? source.version : '1.59'),
  }
}

/** A row in which two columns differ. */
export interface DifferingRow {
  readonly fact: Fact
  readonly before: unknown
  readonly after: unknown
}

/** The texts of a switch between two versions of python-memcached, from the table. */
export function betweenVersions(
  info: SwitchInfo,
  target: Library,
  rows: readonly DifferingRow[] | undefined,
): SwitchInfo {
  const name = `${target.name}-${target.version}`
  const changes = rows?.map(({ fact, before, after }) => `${fact}: ${written(before)} → ${written(after)}`)
  const what = `${info.pythonMemcached}${changes ? ` (${changes.join(', ')})` : ''}`
  return { ...info, title: info.title.replaceAll('pylibmc', name), pylibmc: '', advice: what, rows }
}

function written(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** The rows in which two versions of python-memcached differ, by the switch that governs them. */
export function differingRows(before: Library, after: Library): ReadonlyMap<string, readonly DifferingRow[]> {
  const found = new Map<string, DifferingRow[]>()
  for (const { name, governs } of switches)
    for (const fact of governs) {
      const row = {
        fact,
        before: cell(fact, before.name, before.version),
        after: cell(fact, after.name, after.version),
      }
      if (JSON.stringify(row.before) === JSON.stringify(row.after)) continue
      found.set(name, [...(found.get(name) ?? []), row])
    }
  return found
}

/** The two columns that an audit compares. */
export interface Pair {
  readonly source: Library
  readonly target: Library
  /** The preset of the compat client, on the side of python-memcached. */
  readonly preset: string
  /** The rows in which they differ by switch, between two versions of python-memcached. */
  readonly rows?: ReadonlyMap<string, readonly DifferingRow[]> | undefined
}

/** @throws AuditOptionsError naming the columns that there are */
export function pairOf(header: TraceHeader, { from, to, preset }: AuditOptions): Pair {
  const named = (option: string, name: string): Library => {
    const found = typeof name === 'string' ? columnNamed(name) : undefined
    if (found) return found
    throw new AuditOptionsError(
      `${option} ${shown(name)} is not one of ${knownColumns().join(', ')}${option === 'to' ? `, or a framework's backend: ${frameworkTargets().join(', ')}` : ''}`,
    )
  }
  const source = from === undefined ? { name: header.library, version: header.version } : named('from', from)
  if (source.name !== header.library)
    throw new AuditOptionsError(
      `from ${shown(from)} is not ${header.library}, which the trace was recorded with`,
    )
  const target = named('to', to ?? 'pylibmc')
  if (source.name === 'pymemcache') {
    if (preset !== undefined) throw new AuditOptionsError('a preset is for a trace of python-memcached')
    const known = versionsOf('pymemcache')
    if (!known.includes(source.version))
      throw new AuditOptionsError(
        `the trace is of pymemcache ${source.version}, and the audit knows ${known.join(' and ')}: choose one with from`,
      )
    const emulated = target.name === 'python-memcached' ? target.version : '1.59'
    return { source, target, preset: `python-memcached-${emulated}` }
  }
  if (target.name === 'pymemcache') {
    const emulated = preset ?? defaultPreset(source)
    return {
      source: source.name === 'pylibmc' ? source : compatLibrary(emulated, source),
      target,
      preset: emulated,
    }
  }
  if (source.name === 'pylibmc') {
    if (target.name === 'pylibmc') return { source, target, preset: preset ?? defaultPreset(source) }
    if (preset !== undefined) throw new AuditOptionsError('choose a preset or a target, not both')
    return { source, target, preset: `python-memcached-${target.version}` }
  }
  const emulated = preset ?? defaultPreset(source)
  if (target.name === 'pylibmc') return { source, target, preset: emulated }
  const before = compatLibrary(emulated, source)
  return { source: before, target, preset: emulated, rows: differingRows(before, target) }
}
