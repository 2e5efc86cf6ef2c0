/** What the audit keeps of a divergence event of the compat client, and what it knows about a switch. */

export interface Announced {
  /** A switch of the compat client. */
  readonly switch: string
  /** The camelCase method. */
  readonly operation: string
  readonly key?: string
  readonly server?: string
  /** Short descriptions of the two outcomes, e.g. `None`, `raises NotFound (16)`. */
  readonly compat: string
  readonly strict: string
}

/** One row of a report's explanations; from the compat client's switch table, or one of the audit's own. */
export interface SwitchInfo {
  readonly name: string
  readonly title: string
  readonly pythonMemcached: string
  readonly pylibmc: string
  readonly advice: string
  /** Relative to the documentation folder, with anchor. */
  readonly docs?: string
}

/** Differences that come from the two libraries' signatures: no switch of a client can remove them. */
export const signatureSwitches: readonly SwitchInfo[] = [
  {
    name: 'missing-method',
    title: 'Method does not exist in pylibmc',
    pythonMemcached: 'has the method',
    pylibmc: 'raises AttributeError',
    advice: 'Remove the call: pylibmc keeps no dead marks and no CAS table that would need it.',
    docs: 'audit.md#missing-method',
  },
  {
    name: 'missing-argument',
    title: 'Argument does not exist in pylibmc',
    pythonMemcached: 'understands the argument',
    pylibmc: 'raises TypeError for it; the audit replays the call without it',
    advice:
      'Remove the argument. noreply is a behavior of the whole client in pylibmc; a delete has no time.',
    docs: 'audit.md#missing-argument',
  },
]
