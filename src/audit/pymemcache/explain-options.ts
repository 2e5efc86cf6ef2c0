/** Why two clients of pymemcache give different outcomes: their options differ, or their classes. Source: docs/reference/pymemcache.md#2, #5, #11. */
import { type Reason, reasonFor } from '../compare/divergence.js'
import { type Outcome, sameOutcome } from '../compare/outcome.js'
import type { ClientClass } from './calls.js'
import type { ComparedCall } from './explain.js'
import type { TargetSettings } from './options.js'

/** The facts that determine the outcomes of a client. */
export interface ClientFacts {
  readonly settings: TargetSettings
  readonly kind: ClientClass
}

const stores = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas', 'set_multi', '__setitem__'])
const reads = new Set(['get', 'gets', 'get_multi', 'gets_many', '__getitem__'])
const answers = new Set([...stores, 'delete', 'delete_multi', 'touch', 'flush_all', '__delitem__'])

/** @param compared the outcome of the client `one`, and that of the client `other` */
export function reasonsOfOptions(
  { call: { call }, before, after, refused }: ComparedCall,
  one: ClientFacts,
  other: ClientFacts,
): readonly Reason[] {
  const [a, b] = [one.settings, other.settings]
  const found: Reason[] = []
  const because = (name: string, isCause: boolean, stored = false) => {
    if (isCause) found.push({ ...reasonFor(name), ...(stored ? { stored } : {}) })
  }
  const otherSerde = a.serde !== b.serde
  because('pymemcache-serde', otherSerde && stores.has(call), true)
  if (refused || sameOutcome(before, after)) return found
  const raised = [...raisedBy(before), ...raisedBy(after)]
  because('pymemcache-serde', otherSerde && reads.has(call))
  because(
    'pymemcache-text',
    otherSerde && stores.has(call) && raised.some(({ refused: what }) => what === 'value'),
  )
  because('pymemcache-oversize', stores.has(call) && raised.some(({ refused: what }) => what === 'size'))
  because('pymemcache-noreply', a.noreply !== b.noreply && answers.has(call))
  because(
    'pymemcache-keys',
    (a.allowUnicodeKeys !== b.allowUnicodeKeys || a.keyPrefix !== b.keyPrefix) &&
      raised.some((error) => error.refused === 'key' || error.class === 'builtins.UnicodeEncodeError'),
  )
  because('pymemcache-failures', a.ignoreExc !== b.ignoreExc && raised.length > 0)
  because('pymemcache-results', one.kind !== other.kind && raised.length === 0 && !reads.has(call))
  // A client without a pool shows what a pool or a HashClient with ignore_exc hides.
  because('pymemcache-failures', one.kind !== other.kind && raised.length > 0)
  return found
}

function raisedBy(outcome: Outcome) {
  return 'raises' in outcome ? [outcome.raises] : []
}
