/** Presets: python-memcached by version, the same without its mistakes, and pylibmc. Source: docs/reference/python-memcached.md#17, #21. */

import { pythonMemcachedColumns, type VersionFacts, type VersionName } from './columns.js'
import {
  type SwitchName,
  type SwitchSetting,
  type SwitchSettings,
  settingsOf,
  switchesByName,
  switchNames,
} from './switches.js'

/** Names of presets: `python-memcached-1.59`, its `-safe` variant, … and `pylibmc`. */
export type PresetName = VersionName | `${VersionName}-safe` | 'pylibmc'

/** The setting of every switch that one preset stands for. */
export interface Preset {
  readonly name: PresetName
  readonly facts: VersionFacts
  readonly switches: SwitchSettings
}

function settings(choose: (name: SwitchName) => SwitchSetting): SwitchSettings {
  return Object.fromEntries(switchNames.map((name) => [name, choose(name)])) as SwitchSettings
}

const faithful = settings((name) => switchesByName[name].preset ?? 'python-memcached')
const safe = settings((name) => (settingsOf(name).includes('safe') ? 'safe' : 'python-memcached'))

const versionNames = Object.keys(pythonMemcachedColumns) as VersionName[]

/**
 * `python-memcached-<version>` is that version, except for behaviours that mix up replies (`desynchronisation`); `…-safe` leaves out
 * every behaviour that the specification calls a mistake; `pylibmc` has every switch off.
 */
export const presets = Object.fromEntries(
  [
    ...versionNames.map((name) => preset(name, name, faithful)),
    ...versionNames.map((name) => preset(`${name}-safe`, name, safe)),
    preset(
      'pylibmc',
      'python-memcached-1.62',
      settings(() => 'pylibmc'),
    ),
  ].map((made) => [made.name, made]),
) as Readonly<Record<PresetName, Preset>>

function preset(name: PresetName, version: VersionName, switches: SwitchSettings): Preset {
  return {
    name,
    get facts() {
      return pythonMemcachedColumns[version]
    },
    switches,
  }
}
