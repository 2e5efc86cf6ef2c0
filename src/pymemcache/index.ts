/** memshim/pymemcache: pymemcache's clients for Node.js, so that both share a cache. */
export type { Mapping, NoreplyOptions, StoreOptions, Token, TouchOptions } from './arguments.js'
export { Client } from './client.js'
export {
  MemcacheClientError,
  MemcacheError,
  MemcacheIllegalInputError,
  MemcacheServerError,
  MemcacheUnexpectedCloseError,
  MemcacheUnknownCommandError,
  MemcacheUnknownError,
  SocketError,
} from './errors.js'
export { HashClient, type HashClientOptions } from './hash-client.js'
export type { Key } from './keys.js'
export type { ClientOptions, Encoding, ServerInput } from './options.js'
export { PooledClient, type PooledClientOptions, TooManyObjects } from './pooled-client.js'
export { type RetryOptions, retryingClient } from './retrying-client.js'
export { compressedSerde, pickleSerde, plainSerde, type Serde } from './serde.js'
export type { StatValue } from './stats.js'
