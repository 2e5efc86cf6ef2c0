/** The emulation of a compat client: the preset with its switches, and python-memcached's keywords. Source: docs/reference/python-memcached.md#3. */
import { observe } from '../../ground/observers.js'
import { ValueError } from '../../python/errors.js'
import { typeName } from '../../python/type-name.js'
import {
  type PresetName,
  presets,
  type Rules,
  rulesFor,
  type SwitchName,
  type SwitchSetting,
  type SwitchSettings,
  switchNames,
} from '../../rules/index.js'
import type { ClientOptions as StrictOptions } from '../../strict/index.js'
import type { Connect } from '../../transport/socket.js'
import type { Announcer } from '../divergence/divergence.js'
import { checkConstructor } from '../methods/surface.js'
import {
  checkedClientOptions,
  checkProtocol,
  limitOf,
  presetNamed,
  switchSettings,
  timeoutOf,
} from './constructor-options.js'
import { checkCounterparts } from './everything-off.js'
import type { Hooks } from './hooks.js'

/** python-memcached's constructor keywords in camelCase, preset and switches (docs/reference/python-memcached.md#4). */
export interface ClientOptions extends Hooks {
  /**
   * The emulated library: python-memcached at a version (default 1.62), the same without its mistakes (`…-safe`), or `pylibmc` for
   * everything off.
   */
  readonly emulate?: PresetName | undefined
  /** Single behaviours set otherwise than in the preset. */
  readonly switches?: Partial<Readonly<Record<SwitchName, SwitchSetting>>> | undefined
  /**
   * With every switch at `pylibmc` only: the arguments of pylibmc's own constructor (behaviors, `binary`, credentials, …), so that the
   * last step of the migration can be tried before the class is replaced. A setting must not be given both here and by a keyword below
   * (docs/compat.md#everything-off).
   */
  readonly pylibmc?: StrictOptions | undefined
  /** Write python-memcached's log lines to standard error, or pass them to a function. Default false. */
  readonly debug?: boolean | ((line: string) => void) | undefined
  /** Pickle protocol for writing, 0–5; negative = the highest. Default 0. */
  readonly pickleProtocol?: number | undefined
  /** Longest key in bytes, 0 = no limit of the client's own. Default 250. */
  readonly serverMaxKeyLength?: number | undefined
  /** Largest encoded value in bytes, 0 = no limit. Default 1048576. */
  readonly serverMaxValueLength?: number | undefined
  /** Seconds for which a failed server is not used. Default 30. */
  readonly deadRetry?: number | undefined
  /** Seconds for a whole operation: connecting, queueing, sending, waiting. Default 3; with everything off pylibmc's own times. */
  readonly socketTimeout?: number | undefined
  /** Remember the CAS uniques of `gets` for `cas`. Default false. */
  readonly cacheCas?: boolean | undefined
  /** Send flush_all to a server that was dead. Default false. */
  readonly flushOnReconnect?: boolean | undefined
  /** Check keys before sending. Default true. */
  readonly checkKeys?: boolean | undefined
  /** Values are read with types that plain JavaScript lacks (1.0 stays a float, tuples stay tuples). Default false. */
  readonly preserve?: boolean | undefined
  /** Clock in seconds, for tests and audits. Default: the system clock. */
  readonly now?: (() => number) | undefined
  /** Opens the connection to a server, for tests and audits (docs/server.md). Default: over the network. */
  readonly connect?: Connect | undefined
}

export class Emulation {
  /** As given, checked. */
  readonly options: ClientOptions
  /** The rules of the client: the facts of the version, overridden by the switches. */
  readonly rules: Rules
  /** Every switch is at `pylibmc`. */
  readonly everythingOff: boolean
  readonly serverMaxKeyLength: number
  readonly serverMaxValueLength: number
  readonly deadRetry: number
  /** Milliseconds. */
  readonly timeout: number
  readonly cacheCas: boolean
  readonly checkKeys: boolean
  readonly now: () => number
  /** Writes a line of python-memcached's debug output, when it is wanted. */
  readonly debug: (text: string) => void
  readonly debugging: boolean

  /**
   * @throws ValueError naming the option and its allowed values, or the switch that forbids the option `pylibmc`; TypeError for
   *   options that do not exist
   */
  constructor(
    given: ClientOptions,
    readonly announcer: Announcer,
  ) {
    const options = checkedClientOptions(given)
    this.options = options
    const preset = presetNamed(options.emulate)
    const settings = switchSettings(preset, options.switches)
    const on = switchNames.filter((name) => settings[name] !== 'pylibmc')
    this.everythingOff = on.length === 0
    // With every switch off, the emulated version has no influence.
    const { facts } = this.everythingOff ? presets.pylibmc : preset
    this.rules = rulesFor(facts, settings)
    checkProtocol(options.pickleProtocol, facts)
    checkPylibmc(options, on, settings)
    this.serverMaxKeyLength = limitOf(options, 'serverMaxKeyLength', 250)
    this.serverMaxValueLength = limitOf(options, 'serverMaxValueLength', 1024 * 1024)
    this.deadRetry = limitOf(options, 'deadRetry', 30)
    this.timeout = timeoutOf(options)
    this.cacheCas = Boolean(options.cacheCas ?? false)
    this.checkKeys = Boolean(options.checkKeys ?? true)
    this.now = options.now ?? (() => Date.now() / 1000)
    this.debug = logger(options.debug)
    this.debugging = Boolean(options.debug)
    checkConstructor(this)
  }
}

function checkPylibmc(
  options: ClientOptions,
  [on, ...others]: readonly SwitchName[],
  settings: SwitchSettings,
): void {
  if (options.pylibmc === undefined) return
  if (on !== undefined) {
    const more = others.length === 0 ? '' : ` (and ${others.length} more are on)`
    throw new ValueError(
      `the option pylibmc needs every switch at 'pylibmc', and ${on} is '${settings[on]}'${more}`,
    )
  }
  if (typeof options.pylibmc !== 'object' || options.pylibmc === null)
    throw new TypeError(`pylibmc must be options of pylibmc, not ${typeName(options.pylibmc)}`)
  checkCounterparts(options)
}

function logger(debug: ClientOptions['debug']): (line: string) => void {
  if (!debug) return () => undefined
  const write = typeof debug === 'function' ? debug : (line: string) => process.stderr.write(`${line}\n`)
  return (text) => observe('debug', () => write(`MemCached: ${text}`))
}
