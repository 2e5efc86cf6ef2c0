/**
 * The signatures of the real libraries' clients, with their history. Sources: docs/reference/python-memcached.md#3, #10, #17 and
 * docs/reference/pylibmc.md#2, #5 and docs/reference/pymemcache.md#2.1, #6; measured in fixtures/vectors/signatures.json.
 */
import type { LibraryName } from './row.js'
import { type History, valueAt, versionAtLeast } from './version.js'

export interface Signature {
  readonly parameters: readonly string[]
  /** The number of parameters without a default. */
  readonly required: number
  /** A method in C that takes no keywords. */
  readonly positionalOnly: boolean
}

/** `key val [time]`: a parameter in brackets has a default; a leading `/` means that there are no keywords; undefined if there is no such method. */
type Signatures = Readonly<Record<string, History<string | undefined>>>

const stored = {
  '1.44': 'key val [time] [min_compress_len]',
  '1.55': 'key val [time] [min_compress_len] [noreply]',
}
const counted = { '1.44': 'key [delta]', '1.55': 'key [delta] [noreply]' }
const limits = '[server_max_key_length] [server_max_value_length]'
const times = '[dead_retry] [socket_timeout] [cache_cas] [flush_on_reconnect] [check_keys]'
const hooks = '[pickler] [unpickler] [compressor] [decompressor] [pload] [pid]'

const pythonMemcached = {
  __init__: {
    '1.44': 'servers [debug] [pickleProtocol] [pickler] [unpickler] [pload] [pid]',
    '1.47': `servers [debug] [pickleProtocol] [pickler] [unpickler] [pload] [pid] ${limits}`,
    '1.52': `servers [debug] [pickleProtocol] [pickler] [unpickler] [pload] [pid] ${limits} ${times}`,
    '1.55': `servers [debug] [pickleProtocol] ${hooks} ${limits} ${times}`,
    '1.60': `servers [debug] [pickleProtocol] ${hooks} ${limits} ${times} [key_encoder]`,
  },
  get: { '1.44': 'key', '1.60': 'key [default]' },
  gets: { '1.44': undefined, '1.45': 'key' },
  get_multi: { '1.44': 'keys [key_prefix]' },
  set: stored,
  add: stored,
  replace: stored,
  append: stored,
  prepend: stored,
  cas: { '1.44': undefined, '1.45': stored['1.44'], '1.55': stored['1.55'] },
  set_multi: {
    '1.44': 'mapping [time] [key_prefix] [min_compress_len]',
    '1.55': 'mapping [time] [key_prefix] [min_compress_len] [noreply]',
  },
  incr: counted,
  decr: counted,
  delete: { '1.44': 'key [time]', '1.55': 'key [time] [noreply]', '1.60': 'key [noreply]' },
  delete_multi: { '1.44': 'keys [time] [key_prefix]', '1.55': 'keys [time] [key_prefix] [noreply]' },
  touch: { '1.44': undefined, '1.54': 'key [time]', '1.55': 'key [time] [noreply]' },
  // Private, but Django's backend calls it.
  _deletetouch: {
    '1.44': undefined,
    '1.54': 'expected cmd key [time]',
    '1.55': 'expected cmd key [time] [noreply]',
    '1.60': undefined,
  },
  flush_all: { '1.44': '' },
  get_stats: { '1.44': '', '1.45': '[stat_args]' },
  get_slabs: { '1.44': '' },
  get_slab_stats: { '1.44': undefined, '1.58': '' },
  disconnect_all: { '1.44': '' },
  forget_dead_hosts: { '1.44': '' },
  reset_cas: { '1.44': undefined, '1.48': '' },
  quit_all: { '1.44': undefined, '1.60': '' },
  set_servers: { '1.44': 'servers' },
  check_key: { '1.44': undefined, '1.45': 'key [key_extra_len]' },
  debuglog: { '1.44': 'str' },
} satisfies Signatures

/** Attributes whose reads a trace has, as calls without arguments. No other library has them. */
const pythonMemcachedAttributes = {
  servers: { '1.44': '' },
  dead_retry: { '1.44': undefined, '1.52': '' },
  socket_timeout: { '1.44': undefined, '1.52': '' },
} satisfies Signatures

/** A method of any version, or such an attribute. */
export type PythonMemcachedMethod = Exclude<
  keyof typeof pythonMemcached | keyof typeof pythonMemcachedAttributes,
  '__init__'
>

