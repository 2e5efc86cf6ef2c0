/** python-memcached by version: what differs between the versions that can be emulated. Source: spec/python-memcached §17, §21. */
import type { PythonMemcachedHash } from '../hashing/index.js'
import { type SwitchName, type SwitchSetting, switchNames } from './switches.js'

/** Facts of one version that the policies need. */
export interface VersionFacts {
  readonly version: string
  readonly hash: PythonMemcachedHash
  readonly values: '1.58' | '1.59'
  /** What delete returns for a missing key. */
  readonly missingDelete: 0 | 1
  /** `get` has a default, returned on misses and error replies. */
  readonly defaults: boolean
  /** touch(k, 0) sends no time, which the server refuses. */
  readonly dropsZeroTouch: boolean
  /** delete's time: never sent, sent unless zero, sent unless None. */
  readonly deleteTime: 'never' | 'not-zero' | 'not-none'
  /** On Python 3, 1.58 fails to word its complaint about a refused delete or touch: TypeError instead of 0. */
  readonly refusalRaises: boolean
}

const v159: VersionFacts = {
  version: '1.59',
  hash: 'masked-one',
  values: '1.59',
  missingDelete: 1,
  defaults: false,
  dropsZeroTouch: false,
  deleteTime: 'not-none',
  refusalRaises: false,
}

const versions = {
  'python-memcached-1.58': {
    ...v159,
    version: '1.58',
    values: '1.58',
    dropsZeroTouch: true,
    deleteTime: 'not-zero',
    refusalRaises: true,
  },
  'python-memcached-1.59': v159,
  'python-memcached-1.60': { ...v159, version: '1.60', hash: 'masked', defaults: true, deleteTime: 'never' },
  'python-memcached-1.61': { ...v159, version: '1.61', hash: 'masked', defaults: true, deleteTime: 'never' },
  'python-memcached-1.62': {
    ...v159,
    version: '1.62',
    hash: 'masked',
    defaults: true,
    deleteTime: 'never',
    missingDelete: 0,
  },
} as const satisfies Record<string, VersionFacts>

export type PresetName = keyof typeof versions | 'pylibmc'

export interface Preset {
  readonly name: PresetName
  readonly facts: VersionFacts
  readonly switches: Readonly<Record<SwitchName, SwitchSetting>>
}

function every(setting: SwitchSetting): Readonly<Record<SwitchName, SwitchSetting>> {
  return Object.fromEntries(switchNames.map((name) => [name, setting])) as Record<SwitchName, SwitchSetting>
}

/** Everything on is python-memcached at a version; `pylibmc` is everything off. */
export const presets = {
  ...(Object.fromEntries(
    Object.entries(versions).map(([name, facts]) => [
      name,
      { name, facts, switches: every('python-memcached') },
    ]),
  ) as unknown as Record<keyof typeof versions, Preset>),
  pylibmc: { name: 'pylibmc', facts: versions['python-memcached-1.62'], switches: every('pylibmc') },
} as const satisfies Record<PresetName, Preset>
