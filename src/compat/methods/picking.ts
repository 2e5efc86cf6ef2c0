/** Finding the servers of many keys before anything is sent, as python-memcached does. Source: docs/reference/python-memcached.md#10.5. */
import { MemcachedError } from '../../pipeline/failures/errors.js'
import type { Operation } from '../../pipeline/operations.js'
import type { Server } from '../../pipeline/slots.js'
import type { HashedKey, KeyPrefix } from '../policies/keys.js'
import type { Context } from './context.js'

/** A key, and its server; undefined if there is none. */
export interface PlacedKey<K> extends HashedKey {
  readonly original: K
  readonly server: Server | undefined
}

/**
 * One key after another, as the probe loop marks servers dead; each is checked when its server has been found.
 * @param troubles collects the errors of keys without a server
 * @throws the errors of the key rule
 */
export async function pickAll<K>(
  { pipeline: { selection }, keys }: Context,
  operation: Operation,
  given: Iterable<K>,
  prefix: KeyPrefix,
  troubles: unknown[],
): Promise<PlacedKey<K>[]> {
  const placed: PlacedKey<K>[] = []
  for (const original of given) {
    const key = keys.unchecked(original, operation, prefix)
    let server: Server | undefined
    // An empty key is not sent; only pylibmc's rule accepts one.
    const empty = key.wire === ''
    try {
      const picked = empty ? undefined : selection.pick(key.placedAs ?? key.wire, operation, key.hash)
      server = picked instanceof Promise ? await picked : picked
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      troubles.push(error)
    }
    key.check()
    placed.push(placedKey(key, original, server))
  }
  return placed
}

/** Literal fields, not spread: V8 needs three times as long to make and to read spread objects. */
export function placedKey<K>(
  { wire, hash, placedAs, shown }: HashedKey,
  original: K,
  server: Server | undefined,
): PlacedKey<K> {
  return { wire, hash, placedAs, shown, original, server }
}
