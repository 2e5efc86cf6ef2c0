/** Options of pymemcache as the target of an audit: its own keywords. Source: docs/reference/pymemcache.md#2. */
import { shown } from '../../ground/arguments.js'
import type { HashClientOptions } from '../../pymemcache/index.js'
import { codecNames } from '../../python/text.js'
import { AuditOptionsError } from '../options.js'
import { serdeNamed } from './constructor/serdes.js'

/** By pymemcache's names: `default_noreply`, `serde`, `ignore_exc`, `use_pooling`, `timeout` and others. */
export type TargetOptions = Readonly<Record<string, string | number | boolean | null>>

type Check = (value: unknown) => boolean
const isFlag: Check = (value) => typeof value === 'boolean'
const isSeconds: Check = (value) => value === null || (typeof value === 'number' && value > 0)
const isPause: Check = (value) => typeof value === 'number' && value >= 0
const isCount: Check = (value) => Number.isSafeInteger(value)

const isPrefix: Check = (value) =>
  typeof value === 'string' && /^[\x21-\x7e]*$/.test(value) && value.length < 250

const classes = ['Client', 'PooledClient', 'HashClient']

const isSerde: Check = (value) =>
  value === 'none' || (typeof value === 'string' && serdeNamed(value) !== undefined)

interface TargetOption {
  readonly ours: string
  readonly words: string
  readonly check: Check
}

const flag = (ours: string): TargetOption => ({ ours, words: 'true or false', check: isFlag })
const seconds = (ours: string): TargetOption => ({
  ours,
  words: 'seconds above 0, or none',
  check: isSeconds,
})

const pause = (ours: string): TargetOption => ({ ours, words: 'seconds from 0 on', check: isPause })

const choice = (ours: string, values: readonly string[]): TargetOption => ({
  ours,
  words: values.join(', '),
  check: (value) => values.includes(value as string),
})

const known: Readonly<Record<string, TargetOption>> = {
  default_noreply: flag('defaultNoreply'),
  ignore_exc: flag('ignoreExc'),
  use_pooling: flag('usePooling'),
  allow_unicode_keys: flag('allowUnicodeKeys'),
  timeout: seconds('timeout'),
  connect_timeout: seconds('connectTimeout'),
  serde: {
    ours: 'serde',
    words: 'none, pickle_serde, compressed_serde, PickleSerde(PROTOCOL), CompressedSerde(LENGTH)',
    check: isSerde,
  },
  /** Default: Client for one server, PooledClient with `use_pooling`, HashClient for several servers. */
  class: choice('class', classes),
  key_prefix: { ours: 'keyPrefix', words: 'text of printable ASCII, shorter than a key', check: isPrefix },
  encoding: choice('encoding', codecNames),
  no_delay: flag('noDelay'),
  retry_attempts: { ours: 'retryAttempts', words: 'a whole number', check: isCount },
  retry_timeout: pause('retryTimeout'),
  dead_timeout: pause('deadTimeout'),
}

/** The names of the options, for help texts. */
export const targetOptionNames: readonly string[] = Object.keys(known)

/** @throws AuditOptionsError that names the option and its allowed values */
export function checkTargetOptions(options: TargetOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new AuditOptionsError('targetOptions is not an object')
  for (const [name, value] of Object.entries(options)) {
    const option = Object.hasOwn(known, name) ? known[name] : undefined
    if (!option)
      throw new AuditOptionsError(
        `targetOptions: ${shown(name)} is not one of ${targetOptionNames.join(', ')}`,
      )
    if (!option.check(value))
      throw new AuditOptionsError(`targetOptions: ${name} ${shown(value)} is not ${option.words}`)
  }
}

/** As options of our client, which reads values losslessly. */
export function clientOptionsOf(options: TargetOptions): HashClientOptions & { readonly class?: string } {
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) if (name !== 'serde') found[known[name]!.ours] = value
  // A traced prefix has any bytes.
  if (typeof found.keyPrefix === 'string') found.keyPrefix = Buffer.from(found.keyPrefix, 'latin1')
  const serde = serdeNamed(String(options.serde))
  if (serde) found.serde = serde
  return found
}

/** Settings of the target that the report names. */
export interface TargetSettings {
  /** Storage, delete, touch and flush_all do not wait for an answer. */
  readonly noreply: boolean
  /** No serde is set. */
  readonly plain: boolean
  readonly serde: string
  readonly ignoreExc: boolean
  readonly allowUnicodeKeys: boolean
  /** Prefix of every key. */
  readonly keyPrefix: string
  /** A HashClient's prefix is text, with which it refuses every key. */
  readonly isTextPrefix: boolean
}

export function targetSettings(options: TargetOptions, isTextPrefix = false): TargetSettings {
  return {
    noreply: options.default_noreply !== false,
    plain: options.serde === undefined || options.serde === 'none',
    serde: String(options.serde ?? 'none'),
    ignoreExc: options.ignore_exc === true,
    allowUnicodeKeys: options.allow_unicode_keys === true,
    keyPrefix: String(options.key_prefix ?? ''),
    isTextPrefix,
  }
}
