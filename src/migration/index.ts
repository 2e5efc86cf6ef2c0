/** memshim/migration: one client over two placements during a migration from one to the other. */
export { MigratingClient } from './migrating-client.js'
export { type OldSideOptions, oldSide } from './old-side.js'
export type { MigratingClientOptions, SetOptions } from './options.js'
export { type Phase, type PhaseRules, phaseNames, phases } from './phases.js'
export type { MigrationClient } from './placement-client.js'
export type { MigrationCounts } from './placements.js'
export { type PymemcacheSideOptions, pymemcacheSide } from './pymemcache-side.js'
