/** memshim/compat: python-memcached's client, with every emulated behaviour under a switch of its own. */

export type { VersionFacts } from '../rules/python-memcached.js'
export type {
  CompatStoreArgument,
  CompatStoreOptions,
  DeleteArgument,
  DeleteMultiOptions,
  GetMultiOptions,
  MultiArgument,
  NoReply,
  TouchArgument,
} from './call-options.js'
export { Client } from './client.js'
export type { CompatKey, KeysOf } from './context.js'
export { type Divergence, divergenceChannel } from './divergence.js'
export { type DivergenceCount, DivergenceLog, type DivergenceLogOptions } from './divergence-log.js'
export { type CounterMeasurement, metricsChannel } from './divergence-metrics.js'
export type { ClientOptions } from './emulation.js'
export {
  MemcachedKeyCharacterError,
  MemcachedKeyError,
  MemcachedKeyLengthError,
  MemcachedKeyNoneError,
  MemcachedKeyTypeError,
  PythonSocketError,
} from './errors.js'
export type { Hooks } from './hooks.js'
export type { HostState } from './hosts.js'
export { type Preset, type PresetName, presets } from './presets.js'
export type { CompatServerInput } from './server-spec.js'
export {
  type Mismatch,
  type MismatchKind,
  mismatchChannel,
  type ShadowCounts,
  type ShadowOptions,
} from './shadow.js'
export { ShadowedClient } from './shadowed-client.js'
export { type Switch, type SwitchName, type SwitchSetting, switches, switchNames } from './switches.js'
