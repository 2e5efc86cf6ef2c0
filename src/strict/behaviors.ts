/**
 * pylibmc's behaviors: names, types, defaults, and the fixed order in which they are applied.
 * Source: docs/reference/pylibmc.md#9.2.
 */
import { type Distribution, type HashName, hashes } from '../hashing/index.js'
import { integer } from '../pipeline/exptime.js'
import { MemcachedError } from '../pipeline/failures/errors.js'
import { defaultHealth } from '../pipeline/health.js'
import { AttributeError, KeyError, ValueError } from '../python/errors.js'
import { isPlain } from '../python/options.js'
import { shownAsPython } from '../python/shown.js'
import { typeName } from '../python/type-name.js'

/** How a value is checked and stored. Milliseconds, microseconds and seconds are int32. */
type Kind = 'bool' | 'int32' | 'uint32' | 'hash' | 'distribution' | 'hash or number'

/** In pylibmc's order: a failing entry leaves earlier ones applied. */
const table = {
  no_block: ['bool', 0],
  tcp_nodelay: ['bool', 0],
  tcp_keepalive: ['bool', 0],
  hash: ['hash', 'default'],
  ketama_hash: ['hash or number', 0],
  ketama: ['bool', 0],
  ketama_weighted: ['bool', 0],
  distribution: ['distribution', 'modula'],
  cas: ['bool', 0],
  buffer_requests: ['bool', 0],
  verify_keys: ['bool', 0],
  connect_timeout: ['int32', 4000],
  send_timeout: ['int32', 0],
  receive_timeout: ['int32', 0],
  num_replicas: ['uint32', 0],
  auto_eject: ['bool', 0],
  retry_timeout: ['int32', defaultHealth.retryTimeout],
  remove_failed: ['bool', 0],
  failure_limit: ['uint32', defaultHealth.failureLimit],
  _io_msg_watermark: ['uint32', 500],
  _io_bytes_watermark: ['uint32', 66560],
  _io_key_prefetch: ['uint32', 0],
  _hash_with_prefix_key: ['bool', 0],
  _noreply: ['bool', 0],
  _sort_hosts: ['bool', 0],
  _poll_timeout: ['int32', 5000],
  _socket_send_size: ['int32', 0],
  _socket_recv_size: ['int32', 0],
  dead_timeout: ['int32', defaultHealth.deadTimeout],
  pickle_protocol: ['int32', -1],
} as const satisfies Record<string, readonly [Kind, number | string]>

/** pylibmc's names of behaviors, in the order in which they are applied (docs/reference/pylibmc.md#9.2). */
export type BehaviorName = keyof typeof table

/** All 30 names, in the order of pylibmc's `all_behaviors`. */
export const behaviorNames = Object.keys(table) as BehaviorName[]

/** Values as they read back: `hash` and `distribution` by name, everything else as a number. */
export type Behaviors = {
  [Name in BehaviorName]: Name extends 'hash' ? HashName : Name extends 'distribution' ? Distribution : number
}

/** Values as they may be set. */
export type BehaviorSettings = {
  readonly [Name in BehaviorName]?: Name extends 'hash'
    ? HashName
    : Name extends 'distribution'
      ? Distribution
      : Name extends 'ketama_hash'
        ? HashName | number
        : boolean | number
} & {
  /** Old name of `retry_timeout`. */
  readonly _retry_timeout?: number
  /** Prefix of every key on the wire: 1…127 graphic ASCII characters. Write only; cannot be removed again. */
  readonly namespace?: string | Uint8Array | undefined
}

/** Every behavior with its default, in pylibmc's units (docs/reference/pylibmc.md#9.2). */
export const defaultBehaviors: Readonly<Behaviors> = Object.freeze(
  Object.fromEntries(behaviorNames.map((name) => [name, table[name][1]])),
) as Readonly<Behaviors>

/** Setting one of these closes every connection. */
export const reconnecting: ReadonlySet<BehaviorName> = new Set([
  'no_block', 'tcp_nodelay', 'tcp_keepalive', 'buffer_requests', '_socket_send_size', '_socket_recv_size',
]) // biome-ignore format: one list

const distributions: readonly Distribution[] = [
  'modula', 'consistent', 'consistent ketama', 'random', 'consistent ketama spy', 'consistent weighted', 'virtual bucket',
] // biome-ignore format: one list
/** pylibmc's numbers of hashes; `hsieh` is listed but refused. */
const hashNumbers: readonly string[] = [
  'default', 'md5', 'crc', 'fnv1_64', 'fnv1a_64', 'fnv1_32', 'fnv1a_32', 'hsieh', 'murmur', 'jenkins', 'murmur3',
] // biome-ignore format: one list

