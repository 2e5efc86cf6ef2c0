/**
 * A Python call made on memshim/pymemcache, and its result in Python. Source: docs/reference/pymemcache.md#6, #11; measured in
 * fixtures/vectors/calling-forms-pymemcache.json.
 */
import { type Client, HashClient, type Key, PooledClient } from '../../pymemcache/index.js'
import { checkKey, type KeyRule } from '../../pymemcache/keys.js'
import { pythonText } from '../../pymemcache/serde.js'
import { AttributeError, KeyError } from '../../python/errors.js'
import { typeName } from '../../python/type-name.js'
import {
  PyByteArray,
  PyIterator,
  PyTuple,
  PythonObject,
  PyView,
  toTypedJson,
  ValueEncodeError,
} from '../../values/index.js'
import { type Outcome, raised, returned } from '../compare/outcome.js'
import { asBuiltin, builtinOf, withBuiltinItems } from '../methods/builtins.js'
import { itemsOf, truthy } from '../methods/conversions.js'
import {
  type Bound,
  bind,
  type Library,
  type PythonCall,
  SignatureError,
} from '../methods/python-signatures.js'
import { checkPlacedKey } from './constructor/refusals.js'

export type PymemcacheClient = Client | PooledClient | HashClient

/** The classes of pymemcache, which differ in methods and parameters. */
export type ClientClass = 'Client' | 'PooledClient' | 'HashClient'

export function classOf(client: PymemcacheClient): ClientClass {
  if (client instanceof HashClient) return 'HashClient'
  return client instanceof PooledClient ? 'PooledClient' : 'Client'
}

/** Methods that `Client` has and `HashClient` lacks. */
const onlyClient = new Set(['stats', 'version', 'cache_memlimit', 'raw_command', 'shutdown', 'check_key'])

/** `client[key]`, which `HashClient` does not have. */
const itemMethods: Readonly<Record<string, readonly string[]>> = {
  __getitem__: ['key'],
  __setitem__: ['key', 'value'],
  __delitem__: ['key'],
}

/** Whether a call is `client[key]` in one of its forms. */
export function isItemCall(call: string): boolean {
  return Object.hasOwn(itemMethods, call)
}

/** @throws SignatureError if Python would refuse the call */
export function bindPymemcache(library: Library, kind: ClientClass, call: PythonCall): Bound {
  const hashed = kind === 'HashClient'
  if ((hashed && onlyClient.has(call.call)) || (kind === 'PooledClient' && call.call === 'cache_memlimit'))
    throw new SignatureError(`'${kind}' object has no attribute '${call.call}'`, 'method')
  const names = itemMethods[call.call]
  if (names && hashed) throw new TypeError(`'${kind}' object is not subscriptable`)
  if (names) return Object.fromEntries(names.map((name, i) => [name, call.args[i]]))
  if (call.call === 'gets_multi') return bind(library, { ...call, call: 'gets_many' })
  if (call.call === 'stats') return call.args.length === 0 ? bind(library, call) : { words: call.args }
  // Its check_key is that of every Client up to 3.5, and its gets has no defaults.
  if (kind === 'PooledClient' && call.call === 'check_key')
    return bind({ ...library, version: '3.5.2' }, call)
  if (kind === 'PooledClient' && call.call === 'gets') {
    const { args, kwargs } = call
    const extra = Object.keys(kwargs).find((name) => name !== 'key')
    if (args.length > 1)
      throw new SignatureError(`gets() takes 1 argument (${args.length} given)`, 'argument')
    if (extra !== undefined)
      throw new SignatureError(`gets() got an unexpected keyword argument '${extra}'`, 'argument', extra)
  }
  // Only HashClient has a second parameter here.
  if (
    hashed &&
    (call.call === 'get_multi' || call.call === 'get_many') &&
    (call.args.length === 2 || 'gets' in call.kwargs)
  ) {
    const gets = call.args[1] ?? call.kwargs.gets
    const { gets: _, ...kwargs } = call.kwargs
    return { ...bind(library, { ...call, args: call.args.slice(0, 1), kwargs }), gets }
  }
  return bind(library, call)
}

/**
 * HashClient finds the server of a key before the arguments after it are bound: an error of the key comes first. Without a key
 * no argument is bound.
 */
