/**
 * Key placement identical to libmemcached (as pylibmc uses it), python-memcached and pymemcache.
 * Keys are text (hashed as UTF-8) or bytes. Pure functions; nothing here opens a connection.
 */

export {
  applyBehaviors,
  cloneSettings,
  constructorSettings,
  DEFAULT_PLACEMENT,
  isContinuum,
  type PlacementBehaviors,
  sortServers,
} from './behaviors.js'
export { crc, crc32, hashes, hashKey, murmur3_32 } from './hashes/checked.js'
export type { HashName, KeyHash } from './hashes/hashes.js'
export { moved, type NamedPlacement, placementNames, placements, serverName } from './named-placements.js'
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
export { wireKey } from './wire-key.js'
