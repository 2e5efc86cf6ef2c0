/** memshim/strict: pylibmc's client. */

export type {
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
export { Client, type ClientOptions } from './client.js'
export * from './errors.js'
export type { NegativeTimeout } from './exptime.js'
export { parseServer, parseServers, type ServerSpec, type ServerSpecInput } from './server-spec.js'
export type { Modes, Operation, Selection, Server, Slots } from './slots.js'
