/**
 * Outcomes that a replay cannot decide: they are equal or unknown, and must not be relied on. They are listed separately
 * from differences.
 */

export type RiskName =
  | 'process-ends'
  | 'documented-negative-timeout'
  | 'out-of-step'
  | 'keywords'
  | 'stored-none'

export interface RiskText {
  readonly name: RiskName
  readonly title: string
  readonly advice: string
  /** Relative to the documentation folder, with anchor. */
  readonly docs: string
}

const riskTexts: Readonly<Record<RiskName, RiskText>> = {
  'process-ends': {
    name: 'process-ends',
    title:
      'The process of the application ends in this call, with all of its requests: libmemcached reads the reply to an earlier command as the reply to a store command (an assertion fails), or more items than the call has keys. The report continues with connections in step, as in a new process',
    advice:
      'Remove the first cause (a key with a blank or a control character, a CAS unique of 0), or use the binary protocol.',
    docs: 'audit.md#blank-keys',
  },
  'documented-negative-timeout': {
    name: 'documented-negative-timeout',
    title:
      'pylibmc differs from its documentation for negative times. According to the documentation they act like zero (the item stays). Version 1.6.3 lets the item expire at once over the text protocol, and keeps it over the binary protocol',
    advice: 'Do not rely on it: delete the key instead of storing it with a negative time.',
    docs: 'audit.md#documented-negative-timeout',
  },
  'out-of-step': {
    name: 'out-of-step',
    title:
      'The connection is out of step: pylibmc reads the answer to an earlier call, so that the outcome depends on what was called before. The report shows the outcome that the call would have on a connection in step',
    advice:
      'Remove the first cause (a key with a blank, a CAS unique of 0): no outcome after it is reliable.',
    docs: 'audit.md#blank-keys',
  },
  'stored-none': {
    name: 'stored-none',
    title:
      'The framework gives the application another result for a stored None: Django\u2019s backend for python-memcached takes it for a miss and gives the default, and its backends for pylibmc and pymemcache give None',
    advice:
      'Look at these places: has_key and get_or_set find the item after the change, and get gives None instead of its default. Store another value than None if both have to stay the same.',
    docs: 'audit.md#stored-none',
  },
  keywords: {
    name: 'keywords',
    title:
      'The framework\u2019s backend for the target ignores or refuses keywords that the application gives to its client; the notes name each keyword',
    advice:
      'Use the target\u2019s keywords: pymemcache has timeout and connect_timeout (without them a call waits without a limit for a server that does not answer), retry_attempts, retry_timeout and dead_timeout.',
    docs: 'audit.md#pymemcache-as-the-target',
  },
}

/** @param target the column that the trace is compared with, e.g. `pymemcache-4.0.0` */
export function riskText(name: RiskName, target: string): RiskText {
  return name === 'out-of-step' && target.startsWith('pymemcache') ? unread : riskTexts[name]
}

/** An answer that no call waited for, and text that only the application's code can make. Source: docs/reference/pymemcache.md#7, #5.1. */
const unread: RiskText = {
  name: 'out-of-step',
  title:
    'The outcome is unknown: pymemcache stores the str() of an object, which is computed by code of its class, or the server refuses a command that was sent with noreply, and the next call on that connection reads the refusal',
  advice: 'Set serde=pymemcache.serde.pickle_serde and default_noreply=False.',
  docs: 'audit.md#pymemcache-unread',
}
