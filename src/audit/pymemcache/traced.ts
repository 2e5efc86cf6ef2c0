/**
 * The clients of a traced application of pymemcache: class and keywords of its constructor as options of ours. Source:
 * docs/reference/pymemcache.md#2, #5, #12.
 */
import {
  MemcacheClientError,
  MemcacheError,
  MemcacheIllegalInputError,
  MemcacheServerError,
  MemcacheUnexpectedCloseError,
  MemcacheUnknownCommandError,
  MemcacheUnknownError,
  type RetryOptions,
  SocketError,
} from '../../pymemcache/index.js'
import { fromTypedJson, PyFloat } from '../../values/index.js'
import type { Construction } from '../traces/trace.js'
import { isTargetOption, type TargetOptions } from './options.js'

export interface TracedClient {
  readonly options: TargetOptions
  /** Of a RetryingClient. */
  readonly retry?: RetryOptions
  /** The differences between the replay and the constructor call, as sentences. */
  readonly notes: readonly string[]
}

/** A replay uses the class; a trace does not contain the code of a subclass or the nodes of a cluster's endpoint. */
export function tracedClient(made: Construction): TracedClient {
  const notes: string[] = []
  /** The application has its own serde, whose code is not in a trace. */
  let ownSerde = false
  const replaced = (name: string) => {
    ownSerde = true
    notes.push(`constructor keyword ${name} is Python code and cannot be replayed: pickle_serde is used`)
  }
  const options: Record<string, string | number | boolean | null> = {}
  if (made.class === 'RetryingClient') {
    const { options, notes: own } = tracedClient(made.inner ?? { kwargs: {} })
    return { options, retry: retryOptions(made.kwargs, notes), notes: [...own, ...notes] }
  }
  if (made.class !== undefined)
    options.class = made.class === 'AWSElastiCacheHashClient' ? 'HashClient' : made.class
  for (const [name, given] of Object.entries(made.kwargs)) {
    if (given === null || withoutEffect.has(name)) continue
    const value = plain(fromTypedJson(given))
    if (name === 'serializer' || name === 'deserializer') {
      if (value === `python_memcache_${name}`) options.serde = 'pickle_serde'
      else replaced(name)
    } else if (isTargetOption(name, value)) options[name] = value
    else if (name === 'serde') replaced(name)
    else notes.push(`constructor keyword ${name} cannot be replayed: the default is used`)
  }
  // With it values keep their types, as with most serdes that applications write.
  if (ownSerde) options.serde ??= 'pickle_serde'
  return { options, notes }
}

/** Options of sockets and pools, which have no effect in a replay. */
const withoutEffect = new Set([
  'socket_keepalive',
  'max_pool_size',
  'pool_idle_timeout',
  'lock_generator',
  'tls_context',
])

type Plain = string | number | boolean | null

function plain(value: unknown): Plain {
  if (value instanceof PyFloat) return value.value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  return value as Plain
}

function retryOptions(kwargs: Construction['kwargs'], notes: string[]): RetryOptions {
  const attempts = plain(fromTypedJson(kwargs.attempts ?? 2))
  const classes = (name: string) => {
    const given = kwargs[name] ?? []
    const names = Array.isArray(given) ? given : [given]
    const found = names.flatMap((one) => errors[String(one)] ?? [])
    if (found.length === names.length) return found
    notes.push(`${name} names errors that a replay does not have: it is left out`)
    return []
  }
  return {
    attempts: typeof attempts === 'number' && attempts >= 1 ? attempts : 2,
    retryFor: classes('retry_for'),
    doNotRetryFor: classes('do_not_retry_for'),
  }
}

type ErrorClass = NonNullable<RetryOptions['retryFor']>[number]

const errors: Readonly<Record<string, ErrorClass>> = {
  'pymemcache.exceptions.MemcacheError': MemcacheError,
  'pymemcache.exceptions.MemcacheClientError': MemcacheClientError,
  'pymemcache.exceptions.MemcacheUnknownCommandError': MemcacheUnknownCommandError,
  'pymemcache.exceptions.MemcacheIllegalInputError': MemcacheIllegalInputError,
  'pymemcache.exceptions.MemcacheServerError': MemcacheServerError,
  'pymemcache.exceptions.MemcacheUnknownError': MemcacheUnknownError,
  'pymemcache.exceptions.MemcacheUnexpectedCloseError': MemcacheUnexpectedCloseError,
  'builtins.OSError': SocketError,
  'builtins.ConnectionError': SocketError,
  'builtins.Exception': Error,
}
