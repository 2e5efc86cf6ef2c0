/**
 * Constructor keywords of both Python libraries as options of our clients.
 * Source: docs/reference/pylibmc.md#2, docs/reference/python-memcached.md#3.
 */

import { Client as CompatClient, type ClientOptions as CompatOptions } from '../../../compat/index.js'
import { checkIterable, checkObject, shown } from '../../../ground/arguments.js'
import { Client as StrictClient, type ClientOptions as StrictOptions } from '../../../strict/index.js'
import type { Connect } from '../../../transport/socket.js'
import type { TracedServer } from '../../traces/trace.js'
import type { AuditedClient } from '../calls.js'
import { truthy } from '../conversions.js'
import type { LibraryName } from '../python-signatures.js'

/** Options of an audit beyond the keywords of the Python constructor. */
export interface ConstructOptions {
  /** Clock in seconds; default the system clock. */
  readonly now?: (() => number) | undefined
  /** Opens the connections to the servers; default over the network. */
  readonly connect?: Connect | undefined
  /** The longest time of one operation in milliseconds; overrides longer times of the keywords. */
  readonly longestWait?: number | undefined
  /** Options for the strict client beyond pylibmc's keywords, e.g. `negativeTimeout`. */
  readonly strict?: Omit<StrictOptions, 'now' | 'connect' | 'preserve'> | undefined
  /** Options for the compat client beyond python-memcached's keywords: `emulate`, `switches`. */
  readonly compat?: Omit<CompatOptions, 'now' | 'connect' | 'preserve'> | undefined
}

/** python-memcached's keywords that are data, with our names and Python's conversions. Classes and functions cannot be in a trace. */
const compatKeywords: Readonly<Record<string, readonly [string, 'truth' | 'number']>> = {
  debug: ['debug', 'truth'],
  pickleProtocol: ['pickleProtocol', 'number'],
  server_max_key_length: ['serverMaxKeyLength', 'number'],
  server_max_value_length: ['serverMaxValueLength', 'number'],
  dead_retry: ['deadRetry', 'number'],
  socket_timeout: ['socketTimeout', 'number'],
  cache_cas: ['cacheCas', 'truth'],
  flush_on_reconnect: ['flushOnReconnect', 'truth'],
  check_keys: ['checkKeys', 'truth'],
}
/** Keywords whose values are Python classes or functions: a replay uses the defaults. */
const codeKeywords = [
  'pickler',
  'unpickler',
  'compressor',
  'decompressor',
  'pload',
  'pid',
  'key_encoder',
] as const
const pylibmcKeywords = ['behaviors', 'binary', 'username', 'password'] as const

/** A client made from Python's constructor call, and the keywords that have no counterpart. */
export interface Constructed {
  readonly client: AuditedClient
  /** Keywords without an effect in the replay. */
  readonly ignored: readonly string[]
}

/**
 * A client as the Python constructor would make it, reading values losslessly.
 * @param kwargs plain values or the lossless tree
 * @throws errors of the client's constructor; TypeError for an unknown keyword
 */
export function construct(
  library: LibraryName,
  servers: readonly TracedServer[],
  kwargs: Readonly<Record<string, unknown>>,
  options: ConstructOptions = {},
): Constructed {
  if (library !== 'pylibmc' && library !== 'python-memcached')
    throw new TypeError(`library is ${shown(library)}, neither 'pylibmc' nor 'python-memcached'`)
  checkIterable('servers', servers)
  checkObject('kwargs', kwargs)
  checkObject('options', options)
  return library === 'pylibmc' ? strict(servers, kwargs, options) : compat(servers, kwargs, options)
}

