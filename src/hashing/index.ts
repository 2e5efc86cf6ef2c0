/**
 * Key placement identical to libmemcached (as pylibmc uses it), python-memcached and pymemcache.
 * Keys are text (hashed as UTF-8) or bytes. Pure functions; nothing here opens a connection.
 */

import { shown } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import { UnicodeEncodeError } from '../python/errors.js'

export {
  applyBehaviors,
  cloneSettings,
  constructorSettings,
  DEFAULT_PLACEMENT,
  isContinuum,
  type PlacementBehaviors,
  sortServers,
} from './behaviors.js'
export { crc, crc32, hashes, hashKey, murmur3_32 } from './checked.js'
export type { HashName, KeyHash } from './hashes.js'
export {
  type Continuum,
  type Distribution,
  type PlacedServer,
  type Placement,
  type PlacementSettings,
  placement,
} from './placement.js'
export {
  type PythonMemcachedHash,
  type PythonMemcachedPlacement,
  pythonMemcachedPlacement,
  SERVER_RETRIES,
} from './python-memcached.js'
export { rendezvous } from './rendezvous.js'

/**
 * A key as it goes on the wire, one character per byte: what `place` and `hash` take (text as UTF-8; docs/reference/pylibmc.md#3.1).
 * @throws UnicodeEncodeError for text with a lone surrogate, which has no UTF-8; TypeError for what is neither text nor bytes
 */
export function wireKey(key: string | Uint8Array): Bytes {
  if (typeof key === 'string') {
    if (/\p{Surrogate}/u.test(key))
      throw new UnicodeEncodeError(`key ${shown(key)} holds a lone surrogate, which has no UTF-8`)
    return Buffer.from(key).toString('latin1')
  }
  if (!(key instanceof Uint8Array)) throw new TypeError(`key is ${shown(key)}, neither text nor bytes`)
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
