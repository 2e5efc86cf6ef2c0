/**
 * The only table of emulated behaviours: python-memcached's behaviour, pylibmc's behaviour, and how to remove the difference. Types,
 * docs/switches.md, the command line and the audit's explanations come from it. Source: docs/reference/python-memcached.md#21 to #22.
 */
import { type Fact, type Rules, settingValue, type VersionFacts } from './columns.js'
import type { SwitchEntry, SwitchSetting } from './switches/entry.js'
import { failureSwitches } from './switches/failures.js'
import { keySwitches } from './switches/keys.js'
import { resultSwitches } from './switches/results.js'
import { valueSwitches } from './switches/values.js'

export type { SwitchSetting }

const table = { ...failureSwitches, ...keySwitches, ...valueSwitches, ...resultSwitches }

/** Name of a switch (docs/switches.md). */
export type SwitchName = keyof typeof table

/** One row of the table with its name and its section in the documentation. */
export interface Switch extends SwitchEntry {
  readonly name: SwitchName
  /** Relative to docs/. */
  readonly docs: string
}

/** Every switch, in the order of docs/switches.md. */
export const switchNames = Object.keys(table) as SwitchName[]

/** The table of switches: python-memcached's behaviour, pylibmc's behaviour, the first version, and the evidence. */
export const switches: readonly Switch[] = switchNames.map((name) => ({
  name,
  ...(table[name] as SwitchEntry),
  docs: `switches.md#${name}`,
}))

export const switchesByName = Object.fromEntries(switches.map((entry) => [entry.name, entry])) as Readonly<
  Record<SwitchName, Switch>
>

/** The settings of a switch, except the versions of python-memcached. */
export function settingsOf(name: SwitchName): readonly SwitchSetting[] {
  return switchesByName[name].safe === undefined
    ? ['python-memcached', 'pylibmc']
    : ['python-memcached', 'pylibmc', 'safe']
}

/** The settings of all switches. */
export type SwitchSettings = Readonly<Record<SwitchName, SwitchSetting>>

/** The facts of a version, overridden by the switches: the rules of a client. */
export function rulesFor(facts: VersionFacts, settings: SwitchSettings): Rules {
  const laid: Partial<Record<Fact, unknown>> = {}
  for (const { name, governs } of switches) {
    const setting = settings[name]
    if (setting === 'python-memcached') continue
    for (const fact of governs) {
      const said = settingValue(fact, setting)
      if (said) laid[fact] = said.value
    }
  }
  return { ...facts, ...laid } as Rules
}
