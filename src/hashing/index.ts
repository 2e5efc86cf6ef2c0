/**
 * Key placement identical to libmemcached (as pylibmc uses it), python-memcached and pymemcache.
 * Keys are text (hashed as UTF-8) or bytes. Pure functions; nothing here opens a connection.
 */
import type { Bytes } from '../ground/bytes.js'

export {
  applyBehaviors,
  cloneSettings,
  constructorSettings,
  DEFAULT_PLACEMENT,
  isContinuum,
  type PlacementBehaviors,
  sortServers,
} from './behaviors.js'
export { crc, crc32 } from './crc32.js'
export { type HashName, hashes, hashKey, type KeyHash } from './hashes.js'
export { murmur3_32 } from './murmur.js'
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

/** A key as it goes on the wire, one character per byte: what `place` and `hash` take (text as UTF-8; docs/reference/pylibmc.md#3.1). */
export function wireKey(key: string | Uint8Array): Bytes {
  return typeof key === 'string'
    ? Buffer.from(key).toString('latin1')
    : Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
