/**
 * Converts a recorded Python call into a call of our clients, and the result into a Python result.
 * Source: signatures and results of docs/reference/pylibmc.md#5 and docs/reference/python-memcached.md#10.
 */
import type { Client as CompatClient } from '../../compat/index.js'
import { versionsOf } from '../../rules/index.js'
import type { PylibmcMethod, PythonMemcachedMethod } from '../../rules/signatures.js'
import { compareVersions } from '../../rules/version.js'
import type { Client as StrictClient } from '../../strict/index.js'
import { PyIterator, PyView, type TypedJson, toTypedJson, ValueEncodeError } from '../../values/index.js'
import { type Outcome, raised, returned, truth } from '../compare/outcome.js'
import { converted, itemsOf, MappingSubclass } from './conversions.js'
import { type Bound, bind, type Library, type PythonCall } from './python-signatures.js'

/** A client that an audit can replay calls on: strict for pylibmc, compat for python-memcached. */
export type AuditedClient = StrictClient | CompatClient

/**
 * Makes the call as Python code does, and returns the outcome in Python. Never throws.
 * @param library the library whose method names, signatures and results apply: `pylibmc` needs a strict client, `python-memcached` a
 *   compat client
 * @param call values are the lossless tree of `fromTypedJson`
 */
export function invoke(client: AuditedClient, library: Library, call: PythonCall): Promise<Outcome> {
  try {
    const bound = converted(library, call.call, boundOrLater(library, call))
    return invokeBound(client, library, call.call, bound)
  } catch (error) {
    return Promise.resolve(raised(error))
  }
}

/** The compat client itself refuses the methods and arguments of later versions, and announces them. @throws SignatureError for those that no version has */
function boundOrLater(library: Library, call: PythonCall): Bound {
  try {
    return bind(library, call)
  } catch (error) {
    if (library.name !== 'python-memcached' || call.call.startsWith('_')) throw error
    for (const version of versionsOf(library.name))
      if (compareVersions(version, library.version) > 0)
        try {
          return bind({ ...library, version }, call)
        } catch {}
    throw error
  }
}

/** The same for arguments that are bound and converted already. Never throws. */
export function invokeBound(
  client: AuditedClient,
  library: Library,
  call: string,
  bound: Bound,
): Promise<Outcome> {
  const failed = (error: unknown): Outcome =>
    isUnpicklable(bound.val) && error instanceof ValueEncodeError
      ? raised(new TypeError(`cannot pickle '${bound.val.className}' object`))
      : raised(error)
  try {
    const method =
      library.name === 'pylibmc'
        ? (pylibmc as Methods<StrictClient>)[call]
        : (pythonMemcached as Methods<CompatClient>)[call]
    if (!method) throw new TypeError(`${call}() cannot be replayed`)
    const made = (method as (client: AuditedClient, bound: Bound) => Outcome | Promise<Outcome>)(
      client,
      bound,
    )
    return made instanceof Promise ? made.catch(failed) : Promise.resolve(made)
  } catch (error) {
    return Promise.resolve(failed(error))
  }
}

function isUnpicklable(value: unknown): value is PyIterator | PyView {
  return value instanceof PyIterator || value instanceof PyView
}

type Method<C> = (client: C, bound: Bound) => Outcome | Promise<Outcome>

/** The given options by our names; options that Python code left out stay absent. */
function options(bound: Bound, names: Readonly<Record<string, string>>): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const python in names)
    if (python in bound)
      found[names[python]!] = python === 'noreply' ? pythonTruth(bound[python]) : bound[python]
  return found
}

/** An empty list as `noreply` is false in Python. */
function pythonTruth(value: unknown): boolean {
  return typeof value === 'boolean' ? value : truth(toTypedJson(value))
}

/** The positional arguments up to the last one that was given. */
function given(bound: Bound, ...names: string[]): unknown[] {
  const last = names.findLastIndex((name) => name in bound)
  return names.slice(0, last + 1).map((name) => bound[name])
}

// The arguments of the application have any type; the clients check them.
// biome-ignore lint/suspicious/noExplicitAny: unchecked Python arguments are passed to typed methods only here
type Unchecked = any

const storeOptions = { time: 'time', min_compress_len: 'minCompressLen', compress_level: 'compressLevel' }
const silentStoreOptions = { ...storeOptions, noreply: 'noreply' }
const prefixOptions = { key_prefix: 'keyPrefix' }
const multiOptions = { ...storeOptions, key_prefix: 'keyPrefix' }

function pylibmcStore(verb: 'set' | 'add' | 'replace' | 'append' | 'prepend'): Method<StrictClient> {
  return (client, bound) =>
    client[verb](bound.key as Unchecked, bound.val, options(bound, storeOptions)).then(returned)
}

