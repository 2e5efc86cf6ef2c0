/** The behaviour of each library and version, as data: the table, its columns, and the switches that override them. */
export {
  cell,
  type Fact,
  pythonMemcachedColumns,
  type Rules,
  rows,
  type VersionFacts,
  versionsOf,
} from './columns.js'
export { type Preset, type PresetName, presets } from './presets.js'
export type { Row } from './row.js'
export {
  rulesFor,
  type Switch,
  type SwitchName,
  type SwitchSetting,
  type SwitchSettings,
  settingsOf,
  switches,
  switchesByName,
  switchNames,
} from './switches.js'
export { valueDialect } from './value-dialect.js'
