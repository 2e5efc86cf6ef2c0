/** memshim/compat: python-memcached's client, with one switch for every emulated behaviour. */

export {
  type Preset,
  type PresetName,
  presets,
  type Switch,
  type SwitchName,
  type SwitchSetting,
  switches,
  switchNames,
  type VersionFacts,
} from '../rules/index.js'
export { Client } from './client.js'
export { type Divergence, divergenceChannel } from './divergence/divergence.js'
export {
  type DivergenceCount,
  DivergenceLog,
  type DivergenceLogOptions,
} from './divergence/divergence-log.js'
export { type CounterMeasurement, metricsChannel } from './divergence/divergence-metrics.js'
export { type DivergenceRecord, recordsChannel } from './divergence/divergence-records.js'
export {
  confirmedChannel,
  mismatchChannel,
  type ShadowCounts,
} from './divergence/shadow.js'
export type { Latency } from './divergence/shadow-latency.js'
export type { Mismatch, MismatchKind, ShadowOptions } from './divergence/shadow-options.js'
export type { ShadowState, ShadowVerdict } from './divergence/shadow-verdict.js'
export { ShadowedClient } from './divergence/shadowed-client.js'
export type { ClientOptions } from './emulation/emulation.js'
export type { Hooks } from './emulation/hooks.js'
export {
  MemcachedKeyCharacterError,
  MemcachedKeyError,
  MemcachedKeyLengthError,
  MemcachedKeyNoneError,
  MemcachedKeyTypeError,
  PythonSocketError,
} from './errors.js'
export type {
  CompatStoreArgument,
  CompatStoreOptions,
  DeleteArgument,
  DeleteMultiOptions,
  GetMultiOptions,
  MultiArgument,
  NoReply,
  TouchArgument,
} from './methods/call-options.js'
export type { CompatKey, KeysOf } from './methods/context.js'
export type { HostState } from './policies/hosts.js'
export type { CompatServerInput } from './policies/server-spec.js'