/** A copy of the given settings with nothing from a prototype. @throws AttributeError when it is not a plain object */
export function ownSettings(settings: BehaviorSettings): BehaviorSettings {
  if (isPlain(settings)) return { __proto__: null, ...settings } as BehaviorSettings
  throw new AttributeError(
    `'${typeName(settings)}' object has no attribute 'copy': behaviors is an object of settings`,
  )
}

/** One change of a behavior, checked. */
export type BehaviorChange = readonly [name: BehaviorName | 'namespace', value: number | string]

/**
 * Checks settings and brings them into pylibmc's order. Names are checked first: an unknown one means nothing is applied. The
 * changes are then produced one by one, so that a bad value leaves the earlier ones applied, as in pylibmc.
 * @throws ValueError (unknown names), TypeError (no number), KeyError (unknown hash or distribution), MemcachedError (38, 39)
 */
export function* behaviorChanges(settings: BehaviorSettings, binary = false): Generator<BehaviorChange> {
  const given = ownSettings(settings) as Record<string, unknown>
  if (given._retry_timeout !== undefined) {
    given.retry_timeout ??= given._retry_timeout
    delete given._retry_timeout
  }
  const unknown = Reflect.ownKeys(given)
    .filter((name) => !Object.hasOwn(table, name) && name !== 'namespace')
    .map(String)
  if (unknown.length > 0) throw new ValueError(`unknown behavior names: ${unknown.sort().join(', ')}`)
  for (const name of behaviorNames) {
    if (given[name] === undefined) continue
    const value = check(name, given[name])
    // libmemcached checks keys only in the text protocol.
    if (binary && name === 'verify_keys') throw refused(name, value)
    yield [name, value]
  }
  if (given.namespace !== undefined) yield ['namespace', namespace(given.namespace, binary)]
}

function check(name: BehaviorName, value: unknown): number | string {
  const kind: Kind = table[name][0]
  if (value === null) throw notInt(name, value)
  if (kind === 'distribution') {
    if (value === 'consistent max') throw refused(name, 7)
    if (typeof value !== 'string' || !distributions.includes(value as Distribution))
      throw new KeyError(typeof value === 'string' ? value : shownAsPython(value))
    return value
  }
  if (kind === 'hash') {
    if (value === 'hsieh') throw refused(name, 7)
    if (typeof value !== 'string' || !Object.hasOwn(hashes, value) || value === 'murmur3')
      throw new KeyError(typeof value === 'string' ? value : shownAsPython(value))
    return value
  }
  if (kind === 'hash or number' && typeof value === 'string' && hashNumbers.includes(value))
    return hashNumbers.indexOf(value)
  const number = integer(value, `behavior ${name}`)
  if (kind === 'bool') return number ? 1 : 0
  if (name === 'failure_limit' && BigInt.asUintN(32, BigInt(number)) === 0n) throw refused(name, 0)
  return Number(kind === 'uint32' ? BigInt.asUintN(32, BigInt(number)) : BigInt.asIntN(32, BigInt(number)))
}

function notInt(name: string, value: unknown): TypeError {
  return new TypeError(`behavior ${name} must be int, not ${typeName(value)}`)
}

const MAX_NAMESPACE = 127

function namespace(value: unknown, binary: boolean): string {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
  if (typeof text !== 'string') throw new TypeError('behavior namespace must be text or bytes')
  if (text === '') throw refusedNamespace(text, 38)
  if (text.length > MAX_NAMESPACE) throw refusedNamespace(text, 39)
  // The binary protocol accepts every key, and every prefix.
  if (!binary && !/^[\x21-\x7e]+$/.test(text)) throw new ValueError(`bad key provided: ${text}`)
  return text
}

function refusedNamespace(text: string, code: number): MemcachedError {
  // pylibmc shows at most 32 characters.
  const shown = text.slice(0, 32)
  return new MemcachedError(`memcached_callback_set returned ${code} for callback 'namespace' = ${shown}`, {
    code,
  })
}

function refused(name: string, value: number | string): MemcachedError {
  return new MemcachedError(`memcached_behavior_set returned 38 for behavior '${name}' = ${value}`, {
    code: 38,
  })
}
