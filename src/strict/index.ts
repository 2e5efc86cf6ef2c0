/** memshim/strict: pylibmc's client. */
export {
  type BehaviorName,
  type BehaviorSettings,
  type Behaviors,
  behaviorNames,
  defaultBehaviors,
} from './behaviors.js'
export { Client, type ClientOptions } from './client.js'
export {
  Core,
  type Key,
  type MultiOptions,
  type PrefixOptions,
  type StoreArgument,
  type StoreOptions,
  type Time,
  type TimeOptions,
} from './core.js'
export * from './errors.js'
export type { NegativeTimeout } from './exptime.js'
export { parseServer, parseServers, type ServerSpec, type ServerSpecInput } from './server-spec.js'
export type { Modes, Operation, Selection, Server, Slots } from './slots.js'