function strict(
  servers: readonly TracedServer[],
  kwargs: Readonly<Record<string, unknown>>,
  { now, connect, longestWait, strict: extra }: ConstructOptions,
): Constructed {
  for (const name of Object.keys(kwargs)) {
    if (!pylibmcKeywords.some((known) => known === name)) throw unexpected(name)
  }
  const behaviors = { ...entries(kwargs.behaviors), ...extra?.behaviors } as StrictOptions['behaviors'] & {
    _poll_timeout?: number
  }
  const wait = extra?.timeout ?? behaviors._poll_timeout ?? 5000
  const client = new StrictClient(servers.map(pylibmcServer), {
    ...given(kwargs, { binary: 'binary', username: 'username', password: 'password' }),
    ...extra,
    behaviors,
    ...(longestWait === undefined ? {} : { timeout: Math.min(wait, longestWait) }),
    preserve: true,
    now,
    ...(connect ? { connect } : {}),
  })
  return { client, ignored: [] }
}

function compat(
  servers: readonly TracedServer[],
  kwargs: Readonly<Record<string, unknown>>,
  { now, connect, longestWait, compat: extra }: ConstructOptions,
): Constructed {
  const ignored: string[] = []
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(kwargs)) {
    const [own, read] = Object.hasOwn(compatKeywords, name) ? compatKeywords[name]! : []
    if (own === undefined && !codeKeywords.some((known) => known === name)) throw unexpected(name)
    const plain = number(value)
    if (own !== undefined && read === 'truth') options[own] = truthy(value)
    else if (own !== undefined && isNumber(plain)) options[own] = Number(plain)
    else if (value !== null) ignored.push(name)
  }
  const wait = typeof options.socketTimeout === 'number' ? options.socketTimeout : 3
  const client = new CompatClient(
    servers as never,
    {
      ...options,
      // The output of python-memcached for debug=1 is not part of the report.
      ...(options.debug ? { debug: () => {} } : {}),
      ...extra,
      ...(longestWait === undefined ? {} : { socketTimeout: Math.min(wait, longestWait / 1000) }),
      preserve: true,
      now,
      ...(connect ? { connect } : {}),
    } as CompatOptions,
  )
  return { client, ignored }
}

/**
 * The keywords that a team would write for pylibmc instead of python-memcached's, which pylibmc refuses. `cas` is switched on: a program that
 * calls gets needs it, and it changes nothing for one that does not.
 */
export function pylibmcKwargs(kwargs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const seconds = number(kwargs.socket_timeout ?? kwargs.timeout)
  const milliseconds = typeof seconds === 'number' ? Math.round(seconds * 1000) : undefined
  const timeouts = milliseconds ? { connect_timeout: milliseconds, _poll_timeout: milliseconds } : {}
  return { behaviors: { cas: 1, ...timeouts } }
}

/** The reverse, for pylibmc's or pymemcache's keywords. */
export function pythonMemcachedKwargs(
  source: LibraryName,
  kwargs: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (source === 'pymemcache') {
    const seconds = number(kwargs.timeout)
    return { cache_cas: true, ...(typeof seconds === 'number' ? { socket_timeout: seconds } : {}) }
  }
  const behaviors = entries(kwargs.behaviors)
  return { cache_cas: Boolean(behaviors.cas) }
}

function given(
  kwargs: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([python, ours]) =>
      Object.hasOwn(kwargs, python) ? [[ours, number(kwargs[python])]] : [],
    ),
  )
}

/** Python's True and False are numbers, too. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}

/** Floats of the lossless tree are numbers again: an option has no use for 3.0 beside 3. */
function number(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'value' in value && typeof value.value === 'number') {
    return value.value
  }
  return value
}

function entries(value: unknown): Record<string, unknown> {
  return value instanceof Map ? Object.fromEntries(value) : { ...(value as object | undefined) }
}

function pylibmcServer(spec: TracedServer): string {
  if (typeof spec === 'string') return spec.startsWith('unix:') ? spec.slice(5) : spec.replace(/^inet6?:/, '')
  const [address, weight] = spec
  const server = pylibmcServer(address)
  return server.startsWith('/') ? server : `${server}:${weight}`
}

function unexpected(name: string): TypeError {
  return new TypeError(`Client.__init__() got an unexpected keyword argument '${name}'`)
}