/** By their names in Python. */
type Methods<C> = Readonly<Record<string, Method<C> | undefined>>

const pylibmc: Readonly<Record<PylibmcMethod, Method<StrictClient>>> = {
  get: (client, bound) =>
    client
      .get(bound.key as Unchecked)
      .then((value) => returned(value === undefined && 'default' in bound ? bound.default : value)),
  gets: async (client, bound) => {
    const [value, cas] = await client.gets(bound.key as Unchecked)
    return tuple(value, cas)
  },
  get_multi: (client, bound) =>
    client
      .getMulti(sequence(bound.keys, 'dict is not a sequence'), options(bound, prefixOptions))
      .then(returned),
  set: pylibmcStore('set'),
  add: pylibmcStore('add'),
  replace: pylibmcStore('replace'),
  append: pylibmcStore('append'),
  prepend: pylibmcStore('prepend'),
  cas: async (client, bound) =>
    returned(
      await client.cas(
        bound.key as Unchecked,
        bound.val,
        asToken(bound.cas) as Unchecked,
        options(bound, { time: 'time' }),
      ),
    ),
  set_multi: async (client, bound) =>
    returned(await client.setMulti(bound.keys as Unchecked, options(bound, multiOptions))),
  add_multi: async (client, bound) =>
    returned(await client.addMulti(bound.keys as Unchecked, options(bound, multiOptions))),
  delete: (client, bound) => client.delete(bound.key as Unchecked).then(returned),
  delete_multi: async (client, bound) =>
    returned(
      await client.deleteMulti(
        anyIterable(bound.keys, 'keys must be a sequence, not a mapping'),
        options(bound, { key_prefix: 'keyPrefix' }),
      ),
    ),
  touch: async (client, bound) =>
    returned(await client.touch(bound.key as Unchecked, bound.seconds as Unchecked)),
  incr: async (client, bound) =>
    returned(await client.incr(...(given(bound, 'key', 'delta') as [Unchecked]))),
  decr: async (client, bound) =>
    returned(await client.decr(...(given(bound, 'key', 'delta') as [Unchecked]))),
  incr_multi: async (client, bound) =>
    returned(
      await client.incrMulti(
        sequence(bound.keys, 'dict is not a sequence'),
        options(bound, { key_prefix: 'keyPrefix', delta: 'delta' }),
      ),
    ),
  flush_all: async (client, bound) => returned(await client.flushAll(options(bound, { time: 'time' }))),
  get_stats: async (client, bound) => {
    const stats = await client.getStats(...(given(bound, 'arg') as [Unchecked]))
    const rows = stats.map(([server, values]): TypedJson => {
      const bytes = Object.entries(values).map(([name, value]) => [name, { $bytes: value }] as const)
      return { $tuple: [{ $bytes: server }, Object.fromEntries(bytes)] }
    })
    return { result: rows }
  },
  disconnect_all: (client) => {
    client.disconnectAll()
    return returned(undefined)
  },
  hash: (client, bound) => returned(client.hash(bound.key as Unchecked)),
  get_behaviors: (client) => returned(client.getBehaviors()),
  set_behaviors: (client, bound) => {
    client.setBehaviors(plainRecord(bound.behaviors) as Unchecked)
    return returned(undefined)
  },
  clone: (client) => {
    client.clone()
    return returned(undefined)
  },
  serialize: (client, bound) => {
    const [data, flags] = client.serialize(bound.value)
    return tuple(data, flags)
  },
  deserialize: (client, bound) =>
    returned(client.deserialize(bound.data as Unchecked, bound.flags as Unchecked)),
  __getitem__: async (client, bound) => returned(await client.getItem(bound.key as Unchecked)),
  __setitem__: async (client, bound) => returned(await client.setItem(bound.key as Unchecked, bound.val)),
  __delitem__: async (client, bound) => returned(await client.deleteItem(bound.key as Unchecked)),
  __contains__: async (client, bound) => returned(await client.has(bound.key as Unchecked)),
}

function memcacheCount(verb: 'incr' | 'decr'): Method<CompatClient> {
  return async (client, bound) =>
    returned(
      await client[verb](
        bound.key as Unchecked,
        ('delta' in bound ? bound.delta : 1) as Unchecked,
        options(bound, { noreply: 'noreply' }),
      ),
    )
}

function memcacheStore(verb: 'set' | 'add' | 'replace' | 'append' | 'prepend' | 'cas'): Method<CompatClient> {
  return (client, bound) =>
    client[verb](bound.key as Unchecked, bound.val, options(bound, silentStoreOptions)).then(returned)
}

