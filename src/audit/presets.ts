/** What the audit takes from the compat client's tables: presets by version, and the switches with their explanations. */
import { presets } from '../rules/index.js'
import { versionAtLeast } from '../rules/version.js'
import type { Library } from './methods/python-signatures.js'

/** Names for `--preset`, oldest version first; `pylibmc` (everything off) last. */
export function knownPresets(): readonly string[] {
  return Object.keys(presets)
}

/** The newest preset that is not newer than the library of the trace; python-memcached 1.59 when there is none. */
export function defaultPreset(source: Library): string {
  const fallback = 'python-memcached-1.59'
  if (source.name !== 'python-memcached') return fallback
  const candidates = knownPresets().filter((name) => {
    const version = presetVersion(name)
    return version !== undefined && versionAtLeast(source.version, version)
  })
  return candidates.at(-1) ?? fallback
}

/** What the compat client is under a preset. With everything off it still has python-memcached's methods. */
export function compatLibrary(preset: string, source: Library): Library {
  const version = presetVersion(preset) ?? (source.name === 'python-memcached' ? source.version : '1.59')
  return { name: 'python-memcached', version }
}

function presetVersion(preset: string): string | undefined {
  return /^python-memcached-([\d.]+)$/.exec(preset)?.[1]
}
