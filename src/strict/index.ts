/** memshim/strict: pylibmc's client. */

export type {
  CallOptions,
  CountOptions,
  Key,
  MultiOptions,
  PrefixOptions,
  StoreArgument,
  StoreOptions,
  Time,
  TimeOptions,
} from './arguments.js'
export {
  type BehaviorName,
  type BehaviorSettings,
  type Behaviors,
  behaviorNames,
  defaultBehaviors,
} from './behaviors.js'
export { Client } from './client.js'
export { type Cluster, type DiscoveryOptions, discoverCluster } from './elasticache.js'
export * from './errors.js'
export type { NegativeTimeout } from './exptime.js'
export type { ClientOptions } from './options.js'
export { ClientPool, PoolEmpty, type Reservation, type ReserveOptions, ThreadMappedPool } from './pools.js'
export { parseServer, parseServers, type ServerSpec, type ServerSpecInput } from './server-spec.js'
export type { Modes, Operation, Selection, Server, Slots } from './slots.js'
export type { StreamOptions } from './streaming.js'
export { type CommandAttributes, type CommandEvent, commandChannel } from './tracing.js'
