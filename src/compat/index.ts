/** memshim/compat: python-memcached's client, with every emulated behaviour under a switch of its own. */
export {
  Client,
  type CompatKey,
  type CompatStoreArgument,
  type DeleteArgument,
  type NoReply,
} from './client.js'
export { type Divergence, divergenceChannel } from './divergence.js'
export type { ClientOptions } from './emulation.js'
export {
  MemcachedKeyCharacterError,
  MemcachedKeyError,
  MemcachedKeyLengthError,
  MemcachedKeyNoneError,
  MemcachedKeyTypeError,
  PythonSocketError,
} from './errors.js'
export { type Preset, type PresetName, presets, type VersionFacts } from './presets.js'
export type { CompatServerInput } from './server-spec.js'
export { type Switch, type SwitchName, type SwitchSetting, switches, switchNames } from './switches.js'
