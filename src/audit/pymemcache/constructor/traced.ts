/**
 * The clients of a traced application of pymemcache: class and keywords of its constructor as options of ours. Source:
 * docs/reference/pymemcache.md#2, #2.5; measured in fixtures/vectors/pymemcache-arguments.json.gz.
 */
import { SocketError } from '../../../pymemcache/index.js'
import type { Serde } from '../../../pymemcache/serde.js'
import { AttributeError, ValueError } from '../../../python/errors.js'
import { typeName } from '../../../python/type-name.js'
import { fromTypedJson, PyFloat } from '../../../values/index.js'
import { truthy } from '../../methods/conversions.js'
import type { Construction } from '../../traces/trace.js'
import type { TargetOptions } from '../options.js'
import { type Limits, limitsOf } from './limits.js'
import { type Refusal, refusalsOf } from './refusals.js'
import { type TracedRetry, tracedRetry } from './retried.js'
import { tracedSerde } from './serdes.js'
import type { SocketEffect } from './sockets.js'

export interface TracedClient {
  readonly options: TargetOptions
  /** Of a RetryingClient. */
  readonly retry?: TracedRetry
  /** The facts that the option `serde` does not give. */
  readonly serde?: Serde
  readonly sockets: readonly SocketEffect[]
  readonly limits: Limits
  /** The prefix of a HashClient is text. */
  readonly isTextPrefix: boolean
  /** Calls that raise because of an argument of the constructor. */
  readonly refusals: readonly Refusal[]
  /** The differences between the replay and the constructor call, as sentences. */
  readonly notes: readonly string[]
}

/**
 * A replay uses the class; a trace does not contain the code of a subclass or the nodes of a cluster's endpoint.
 * @param overridden names of the keywords that the audit replaces
 */
export function tracedClient(made: Construction, overridden: ReadonlySet<string>): TracedClient {
  if (made.class === 'RetryingClient')
    return { ...tracedClient(made.inner ?? { kwargs: {} }, overridden), retry: tracedRetry(made.kwargs) }
  const notes: string[] = []
  const options: Record<string, string | number | boolean | null> = {}
  if (made.class !== undefined)
    options.class = made.class === 'AWSElastiCacheHashClient' ? 'HashClient' : made.class
  const kwargs = Object.fromEntries(Object.entries(made.kwargs).filter(([name]) => !overridden.has(name)))
  const refusals = refusalsOf(made.class ?? 'Client', kwargs)
  const limits = limitsOf(kwargs)
  const sockets: SocketEffect[] = []
  for (const [name, given] of Object.entries(kwargs)) {
    const value = fromTypedJson(given)
    if (Object.hasOwn(limits, name)) continue
    const effect = socketEffect(name, value)
    if (effect) {
      sockets.push(effect)
      continue
    }
    if (withoutEffect.has(name)) continue
    const option = inOwnForm(name, value)
    if (option !== undefined) options[name] = option
    else if (!refusals.some((refusal) => refusal.keyword === name))
      notes.push(`constructor keyword ${name} cannot be replayed: the default is used`)
  }
  const { name: serdeName, serde, replaced } = tracedSerde(kwargs)
  if (serdeName !== undefined) options.serde = serdeName
  for (const name of replaced)
    notes.push(`constructor keyword ${name} is Python code and cannot be replayed: pickle_serde is used`)
  return {
    options,
    ...(serde ? { serde } : {}),
    sockets,
    limits,
    isTextPrefix:
      options.class === 'HashClient' && typeof fromTypedJson(kwargs.key_prefix ?? null) === 'string',
    refusals,
    notes,
  }
}

/** Options of sockets and pools, which have no effect in a replay, and those that are read elsewhere. */
const withoutEffect = new Set([
  'socket_keepalive',
  'max_pool_size',
  // A pool that is none does not read it.
  'pool_idle_timeout',
  'lock_generator',
  'tls_context',
  'serde',
  'serializer',
  'deserializer',
])

type Plain = string | number | boolean | null

/** A keyword's value as an option of the audit; undefined if it has no such form. */
function inOwnForm(name: string, value: unknown): Plain | undefined {
  switch (name) {
    case 'default_noreply':
    case 'ignore_exc':
    case 'use_pooling':
    case 'allow_unicode_keys':
    case 'no_delay':
      return truthy(value)
    case 'timeout':
    case 'connect_timeout':
      return value === null ? null : numberOf(value)
    case 'key_prefix':
      if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
      return typeof value === 'string' ? value : undefined
    case 'encoding':
      return typeof value === 'string' ? encodings[value.toLowerCase().replace(/[-_ ]/g, '')] : undefined
    default:
      return undefined
  }
}

/** Python's names for the codecs that a replay has. */
const encodings: Readonly<Record<string, string>> = {
  ascii: 'ascii',
  usascii: 'ascii',
  '646': 'ascii',
  utf8: 'utf-8',
  u8: 'utf-8',
  utf: 'utf-8',
  latin1: 'latin-1',
  latin: 'latin-1',
  l1: 'latin-1',
  iso88591: 'latin-1',
  utf16: 'utf-16',
  u16: 'utf-16',
  utf16le: 'utf-16-le',
  utf16be: 'utf-16-be',
  utf32: 'utf-32',
  u32: 'utf-32',
  utf32le: 'utf-32-le',
  utf32be: 'utf-32-be',
}

function numberOf(value: unknown): number | undefined {
  if (value instanceof PyFloat) return value.value
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : undefined
}

/** The values that Python refuses when it opens a connection or reads from it. */
function socketEffect(name: string, value: unknown): SocketEffect | undefined {
  if (name === 'tls_context') {
    const type = typeName(value)
    const isContext = !truthy(value) || typeof value === 'object'
    if (isContext) return undefined
    const error = new AttributeError(`'${type}' object has no attribute 'wrap_socket'`)
    return { opening: (isUnix) => (isUnix ? undefined : error) }
  }
  if ((name !== 'timeout' && name !== 'connect_timeout') || value === null) return undefined
  const seconds = numberOf(value)
  if (seconds === undefined) {
    const words = `'${typeName(value)}' object cannot be interpreted as an integer`
    const error = Object.assign(new TypeError(words), { python: 'builtins.TypeError' })
    return { opening: () => error }
  }
  if (seconds > 0) return undefined
  if (seconds === 0)
    return name === 'timeout'
      ? { reading: blocking(11, 'Resource temporarily unavailable') }
      : {
          opening: (isUnix) => (isUnix ? undefined : blocking(115, 'Operation now in progress')),
        }
  const error = new ValueError('Timeout value out of range')
  return { opening: () => error }
}

function blocking(number: number, words: string): SocketError {
  return new SocketError('builtins.BlockingIOError', `[Errno ${number}] ${words}`)
}
