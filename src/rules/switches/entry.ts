/** What the table of switches says of one behaviour. */
import type { Fact, VersionName } from '../columns.js'

/**
 * How a switch is set: as the emulated version of python-memcached does, as pylibmc does, as a library without the mistake would, or as
 * another version of python-memcached does.
 */
export type SwitchSetting = 'python-memcached' | 'pylibmc' | 'safe' | VersionName

export interface SwitchEntry {
  readonly title: string
  /** The facts that it sets: a client goes by the version's value, by pylibmc's, or by the one for `safe`. */
  readonly governs: readonly Fact[]
  /**
   * What a difference leaves behind for later calls. `nothing`: only the answer is worded differently; `items`: stored items differ,
   * also where both outcomes are the same. Default: items or servers may differ where the outcomes do.
   */
  readonly leaves?: 'nothing' | 'items' | undefined
  /** What it makes of an outcome depends on servers that two clients know differently: no description can foretell it. */
  readonly unforeseeable?: boolean
  /** Only the application's own program can show it, since no trace holds its objects. */
  readonly onlyInProgram?: boolean
  readonly pythonMemcached: string
  readonly pylibmc: string
  /** What the setting `safe` does. Only behaviours that the specification marks as mistakes have it. */
  readonly safe?: string
  /** What presets set when it is not python-memcached's behaviour. */
  readonly preset?: 'safe'
  /** Since which python-memcached version it is so. */
  readonly since: string
  /** Sections and traps of docs/reference/python-memcached.md, by their anchors. */
  readonly reference: readonly string[]
  /** A scenario in fixtures/scenarios that shows it, or a test where no scenario can. */
  readonly fixture: string
  /** The version whose recording shows it. Default 1.59. */
  readonly shownBy?: string
  /** Why it never announces a divergence, where that is so. */
  readonly silent?: string
  /** How to change the calling code so that the difference no longer matters. */
  readonly advice: string
}

export type SwitchTable = Readonly<Record<string, SwitchEntry>>
