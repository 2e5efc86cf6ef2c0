/**
 * The client with every switch off: pylibmc's client, with python-memcached's keywords as pylibmc's options. Nothing is partly
 * emulated. Sources: docs/reference/pylibmc.md#2, #9; fixtures/recordings of pylibmc.
 */

import type { CallOptions, Key, Time, TimeOptions } from '../../pipeline/methods/arguments.js'
import { pipelineOf } from '../../pipeline/pipeline.js'
import type { ServerSpec } from '../../pipeline/slots.js'
import { ValueError } from '../../python/errors.js'
import {
  type BehaviorSettings,
  type ServerSpecInput,
  Client as StrictClient,
  type ClientOptions as StrictOptions,
} from '../../strict/index.js'
import { addressName } from '../../transport/address.js'
import type { ValueEncoding } from '../../values/index.js'
import type { NoReply, TouchArgument } from '../methods/call-options.js'
import { touchArguments } from '../methods/touch.js'
import { valueSlots } from '../policies/values.js'
import type { ClientOptions, Emulation } from './emulation.js'

type KeyEncoder = (key: unknown) => unknown

/** Hooks that together make up pylibmc's value encoding. */
const valueHooks = [
  'pickler',
  'unpickler',
  'compressor',
  'decompressor',
  'persistentLoad',
  'persistentId',
] as const

const ofValues = ['encoding', 'behaviors.pickle_protocol'] as const

/** python-memcached's keywords that have another name in pylibmc. */
const counterparts: Readonly<Partial<Record<keyof ClientOptions, readonly string[]>>> = {
  cacheCas: ['behaviors.cas'],
  socketTimeout: ['timeout', 'behaviors._poll_timeout', 'behaviors.connect_timeout'],
  pickleProtocol: ['behaviors.pickle_protocol'],
  preserve: ['preserve'],
  now: ['now'],
  connect: ['connect'],
  ...Object.fromEntries(valueHooks.map((name) => [name, ofValues])),
}

/** @throws ValueError naming both, if a setting is given by the names of both libraries */
export function checkCounterparts(options: ClientOptions): void {
  const { behaviors, ...others } = options.pylibmc ?? {}
  const given = new Set([...namesOf(others), ...namesOf(behaviors ?? {}).map((name) => `behaviors.${name}`)])
  for (const [keyword, names = []] of Object.entries(counterparts)) {
    const twice =
      options[keyword as keyof ClientOptions] == null ? undefined : names.find((name) => given.has(name))
    if (twice !== undefined)
      throw new ValueError(`${keyword} and pylibmc’s ${twice} say the same: only one of them can be given`)
  }
}

const namesOf = (options: object): string[] =>
  Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]))

/** @throws as the strict client's constructor */
export function everythingOff(emulation: Emulation, specs: readonly ServerSpec[]): StrictClient {
  const { keyEncoder } = emulation.options
  return new EverythingOff(specs.map(pylibmcSpec), strictOptions(emulation), keyEncoder)
}

function strictOptions(emulation: Emulation): StrictOptions {
  const { options } = emulation
  const { pylibmc = {}, cacheCas, socketTimeout, pickleProtocol, preserve, now, connect } = options
  const behaviors: BehaviorSettings = {
    ...(cacheCas === undefined ? {} : { cas: cacheCas }),
    // Whole milliseconds, and never 0, which would leave no time to connect.
    ...(socketTimeout === undefined ? {} : { connect_timeout: Math.ceil(emulation.timeout) }),
    ...(pickleProtocol == null ? {} : { pickle_protocol: pickleProtocol }),
    ...pylibmc.behaviors,
  }
  return {
    ...(socketTimeout === undefined ? {} : { timeout: emulation.timeout }),
    ...(preserve === undefined ? {} : { preserve }),
    ...(now === undefined ? {} : { now }),
    ...(connect == null ? {} : { connect }),
    ...(valueHooks.some((name) => options[name]) ? { encoding: hookedEncoding(emulation) } : {}),
    ...pylibmc,
    behaviors,
  }
}

function hookedEncoding(emulation: Emulation): ValueEncoding {
  const { encode, decode, textFlags } = valueSlots(emulation)
  return {
    name: 'pylibmc',
    textFlags,
    write: (value, compression) => encode(value, compression, 'set', ''),
    encode(value, compression) {
      const { flags, data } = encode(value, compression, 'set', '')
      return { flags, data: typeof data === 'string' ? Buffer.from(data, 'latin1') : data }
    },
    // The strict client decides the outcome of an item that cannot be read.
    decode: (flags, data) => decode({ key: '', cas: undefined, flags, data }, 'gets'),
  }
}

/** In pylibmc's grammar. */
function pylibmcSpec({ address, weight }: ServerSpec): ServerSpecInput {
  if (address.transport === 'unix') return [4, address.path, 0]
  return `${addressName(address)}:${weight}`
}

/** The strict client, with the further arguments of python-memcached's methods. */
class EverythingOff extends StrictClient {
  #keyEncoder: KeyEncoder | undefined

  constructor(servers: Iterable<ServerSpecInput>, options: StrictOptions, keyEncoder?: KeyEncoder) {
    super(servers, options)
    // `noreply` is pylibmc's behavior `_noreply` for one call.
    pipelineOf(this).slots.furtherOptions = ['noreply']
    this.encodeKeys(keyEncoder)
  }

  private encodeKeys(keyEncoder: KeyEncoder | undefined): void {
    this.#keyEncoder = keyEncoder
    if (!keyEncoder) return
    const { slots } = pipelineOf(this)
    const { key } = slots
    slots.key = (given, operation, prefix) => key(keyEncoder(given), operation, prefix)
  }

  override clone(): this {
    const made = super.clone()
    made.encodeKeys(this.#keyEncoder)
    return made
  }

  /** @throws TypeError also for a number, which python-memcached's cas takes for the time; otherwise as strict's */
  override async cas(key: Key, value: unknown, cas: bigint, options?: Time | TimeOptions): Promise<boolean> {
    if (typeof cas === 'number')
      throw new TypeError('cas needs the CAS unique that gets returned, as a bigint, and the time behind it')
    return super.cas(key, value, cas, options)
  }

  override touch(key: Key, time: TouchArgument, options?: NoReply & CallOptions): Promise<boolean> {
    return super.touch(key, ...touchArguments(time, options))
  }
}
