/** What the table of switches says of one behaviour. */

export type SwitchSetting = 'python-memcached' | 'pylibmc' | 'safe'

export interface SwitchEntry {
  readonly title: string
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
