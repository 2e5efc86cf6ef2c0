/** The allowed values of each option of the constructor. Source: docs/reference/python-memcached.md#3. */
import { ValueError } from '../../python/errors.js'
import { isPlain, ownOptions } from '../../python/options.js'
import { shownAsPython } from '../../python/shown.js'
import { typeName } from '../../python/type-name.js'
import {
  type Preset,
  type PresetName,
  presets,
  pythonMemcachedColumns,
  type SwitchName,
  type SwitchSetting,
  type SwitchSettings,
  settingsOf,
  switchNames,
} from '../../rules/index.js'
import type { ClientOptions } from './emulation.js'
import { hookNames } from './hooks.js'

const optionNames = Object.keys({
  ...hookNames,
  emulate: true,
  switches: true,
  pylibmc: true,
  debug: true,
  pickleProtocol: true,
  serverMaxKeyLength: true,
  serverMaxValueLength: true,
  deadRetry: true,
  socketTimeout: true,
  cacheCas: true,
  flushOnReconnect: true,
  checkKeys: true,
  preserve: true,
  now: true,
  connect: true,
} satisfies Record<keyof ClientOptions, true>)

/** Options whose values are converted with Python's bool(). */
const flags = ['cacheCas', 'flushOnReconnect', 'checkKeys', 'preserve'] as const
const functions = [...(Object.keys(hookNames) as (keyof typeof hookNames)[]), 'now', 'connect'] as const

/**
 * A copy with the given options and nothing from a prototype.
 * @throws TypeError for unknown names and values of other types, naming them
 */
export function checkedClientOptions(given: ClientOptions): ClientOptions {
  const options = ownOptions(given, optionNames)
  for (const name of functions) {
    const value: unknown = options[name]
    if (value !== undefined && value !== null && typeof value !== 'function')
      throw new TypeError(`${name} must be a function, not ${shownAsPython(value)}`)
  }
  for (const name of flags) {
    const value: unknown = options[name]
    if (value !== undefined && value !== null && typeof value !== 'boolean' && value !== 0 && value !== 1)
      throw new TypeError(`${name} must be true or false, not ${shownAsPython(value)}`)
  }
  const { debug, switches } = options as { debug?: unknown; switches?: unknown }
  if (debug !== undefined && !['boolean', 'number', 'function'].includes(typeof debug) && debug !== null)
    throw new TypeError(`debug must be true, false or a function, not ${shownAsPython(debug)}`)
  if (switches !== undefined && !isPlain(switches))
    throw new TypeError(`switches must be an object of switches and settings, not ${shownAsPython(switches)}`)
  return options
}

/** @throws ValueError naming the known presets */
export function presetNamed(name: PresetName = 'python-memcached-1.62'): Preset {
  if (typeof name === 'string' && Object.hasOwn(presets, name)) return presets[name]
  throw unknownName('emulate', name, Object.keys(presets))
}

/** The settings of a preset, overridden by the given switches. @throws ValueError naming the known switches or settings */
export function switchSettings(preset: Preset, given: ClientOptions['switches'] = {}): SwitchSettings {
  const chosen = Object.entries(ownOptionsOf(given)) as [SwitchName, SwitchSetting | undefined][]
  const set = chosen.filter(([name, setting]) => {
    const known =
      Object.hasOwn(pythonMemcachedColumns, setting as string) || settingsOf(name).includes(setting!)
    if (setting !== undefined && !known)
      throw unknownName(`switch ${name}`, setting, [
        ...settingsOf(name),
        'a version such as python-memcached-1.59',
      ])
    return setting !== undefined
  })
  return { ...preset.switches, ...Object.fromEntries(set) }
}

function ownOptionsOf(given: object): object {
  for (const name of Reflect.ownKeys(given))
    if (!switchNames.includes(name as SwitchName)) throw unknownName('switch', name, switchNames)
  return given
}

/** @throws ValueError unless it is a number, of any size */
export function limitOf(
  options: ClientOptions,
  name: 'serverMaxKeyLength' | 'serverMaxValueLength' | 'deadRetry',
  missing: number,
): number {
  const value = options[name] ?? missing
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw new ValueError(`${name} ${shownAsPython(value)} is not a number`)
}

/** Milliseconds. @throws ValueError unless it is a number of seconds that a timer can take */
export function timeoutOf({ socketTimeout = 3 }: ClientOptions): number {
  if (typeof socketTimeout === 'number' && socketTimeout > 0 && socketTimeout < 2 ** 31 / 1000)
    return socketTimeout * 1000
  throw new ValueError(`socketTimeout ${shownAsPython(socketTimeout)} is not a number of seconds above 0`)
}

/** @throws TypeError, ValueError */
export function checkProtocol(protocol: unknown, { python, pickler }: Preset['facts']): void {
  if (protocol === undefined || protocol === null) return
  if (typeof protocol !== 'number' || !Number.isInteger(protocol))
    throw new TypeError(`pickleProtocol must be an integer, not ${typeName(protocol)}`)
  const inC = `pickle protocol ${protocol} asked for; the highest available protocol is 2`
  if (python === 2 && protocol > 2)
    throw new ValueError(pickler === 'cPickle' ? inC : 'pickle protocol must be <= 2')
  if (protocol > 5) throw new ValueError(`pickle protocol must be <= 5, not ${protocol}`)
}

function unknownName(what: string, given: unknown, known: readonly string[]): ValueError {
  return new ValueError(`${what} ${shownAsPython(given)} is not one of ${known.join(', ')}`)
}