const pythonMemcached: Readonly<Record<PythonMemcachedMethod, Method<CompatClient>>> = {
  get: (client, bound) =>
    ('default' in bound
      ? client.get(bound.key as Unchecked, bound.default)
      : client.get(bound.key as Unchecked)
    ).then(returned),
  gets: async (client, bound) => returned(await client.gets(bound.key as Unchecked)),
  get_multi: (client, bound) =>
    client.getMulti<Unchecked>(keysOf(bound.keys), options(bound, prefixOptions)).then(returned),
  set: memcacheStore('set'),
  add: memcacheStore('add'),
  replace: memcacheStore('replace'),
  append: memcacheStore('append'),
  prepend: memcacheStore('prepend'),
  cas: memcacheStore('cas'),
  set_multi: async (client, bound) =>
    returned(
      await client.setMulti(bound.mapping as Unchecked, {
        ...options(bound, multiOptions),
        ...options(bound, { noreply: 'noreply' }),
      }),
    ),
  incr: memcacheCount('incr'),
  decr: memcacheCount('decr'),
  delete: async (client, bound) =>
    returned(
      await client.delete(
        bound.key as Unchecked,
        options(bound, { time: 'time', noreply: 'noreply' }) as Unchecked,
      ),
    ),
  delete_multi: async (client, bound) =>
    returned(
      await client.deleteMulti(
        keysOf(bound.keys),
        options(bound, { time: 'time', key_prefix: 'keyPrefix', noreply: 'noreply' }) as Unchecked,
      ),
    ),
  touch: async (client, bound) =>
    returned(
      await client.touch(
        bound.key as Unchecked,
        options(bound, { time: 'time', noreply: 'noreply' }) as Unchecked,
      ),
    ),
  _deletetouch: async (client, bound) =>
    returned(
      await client.deletetouch(
        iterable(bound.expected) as Unchecked,
        bound.cmd as Unchecked,
        bound.key as Unchecked,
        bound.time as Unchecked,
        options(bound, { noreply: 'noreply' }),
      ),
    ),
  flush_all: async (client) => returned(await client.flushAll()),
  get_stats: async (client, bound) =>
    pairs(await client.getStats(...(given(bound, 'stat_args') as [Unchecked]))),
  get_slabs: async (client) => pairs(await client.getSlabs()),
  get_slab_stats: async (client) => pairs(await client.getSlabStats()),
  disconnect_all: async (client) => {
    client.disconnectAll()
    return returned(null)
  },
  forget_dead_hosts: (client) => {
    client.forgetDeadHosts()
    return returned(null)
  },
  reset_cas: (client) => {
    client.resetCas()
    return returned(null)
  },
  check_key: (client, bound) => {
    client.checkKey(...(given(bound, 'key', 'key_extra_len') as [Unchecked]))
    return returned(null)
  },
  set_servers: (client, bound) => {
    client.setServers(bound.servers as Unchecked)
    return returned(null)
  },
  quit_all: async (client) => {
    await client.quitAll()
    return returned(null)
  },
  debuglog: () => returned(null),
  // Reads of attributes: their values are of no interest, because the other libraries do not have them.
  servers: () => returned(null),
  dead_retry: () => returned(null),
  socket_timeout: () => returned(null),
}

/** A list of servers with their statistics. */
function pairs(rows: readonly (readonly [string, unknown])[]): Outcome {
  return { result: rows.map(([server, values]): TypedJson => ({ $tuple: [server, toTypedJson(values)] })) }
}

function tuple(...values: unknown[]): Outcome {
  return { result: { $tuple: values.map((value) => (value === undefined ? null : toTypedJson(value))) } }
}

/** The keys of methods of pylibmc that need a length: an iterator has none, and a dict is refused. */
function sequence(keys: unknown, refusal: string): Unchecked {
  if (keys instanceof PyIterator) throw new TypeError(`object of type '${keys.className}' has no len()`)
  return iterable(isDict(keys) ? refuse(refusal) : keys)
}

/** pylibmc's delete_multi accepts every iterable, except a dict or a subclass of it. */
function anyIterable(keys: unknown, refusal: string): Unchecked {
  if (keys instanceof Map) refuse(refusal)
  return sequence(keys instanceof PyIterator ? [...keys.items] : keys, refusal)
}

function refuse(message: string): never {
  throw new TypeError(message)
}

/** python-memcached iterates over every argument; the client decides how a dict is read. */
function keysOf(keys: unknown): Unchecked {
  if (keys instanceof MappingSubclass) return new Map(keys)
  return isDict(keys) ? keys : (itemsOf(keys) ?? keys)
}

function iterable(keys: unknown): unknown {
  const items = itemsOf(keys)
  if (items) return items
  throw new TypeError(`'${typeof keys}' object is not iterable`)
}

function isDict(value: unknown): boolean {
  if (value instanceof Map) return !(value instanceof MappingSubclass)
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function plainRecord(value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}

function asToken(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1n : 0n
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}