export function beforeBinding(
  { call, args, kwargs }: PythonCall,
  { problem }: SignatureError,
  rule: KeyRule & { readonly isTextPrefix?: boolean },
): Outcome | undefined {
  const [first] = args
  if (
    problem === 'method' ||
    first === undefined ||
    'key' in kwargs ||
    call === 'get' ||
    call === 'get_multi' ||
    call === 'flush_all' ||
    call === 'disconnect_all'
  )
    return undefined
  const given = withBuiltinItems(first)
  if (call === 'set_multi' && !(given instanceof Map))
    return raised(new AttributeError(`'${nameOf(given)}' object has no attribute 'items'`))
  const many = call === 'set_multi' || call === 'delete_multi'
  const keys = many ? itemsOf(given) : [asBuiltin(first)]
  if (!keys) return undefined
  if (keys.length === 0) return { result: call === 'set_multi' ? [] : true }
  try {
    // A bytearray passes this check, and fails at a later one.
    for (const one of keys)
      if (!isEmptyKey(one, rule) && !(asBuiltin(one) instanceof PyByteArray))
        checkPlacedKey(asBuiltin(one), rule)
  } catch (error) {
    return raised(error)
  }
  return undefined
}

/** The empty key without a prefix: pymemcache sends it, and our client does not. */
export function isEmptyKey(key: unknown, { keyPrefix }: KeyRule): boolean {
  return keyPrefix === '' && (key === '' || (key instanceof Uint8Array && key.length === 0))
}

/**
 * The result of a call instead of an exception with ignore_exc; undefined if the exception is raised nevertheless. `Client` and
 * `PooledClient` hide errors of reading, `HashClient` every error after the check of the key (docs/reference/pymemcache.md#9.3, #10, #11).
 */
export function hiddenBy(kind: ClientClass, call: string, given: Bound): Outcome | undefined {
  const name = otherNames[call] ?? call
  if (name === 'get') return { result: toTypedJson(given.default ?? null) }
  if (name === 'get_many' || name === 'gets_many') return { result: {} }
  if (name === 'gets' && kind !== 'HashClient')
    return { result: toTypedJson(new PyTuple([given.default ?? null, given.cas_default ?? null])) }
  if (kind !== 'HashClient') return undefined
  if (name === 'gets' || name === 'flush_all' || name === 'quit') return { result: null }
  if (name === 'set_many') return { result: [] }
  return { result: name === 'delete_many' }
}

/** Makes the call. Never throws. @param plain there is no serde: values are written as their text */
export async function invokePymemcache(
  client: PymemcacheClient,
  call: string,
  bound: Bound,
  plain: boolean,
): Promise<Outcome> {
  try {
    return returned(await methods[otherNames[call] ?? call]!(client as Client, bound, plain))
  } catch (error) {
    const unpicklable = bound.value instanceof PyIterator || bound.value instanceof PyView
    return unpicklable && error instanceof ValueEncodeError
      ? raised(new TypeError('cannot pickle the value'))
      : raised(error)
  }
}

const otherNames: Readonly<Record<string, string>> = {
  get_multi: 'get_many',
  set_multi: 'set_many',
  delete_multi: 'delete_many',
}

// The arguments of the application have any type; the client checks them.
// biome-ignore lint/suspicious/noExplicitAny: unchecked Python arguments are passed to typed methods only here
type Unchecked = any
type Method = (client: Client, bound: Bound, plain: boolean) => unknown

function noreply({ noreply: given }: Bound): { readonly noreply?: boolean } {
  return given === undefined || given === null ? {} : { noreply: truthy(asBuiltin(given)) }
}

function storeOptions(bound: Bound): Record<string, unknown> {
  return {
    ...('expire' in bound ? { expire: asBuiltin(bound.expire) } : {}),
    ...('flags' in bound ? { flags: flagsOf(asBuiltin(bound.flags)) } : {}),
    ...noreply(bound),
  }
}

/** Text of digits is written unchanged. */
function flagsOf(flags: unknown): unknown {
  return typeof flags === 'string' && /^\d{1,15}$/.test(flags) ? Number(flags) : flags
}

/** Without a serde `str()` of the value is written; instances of subclasses have that of their built-in value. */
function value(given: unknown, plain: boolean): unknown {
  if (plain && given instanceof PythonObject) return builtinOf(given) ?? given
  if (plain && given instanceof PyView) return `${given.className}(${pythonText([...given.items])})`
  return given
}

const key = (bound: Bound): Unchecked => asBuiltin(bound.key)

/** A bytearray has no hash; only calls that look up their key in a dict need one. */
function sentKey(bound: Bound): Unchecked {
  const given = key(bound)
  return given instanceof PyByteArray ? given.bytes : given
}

function store(verb: 'set' | 'add' | 'replace' | 'append' | 'prepend'): Method {
  return (client, bound, plain) => client[verb](key(bound), value(bound.value, plain), storeOptions(bound))
}

