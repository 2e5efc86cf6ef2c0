/** The shape of one entry in the table of switches. */
import type { Fact, VersionName } from '../columns.js'

/**
 * The setting of a switch: the behaviour of the emulated version of python-memcached, of pylibmc, of a library without the mistake, or of
 * another version of python-memcached.
 */
export type SwitchSetting = 'python-memcached' | 'pylibmc' | 'safe' | VersionName

export interface SwitchEntry {
  readonly title: string
  /** The facts that it sets: to the version's value, to pylibmc's, or to the value for `safe`. */
  readonly governs: readonly Fact[]
  /**
   * The effect of a difference on later calls. `nothing`: only the answer is written differently; `items`: stored items differ,
   * also if both outcomes are the same. Default: items or servers may differ if the outcomes differ.
   */
  readonly leaves?: 'nothing' | 'items' | undefined
  /** The outcome depends on the servers that a client considers dead, so that it cannot be predicted from a description. */
  readonly unforeseeable?: boolean
  /** Only the application's own program can show it, because a trace does not contain its objects. */
  readonly onlyInProgram?: boolean
  readonly pythonMemcached: string
  readonly pylibmc: string
  /** The behaviour of the setting `safe`. Only behaviours that the specification marks as mistakes have it. */
  readonly safe?: string
  /** The setting of presets, if it is not python-memcached's behaviour. */
  readonly preset?: 'safe'
  /** The first version of python-memcached with this behaviour. */
  readonly since: string
  /** Sections and traps of docs/reference/python-memcached.md, by their anchors. */
  readonly reference: readonly string[]
  /** A scenario in fixtures/scenarios that shows it, or a test if no scenario can show it. */
  readonly fixture: string
  /** The version whose recording shows it. Default 1.59. */
  readonly shownBy?: string
  /** The reason why it never announces a divergence, if it does not. */
  readonly silent?: string
  /** How to change the calling code so that the difference no longer matters. */
  readonly advice: string
}

export type SwitchTable = Readonly<Record<string, SwitchEntry>>