const pylibmcStore = 'key val [time] [min_compress_len] [compress_level]'
const pylibmcMulti = 'keys [time] [key_prefix] [min_compress_len] [compress_level]'
const pylibmc = {
  __init__: 'servers [behaviors] [binary] [username] [password]',
  get: '/ key [default]',
  gets: '/ key',
  get_multi: 'keys [key_prefix]',
  set: pylibmcStore,
  add: pylibmcStore,
  replace: pylibmcStore,
  append: pylibmcStore,
  prepend: pylibmcStore,
  cas: 'key val cas [time]',
  set_multi: pylibmcMulti,
  add_multi: pylibmcMulti,
  delete: '/ key',
  delete_multi: 'keys [key_prefix]',
  touch: '/ key seconds',
  incr: '/ key [delta]',
  decr: '/ key [delta]',
  incr_multi: 'keys [key_prefix] [delta]',
  flush_all: '[time]',
  get_stats: '/ [arg]',
  disconnect_all: '/',
  clone: '/',
  hash: '/ key',
  get_behaviors: '/',
  set_behaviors: '/ behaviors',
  serialize: '/ value',
  deserialize: '/ data flags',
  __getitem__: '/ key',
  __setitem__: '/ key val',
  __delitem__: '/ key',
  __contains__: '/ key',
} satisfies Readonly<Record<string, string>>

export type PylibmcMethod = Exclude<keyof typeof pylibmc, '__init__'>

const pymemcacheStore = 'key value [expire] [noreply] [flags]'
const pymemcacheMany = 'values [expire] [noreply] [flags]'
/** Of `Client`. */
const pymemcache: Signatures = {
  ...sinceOldest({
    __init__:
      'server [serde] [serializer] [deserializer] [connect_timeout] [timeout] [no_delay] [ignore_exc] [socket_module] [socket_keepalive] [key_prefix] [default_noreply] [allow_unicode_keys] [encoding] [tls_context]',
    get: 'key [default]',
    gets: 'key [default] [cas_default]',
    get_many: 'keys',
    get_multi: 'keys',
    gets_many: 'keys',
    set: pymemcacheStore,
    add: pymemcacheStore,
    replace: pymemcacheStore,
    append: pymemcacheStore,
    prepend: pymemcacheStore,
    cas: 'key value cas [expire] [noreply] [flags]',
    set_many: pymemcacheMany,
    set_multi: pymemcacheMany,
    incr: 'key value [noreply]',
    decr: 'key value [noreply]',
    delete: 'key [noreply]',
    delete_many: 'keys [noreply]',
    delete_multi: 'keys [noreply]',
    touch: 'key [expire] [noreply]',
    flush_all: '[delay] [noreply]',
    stats: '',
    cache_memlimit: 'memlimit',
    version: '',
    quit: '',
    close: '',
    disconnect_all: '',
    shutdown: '[graceful]',
  }),
  check_key: { '3.5.2': 'key', '4.0.0': 'key key_prefix' },
  raw_command: { '3.5.2': undefined, '4.0.0': 'command [end_tokens]' },
}

function sinceOldest(texts: Readonly<Record<string, string>>): Signatures {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, { '3.5.2': text }]))
}

const tables: Readonly<Partial<Record<LibraryName, Signatures>>> = {
  'python-memcached': { ...pythonMemcached, ...pythonMemcachedAttributes },
  pymemcache,
  pylibmc: Object.fromEntries(Object.entries(pylibmc).map(([name, text]) => [name, { '1.6.3': text }])),
}

const known = new Map<string, Signature | undefined>()

/**
 * The signature of a method, or of the constructor as `__init__`; undefined if the version has no such method. Versions before the oldest
 * column count as the oldest.
 */
export function signatureOf(library: LibraryName, version: string, method: string): Signature | undefined {
  const name = `${library} ${version} ${method}`
  if (!known.has(name) && tables[library]?.[method]) known.set(name, parsed(library, version, method))
  return known.get(name)
}

function parsed(library: LibraryName, version: string, method: string): Signature | undefined {
  const history = tables[library]?.[method]
  if (!history || !Object.hasOwn(tables[library]!, method)) return undefined
  const oldest = Object.keys(history)[0]!
  const text = valueAt(history, versionAtLeast(version, oldest) ? version : oldest)
  if (text === undefined) return undefined
  const words = text.split(' ').filter((word) => word !== '' && word !== '/')
  return {
    parameters: words.map((word) => word.replace(/[[\]]/g, '')),
    required: words.filter((word) => !word.startsWith('[')).length,
    positionalOnly: text.startsWith('/'),
  }
}

/** The versions of a library that have a method, or one of its parameters. */
export function historyOf(library: LibraryName, method: string, parameter?: string): History<boolean> {
  const history = tables[library]?.[method] ?? { '0': undefined }
  const there = (version: string): boolean => {
    const found = signatureOf(library, version, method)
    return found !== undefined && (parameter === undefined || found.parameters.includes(parameter))
  }
  return Object.fromEntries(Object.keys(history).map((version) => [version, there(version)]))
}
