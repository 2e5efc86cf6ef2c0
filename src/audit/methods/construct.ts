/**
 * Constructor keywords of both Python libraries as options of our clients.
 * Source: docs/reference/pylibmc.md#2, docs/reference/python-memcached.md#3.
 */

import {
  Client as CompatClient,
  type ClientOptions as CompatOptions,
  type PresetName,
} from '../../compat/index.js'
import { checkIterable, checkObject, shown } from '../../ground/arguments.js'
import { AttributeError, ValueError } from '../../python/errors.js'
import { signatureOf } from '../../rules/signatures.js'
import {
  parseServers,
  Client as StrictClient,
  type ClientOptions as StrictOptions,
} from '../../strict/index.js'
import type { Connect } from '../../transport/socket.js'
import { checkUnchangedPymemcache } from '../pymemcache/construct.js'
import type { Construction, TracedServer } from '../traces/trace.js'
import type { AuditedClient } from './calls.js'
import type { Library, LibraryName } from './python-signatures.js'

/** What an audit adds to the keywords of the Python constructor. */
export interface ConstructOptions {
  /** Clock in seconds; default the system clock. */
  readonly now?: (() => number) | undefined
  /** Opens the connections to the servers; default over the network. */
  readonly connect?: Connect | undefined
  /** Longest that one operation may take, in milliseconds; overrides what the keywords say when that is longer. */
  readonly longestWait?: number | undefined
  /** Options for the strict client beyond pylibmc's keywords, e.g. `negativeTimeout`. */
  readonly strict?: Omit<StrictOptions, 'now' | 'connect' | 'preserve'> | undefined
  /** Options for the compat client beyond python-memcached's keywords: `emulate`, `switches`. */
  readonly compat?: Omit<CompatOptions, 'now' | 'connect' | 'preserve'> | undefined
}

/** python-memcached's keywords that are data, with our names. Classes and functions cannot be in a trace. */
const compatKeywords: Readonly<Record<string, string>> = {
  debug: 'debug',
  pickleProtocol: 'pickleProtocol',
  server_max_key_length: 'serverMaxKeyLength',
  server_max_value_length: 'serverMaxValueLength',
  dead_retry: 'deadRetry',
  socket_timeout: 'socketTimeout',
  cache_cas: 'cacheCas',
  flush_on_reconnect: 'flushOnReconnect',
  check_keys: 'checkKeys',
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
  /** Keywords that the replay could not honour. */
  readonly ignored: readonly string[]
}

/**
 * A client as the Python constructor would make it, reading values losslessly.
 * @param kwargs plain values or the lossless tree
 * @throws what the client's constructor throws; TypeError for an unknown keyword
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
  for (const [name, value] of Object.entries(kwargs)) {
    if (codeKeywords.some((known) => known === name)) {
      if (value !== null) ignored.push(name)
    } else if (!Object.hasOwn(compatKeywords, name)) throw unexpected(name)
  }
  const wait = typeof kwargs.socket_timeout === 'number' ? kwargs.socket_timeout : 3
  const client = new CompatClient(
    servers as never,
    {
      ...given(kwargs, compatKeywords),
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
 * What a team would write for pylibmc instead of these python-memcached keywords, which pylibmc refuses. `cas` is switched on: a program that
 * calls gets needs it, and it changes nothing for one that does not.
 */
export function pylibmcKwargs(kwargs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const seconds = number(kwargs.socket_timeout ?? kwargs.timeout)
  const milliseconds = typeof seconds === 'number' ? Math.round(seconds * 1000) : undefined
  const timeouts = milliseconds ? { connect_timeout: milliseconds, _poll_timeout: milliseconds } : {}
  return { behaviors: { cas: 1, ...timeouts } }
}

/** And the reverse: of pylibmc's keywords, or of pymemcache's. */
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
  return new TypeError(`__init__() got an unexpected keyword argument '${name}'`)
}

/**
 * What a library makes of pymemcache's constructor, in the words of the application: measured with `memcache.Client` and `pylibmc.Client`, which
 * iterate over the characters of an address.
 * @throws AttributeError for a class that it does not have, TypeError for a keyword, ValueError for the address
 */
export function checkPymemcacheConstruction(library: Library, made: Construction): void {
  const { class: kind = 'Client', kwargs } = made
  const module = library.name === 'pylibmc' ? 'pylibmc' : 'memcache'
  if (kind !== 'Client') throw new AttributeError(`module '${module}' has no attribute '${kind}'`)
  const { parameters } = signatureOf(library.name, library.version, '__init__')!
  for (const name of Object.keys(kwargs)) if (!parameters.includes(name)) throw unexpected(name)
  throw new ValueError(
    library.name === 'pylibmc'
      ? "invalid literal for int() with base 10: ''"
      : 'Unable to parse connection string: ":"',
  )
}

/**
 * Whether the constructor of a library takes what the application gives to that of python-memcached.
 * @throws what it raises: TypeError for a keyword, AttributeError for pylibmc's with a (address, weight) tuple, ValueError for an address
 */
export function checkUnchanged(
  library: Library,
  servers: readonly TracedServer[],
  kwargs: Readonly<Record<string, unknown>>,
): void {
  if (library.name === 'pymemcache') return checkUnchangedPymemcache(library, servers, kwargs)
  const { parameters } = signatureOf(library.name, library.version, '__init__')!
  for (const name of Object.keys(kwargs)) if (!parameters.includes(name)) throw unexpected(name)
  if (library.name === 'python-memcached') {
    new CompatClient(servers as never, { emulate: `python-memcached-${library.version}` as PresetName })
    return
  }
  for (const server of servers) {
    if (typeof server !== 'string') throw new AttributeError("'tuple' object has no attribute 'startswith'")
  }
  parseServers(servers as readonly string[])
}
