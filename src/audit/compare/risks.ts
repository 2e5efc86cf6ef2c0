/**
 * What a replay cannot decide for good: outcomes that are the same today, or unknown, but must not be relied on. They are a class of their
 * own beside differences.
 */

export type RiskName = 'documented-negative-timeout' | 'out-of-step'

export interface RiskText {
  readonly name: RiskName
  readonly title: string
  readonly advice: string
  /** Relative to the documentation folder, with anchor. */
  readonly docs: string
}

export const riskTexts: Readonly<Record<RiskName, RiskText>> = {
  'documented-negative-timeout': {
    name: 'documented-negative-timeout',
    title:
      'Negative times are documented otherwise: pylibmc\u2019s documentation says that they act like zero (the item stays). Version 1.6.3 lets the item expire at once over the text protocol, and keeps it over the binary protocol',
    advice: 'Do not rely on it: delete the key instead of storing it with a negative time.',
    docs: 'audit.md#documented-negative-timeout',
  },
  'out-of-step': {
    name: 'out-of-step',
    title:
      'The connection is out of step: pylibmc reads the answer to an earlier call, so that the outcome depends on what was called before. The report shows the outcome that the call would have on a connection in step',
    advice:
      'Remove the first cause (a key with a blank, a CAS unique of 0): nothing after it can be trusted.',
    docs: 'audit.md#blank-keys',
  },
}
