/**
 * The signatures of both Python libraries, and how Python binds arguments to them.
 * Source: docs/reference/pylibmc.md#5, docs/reference/python-memcached.md#10.
 */
import { versionAtLeast } from '../../rules/version.js'

/** The Python libraries whose calls can be replayed. */
export type LibraryName = 'pylibmc' | 'python-memcached'

/** A Python library at one version. The version decides which parameters exist. */
export interface Library {
  readonly name: LibraryName
  readonly version: string
}

/** A call in Python's own words. Values are the lossless tree of `fromTypedJson`. */
export interface PythonCall {
  readonly call: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
}

/** Arguments by parameter name; a parameter that was not given is absent. */
export type Bound = Readonly<Record<string, unknown>>

interface Signature {
  readonly parameters: readonly string[]
  readonly required: number
  /** C methods of pylibmc that take no keywords. */
  readonly positionalOnly: boolean
}

/** `key val [time] [noreply]`; a leading `/` marks a method without keywords. */
function signature(text: string): Signature {
  const words = text.split(' ').filter((word) => word !== '' && word !== '/')
  return {
    parameters: words.map((word) => word.replace(/[[\]]/g, '')),
    required: words.filter((word) => !word.startsWith('[')).length,
    positionalOnly: text.startsWith('/'),
  }
}

function signatures(table: Readonly<Record<string, string>>): ReadonlyMap<string, Signature> {
  return new Map(Object.entries(table).map(([name, text]) => [name, signature(text)]))
}

const pylibmcStore = 'key val [time] [min_compress_len] [compress_level]'
const pylibmcMulti = 'keys [time] [key_prefix] [min_compress_len] [compress_level]'
const pylibmc = signatures({
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
})

const memcacheStore = 'key val [time] [min_compress_len] [noreply]'
const pythonMemcached = signatures({
  get: 'key',
  gets: 'key',
  get_multi: 'keys [key_prefix]',
  set: memcacheStore,
  add: memcacheStore,
  replace: memcacheStore,
  append: memcacheStore,
  prepend: memcacheStore,
  cas: memcacheStore,
  set_multi: 'mapping [time] [key_prefix] [min_compress_len] [noreply]',
  incr: 'key [delta] [noreply]',
  decr: 'key [delta] [noreply]',
  delete: 'key [time] [noreply]',
  delete_multi: 'keys [time] [key_prefix] [noreply]',
  touch: 'key [time] [noreply]',
  // Private, but Django's backend calls it.
  _deletetouch: 'expected cmd key [time] [noreply]',
  flush_all: '',
  get_stats: '[stat_args]',
  get_slabs: '',
  get_slab_stats: '',
  disconnect_all: '',
  forget_dead_hosts: '',
  reset_cas: '',
  set_servers: 'servers',
  check_key: 'key [key_extra_len]',
  debuglog: 'str',
})
const pythonMemcached160 = new Map([
  ...[...pythonMemcached].filter(([name]) => name !== '_deletetouch'),
  ...signatures({ get: 'key [default]', delete: 'key [noreply]', quit_all: '' }),
])

/** How a call does not fit a signature. */
export type SignatureProblem = 'method' | 'argument' | 'form'

/** A call that does not fit: the error that Python raises, with what is wrong as data. */
export class SignatureError extends TypeError {
  override readonly name = 'SignatureError'
  readonly python: string
  constructor(
    message: string,
    /**
     * `method`: there is no such method; `argument`: no such parameter; `form`: a parameter that is there is given by keyword where
     * only a position counts, under another name, twice, or not at all.
     */
    readonly problem: SignatureProblem,
  ) {
    super(message)
    this.python = problem === 'method' ? 'builtins.AttributeError' : 'builtins.TypeError'
  }
}

/** Parameters that only have another name in the other library. */
const renamed: ReadonlySet<string> = new Set([
  'mapping',
  'keys',
  'seconds',
  'arg',
  'stat_args',
  'val',
  'value',
])

/** @throws SignatureError: AttributeError when the library has no such method, TypeError when the arguments do not fit it: as Python. */
export function bind(library: Library, { call, args, kwargs }: PythonCall): Bound {
  const table =
    library.name === 'pylibmc'
      ? pylibmc
      : versionAtLeast(library.version, '1.60')
        ? pythonMemcached160
        : pythonMemcached
  const found = table.get(call)
  if (!found) throw new SignatureError(`'Client' object has no attribute '${call}'`, 'method')
  const { parameters, required, positionalOnly } = found
  const names = Object.keys(kwargs)
  if (positionalOnly && names.length > 0) {
    const unknown = names.some(
      (name) => !parameters.includes(name) && !renamed.has(name) && !(name === 'time' && call === 'touch'),
    )
    throw new SignatureError(`${call}() takes no keyword arguments`, unknown ? 'argument' : 'form')
  }
  if (args.length > parameters.length) {
    const message = `${call}() takes at most ${parameters.length} arguments (${args.length} given)`
    throw new SignatureError(message, 'argument')
  }
  const bound: Record<string, unknown> = {}
  for (const [i, value] of args.entries()) bound[parameters[i]!] = value
  for (const name of names) {
    if (!parameters.includes(name))
      throw new SignatureError(
        `${call}() got an unexpected keyword argument '${name}'`,
        renamed.has(name) ? 'form' : 'argument',
      )
    if (name in bound)
      throw new SignatureError(`${call}() got multiple values for argument '${name}'`, 'form')
    bound[name] = kwargs[name]
  }
  const missing = parameters.slice(0, required).filter((name) => !(name in bound))
  if (missing.length > 0)
    throw new SignatureError(`${call}() missing required argument: '${missing.join("', '")}'`, 'form')
  return bound
}
