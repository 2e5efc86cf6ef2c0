/** What a compat client emulates: the preset with its switches, and python-memcached's keywords. Source: spec/python-memcached §3. */
import { ValueError } from '../python/errors.js'
import { checkOptions } from '../python/options.js'
import { typeName } from '../python/type-name.js'
import type { Announcer } from './divergence.js'
import { type PresetName, presets, type VersionFacts } from './presets.js'
import { type SwitchName, type SwitchSetting, switchNames } from './switches.js'

export interface ClientOptions {
  /** Whose behaviour: python-memcached at a version (default 1.62), or `pylibmc` for everything off. */
  readonly emulate?: PresetName
  /** Single behaviours set otherwise than in the preset. */
  readonly switches?: Partial<Readonly<Record<SwitchName, SwitchSetting>>>
  /** Tell of dead servers on standard error, or to a function. Default false. */
  readonly debug?: boolean | ((line: string) => void)
  /** Pickle protocol for writing, 0–5; negative = the highest. Default 0. */
  readonly pickleProtocol?: number
  /** Longest key in bytes, 0 = no limit of the client's own. Default 250. */
  readonly serverMaxKeyLength?: number
  /** Largest encoded value in bytes, 0 = no limit. Default 1048576. */
  readonly serverMaxValueLength?: number
  /** Seconds that a failed server is left alone. Default 30. */
  readonly deadRetry?: number
  /** Seconds for a whole operation: connecting, queueing, sending, waiting. Default 3. */
  readonly socketTimeout?: number
  /** Remember the CAS uniques of `gets` for `cas`. Default false. */
  readonly cacheCas?: boolean
  /** Send flush_all to a server that was dead. Default false. */
  readonly flushOnReconnect?: boolean
  /** Check keys before sending. Default true. */
  readonly checkKeys?: boolean
  /** Values read back keep what plain JavaScript would lose (1.0 stays a float, tuples stay tuples). Default false. */
  readonly preserve?: boolean
  /** Clock in seconds, for tests and audits. Default: the system clock. */
  readonly now?: () => number
}

const optionNames = Object.keys({
  emulate: true,
  switches: true,
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
} satisfies Record<keyof ClientOptions, true>)

const settingNames = ['python-memcached', 'pylibmc'] as const

export class Emulation {
  readonly facts: VersionFacts
  readonly switches: Readonly<Record<SwitchName, SwitchSetting>>
  readonly serverMaxKeyLength: number
  readonly serverMaxValueLength: number
  readonly deadRetry: number
  /** Milliseconds. */
  readonly timeout: number
  readonly cacheCas: boolean
  readonly checkKeys: boolean
  readonly now: () => number
  readonly log: (line: string) => void

  /** @throws ValueError naming the option and what it may be; TypeError for options that do not exist */
  constructor(
    readonly options: ClientOptions,
    readonly announcer: Announcer,
  ) {
    checkOptions(options, optionNames)
    checkProtocol(options.pickleProtocol)
    const preset = presets[options.emulate ?? 'python-memcached-1.62']
    if (!preset) throw unknownName('emulate', options.emulate, Object.keys(presets))
    for (const [name, setting] of Object.entries(options.switches ?? {})) {
      if (!switchNames.includes(name as SwitchName)) throw unknownName('switch', name, switchNames)
      if (!settingNames.includes(setting)) throw unknownName(`switch ${name}`, setting, settingNames)
    }
    this.facts = preset.facts
    this.switches = { ...preset.switches, ...options.switches }
    this.serverMaxKeyLength = limit(options, 'serverMaxKeyLength', 250)
    this.serverMaxValueLength = limit(options, 'serverMaxValueLength', 1024 * 1024)
    this.deadRetry = limit(options, 'deadRetry', 30)
    const { socketTimeout = 3 } = options
    if (!(typeof socketTimeout === 'number' && socketTimeout > 0 && socketTimeout < 2 ** 31 / 1000)) {
      throw new ValueError(`socketTimeout ${socketTimeout} is not a number of seconds above 0`)
    }
    this.timeout = socketTimeout * 1000
    this.cacheCas = options.cacheCas ?? false
    this.checkKeys = options.checkKeys ?? true
    this.now = options.now ?? (() => Date.now() / 1000)
    this.log = logger(options.debug)
  }

  /** Is this behaviour python-memcached's? */
  on(name: SwitchName): boolean {
    return this.switches[name] === 'python-memcached'
  }
}

function checkProtocol(protocol: unknown): void {
  if (protocol === undefined || protocol === null) return
  if (typeof protocol !== 'number' || !Number.isInteger(protocol))
    throw new TypeError(`pickleProtocol must be an integer, not ${typeName(protocol)}`)
  if (protocol > 5) throw new ValueError(`pickle protocol must be <= 5, not ${protocol}`)
}

function limit(
  options: ClientOptions,
  name: 'serverMaxKeyLength' | 'serverMaxValueLength' | 'deadRetry',
  missing: number,
): number {
  const value = options[name] ?? missing
  if (typeof value !== 'number' || Number.isNaN(value))
    throw new ValueError(`${name} ${value} is not a number`)
  return value
}

function unknownName(what: string, given: unknown, known: readonly string[]): ValueError {
  return new ValueError(`${what} ${JSON.stringify(given)} is not one of ${known.join(', ')}`)
}

function logger(debug: ClientOptions['debug']): (line: string) => void {
  if (typeof debug === 'function') return debug
  if (!debug) return () => undefined
  return (line) => process.stderr.write(`${line}\n`)
}