const methods: Readonly<Record<string, Method>> = {
  get: (client, bound) => client.get(key(bound), bound.default ?? null),
  gets: async (client, bound) => {
    const pair = await client.gets(key(bound), bound.default ?? null, bound.cas_default ?? null)
    return Array.isArray(pair) ? new PyTuple(pair) : pair
  },
  get_many: async (client, bound) => {
    const keys = keysOf(client, bound.keys) as Iterable<string>
    if (truthy(bound.gets)) {
      const pairs = await client.getsMany(keys)
      return new Map([...pairs].map(([name, pair]) => [name, new PyTuple([...pair])]))
    }
    const found = await client.getMany(keys)
    // The iterator is exhausted when the answer arrives. HashClient keeps a list of its keys.
    const isUsedUp = bound.keys instanceof PyIterator && !(client instanceof HashClient)
    if (isUsedUp && found.size > 0) throw new KeyError(String([...found.keys()][0]))
    return found
  },
  gets_many: async (client, bound) => {
    const pairs = await client.getsMany(keysOf(client, bound.keys) as Iterable<string>)
    return new Map([...pairs].map(([name, pair]) => [name, new PyTuple([...pair])]))
  },
  __getitem__: async (client, bound) => {
    const found = await client.get(key(bound))
    if (found === null || found === undefined) throw new KeyError('')
    return found
  },
  __setitem__: async (client, bound, plain) => {
    await client.set(key(bound), value(bound.value, plain), { noreply: true })
  },
  __delitem__: async (client, bound) => {
    await client.delete(sentKey(bound), { noreply: true })
  },
  set: store('set'),
  add: store('add'),
  replace: store('replace'),
  append: store('append'),
  prepend: store('prepend'),
  cas: (client, bound, plain) =>
    client.cas(key(bound), value(bound.value, plain), asBuiltin(bound.cas) as Unchecked, {
      ...storeOptions(bound),
    }),
  set_many: (client, bound, plain) => {
    const values = withBuiltinItems(bound.values)
    if (!(values instanceof Map))
      throw new AttributeError(`'${nameOf(values)}' object has no attribute 'items'`)
    const items = [...values].map(([name, given]): [Key, unknown] => [name as Key, value(given, plain)])
    return client.setMany(new Map(items), storeOptions(bound))
  },
  incr: (client, bound) => client.incr(sentKey(bound), asBuiltin(bound.value) as Unchecked, noreply(bound)),
  decr: (client, bound) => client.decr(sentKey(bound), asBuiltin(bound.value) as Unchecked, noreply(bound)),
  delete: (client, bound) => client.delete(sentKey(bound), noreply(bound)),
  delete_many: (client, bound) => client.deleteMany(keysOf(client, bound.keys), noreply(bound)),
  touch: (client, bound) =>
    client.touch(sentKey(bound), {
      ...('expire' in bound ? { expire: asBuiltin(bound.expire) as number } : {}),
      ...noreply(bound),
    }),
  flush_all: (client, bound) =>
    client.flushAll({
      ...('delay' in bound ? { delay: asBuiltin(bound.delay) as number } : {}),
      ...noreply(bound),
    }),
  stats: async (client, { words }) => {
    const found = await client.stats(...((words ?? []) as Key[]))
    return new Map([...found].map(([name, given]) => [Buffer.from(name, 'latin1'), given]))
  },
  version: (client) => client.version(),
  cache_memlimit: (client, { memlimit }) => client.cacheMemlimit(asBuiltin(memlimit) as number),
  raw_command: (client, { command, end_tokens: end = '\r\n' }) =>
    client.rawCommand(asBuiltin(command) as string, asBuiltin(end) as string),
  quit: (client) => client.quit(),
  close: (client) => client.close(),
  disconnect_all: (client) => client.disconnectAll(),
  check_key: (_client, bound) => {
    const prefix = 'key_prefix' in bound ? bound.key_prefix : new Uint8Array()
    if (!(prefix instanceof Uint8Array)) throw new TypeError('key_prefix should be bytes.')
    const keyPrefix = Buffer.from(prefix).toString('latin1')
    const allowUnicodeKeys = bound.allow_unicode_keys === true
    return Buffer.from(checkKey(key(bound), { keyPrefix, allowUnicodeKeys }), 'latin1')
  },
}

/** The keys that the library iterates. Nothing is requested if `keys` is false in Python. */
function keysOf(client: unknown, keys: unknown): readonly Key[] {
  const given = withBuiltinItems(keys)
  if (!(client instanceof HashClient) && !(given instanceof PyIterator) && !truthy(given)) return []
  const items = itemsOf(given)
  if (!items) throw new TypeError(`'${nameOf(given)}' object is not iterable`)
  return items.map(asBuiltin) as Key[]
}

function nameOf(value: unknown): string {
  return value instanceof PyIterator || value instanceof PyView ? value.className : typeName(value)
}
