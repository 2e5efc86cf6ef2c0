/** pylibmc's methods as functions over a pipeline. `strict/client.ts` describes each. Source: docs/reference/pylibmc.md#5. */
export type * from './arguments.js'
export { count, incrMulti } from './counters.js'
export { deleteMulti, remove, touch } from './removal.js'
export { get, getMulti, gets } from './retrieval.js'
export { flushAll, getStats, type ServerStats } from './servers.js'
export { cas, store, storeMulti } from './storage.js'
export { type StreamOptions, streamMulti } from './streaming.js'
