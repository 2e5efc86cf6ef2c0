/** memshim/strict: pylibmc's client. */

export type { NegativeTimeout } from '../pipeline/exptime.js'
export * from '../pipeline/failures/errors.js'
export type {
  CallOptions,
  CountOptions,
  Entries,
  Key,
  MultiOptions,
  PrefixOptions,
  StoreArgument,
  StoreOptions,
  Time,
  TimeOptions,
  ValueAndCas,
} from '../pipeline/methods/arguments.js'
export type { ServerStats } from '../pipeline/methods/servers.js'
export type { StreamOptions } from '../pipeline/methods/streaming.js'
export type { Operation } from '../pipeline/operations.js'
export type { Modes, Selection, Server, ServerSpec, Slots } from '../pipeline/slots.js'
export { type CommandAttributes, type CommandEvent, commandChannel } from '../pipeline/tracing.js'
export { type ConnectAttributes, type ConnectEvent, connectChannel } from '../transport/tracing.js'
export {
  type BehaviorName,
  type BehaviorSettings,
  type Behaviors,
  behaviorNames,
  defaultBehaviors,
} from './behaviors.js'
export { Client } from './client.js'
export { type Cluster, type DiscoveryOptions, discoverCluster } from './elasticache.js'
export type { ClientOptions } from './options.js'
export { ClientPool, PoolEmpty, type Reservation, type ReserveOptions, ThreadMappedPool } from './pools.js'
export { parseServer, parseServers, type ServerSpecInput } from './server-spec.js'
