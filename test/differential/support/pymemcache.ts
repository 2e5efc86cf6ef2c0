/** Plays pymemcache's scenarios on memshim/pymemcache: Python's calls become calls of the clients, and their results Python's again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Outcome, raised, returned } from '../../../src/audit/compare/outcome.js'
import type { Recorded, Recording, Step } from '../../../src/parity/scenario.js'
import {
  Client,
  compressedSerde,
  HashClient,
  MemcacheError,
  MemcacheUnexpectedCloseError,
  PooledClient,
  pickleSerde,
  retryingClient,
  type Serde,
  SocketError,
} from '../../../src/pymemcache/index.js'
import { AttributeError, KeyError } from '../../../src/python/errors.js'
import { fromTypedJson, PyFloat, PyIterator, PyTuple, type TypedJson } from '../../../src/values/index.js'
import type { CheckedStage } from './replay-stage.js'

type Kwargs = Readonly<Record<string, unknown>>
type AnyClient = Record<string, (...args: unknown[]) => unknown>

interface Named {
  readonly $named: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Kwargs
}

const errors: Readonly<Record<string, unknown>> = {
  OSError: SocketError,
  MemcacheError,
  MemcacheUnexpectedCloseError,
}

const json: Serde = {
  serialize: (_key, value) => (typeof value === 'string' ? [value, 1] : [JSON.stringify(value), 2]),
  deserialize(_key, data, flags) {
    if (flags === 1) return data
    if (flags === 2) return JSON.parse(data.toString())
    throw Object.assign(new Error(`Unknown flags for value: ${flags}`), { python: 'builtins.Exception' })
  },
}
const failing = (what: string) => () => {
  throw Object.assign(new Error(what), { python: 'builtins.RuntimeError' })
}

/** Code by name, as python/parity/pymemcache_client.py resolves it. */
function named({ $named: name, args = [], kwargs = {} }: Named): unknown {
  const preserve = true
  switch (name) {
    case 'pickle_serde':
      return pickleSerde({ preserve })
    case 'PickleSerde':
      return pickleSerde({ preserve, pickleProtocol: args[0] as number })
    case 'compressed_serde':
      return compressedSerde({ preserve })
    case 'CompressedSerde': {
      const inner = kwargs.serde as Named | undefined
      return compressedSerde({
        preserve,
        ...(inner ? { pickleProtocol: inner.args![0] as number } : {}),
        ...('min_compress_len' in kwargs
          ? { minCompressLen: Math.max(0, kwargs.min_compress_len as number) }
          : {}),
      })
    }
    case 'json_serializer':
    case 'json_deserializer':
      return json
    case 'python_memcache_serializer':
    case 'python_memcache_deserializer':
      return pickleSerde({ preserve })
    case 'failing_serializer':
      return { serialize: failing('cannot serialize'), deserialize: (_key: unknown, data: Buffer) => data }
    case 'failing_deserializer':
      return {
        serialize: (_key: unknown, value: unknown) => [value, 0],
        deserialize: failing('cannot deserialize'),
      }
    default:
      return errors[name]
  }
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function value(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(value)
  if (typeof given === 'object' && given !== null && '$named' in given) return named(given as Named)
  const decoded = fromTypedJson(given as TypedJson)
  return decoded instanceof PyFloat ? decoded.value : decoded
}

/** Scenarios write what the constructor is given; `patience` multiplies its timeouts. */
export function construct(stage: CheckedStage, kwargs: Kwargs, now: () => number): AnyClient {
  const { class: kind = 'Client', inner, server, nodes, ...rest } = kwargs
  const options: Record<string, unknown> = {}
  for (const [name, given] of Object.entries(rest)) options[camel(name)] = value(given)
  if (kind === 'RetryingClient')
    return retryingClient(construct(stage, (inner ?? {}) as Kwargs, now) as object, options) as AnyClient
  const { serializer, deserializer, ...ours } = options
  if (serializer || deserializer)
    ours.serde = {
      serialize: ((serializer as Serde) ?? { serialize: (_key: unknown, given: unknown) => [given, 0] })
        .serialize,
      deserialize: ((deserializer as Serde) ?? { deserialize: (_key: unknown, data: Buffer) => data })
        .deserialize,
    }
  for (const name of ['timeout', 'connectTimeout'])
    if (typeof ours[name] === 'number') ours[name] = (ours[name] as number) * (stage.patience ?? 1)
  const one = (given: unknown) => (given instanceof PyTuple ? [...given.items] : given)
  if (kind !== 'HashClient') {
    const Class = kind === 'PooledClient' ? PooledClient : Client
    const at = server === undefined ? stage.addresses[0]! : one(fromTypedJson(server as TypedJson))
    return new Class(at as string, kind === 'PooledClient' ? { ...ours, now } : ours) as unknown as AnyClient
  }
  const names = stage.addresses.map((_, i) => `server-${i}:11211`)
  const addresses = Object.fromEntries(names.map((name, i) => [name, stage.addresses[i]!]))
  const servers =
    nodes === undefined ? names : ((fromTypedJson(nodes as TypedJson) as unknown[]) ?? []).map(one)
  return new HashClient(servers as string[], { ...ours, addresses, now }) as unknown as AnyClient
}

const store = 'key value [expire] [noreply] [flags]'
const signatures: Readonly<Record<string, string>> = {
  get: 'key [default]', gets: 'key [default] [cas_default]', pool_gets: 'key', get_many: 'keys', hash_get_many: 'keys [gets]', gets_many: 'keys', set: store, add: store, replace: store,
  append: store, prepend: store, cas: 'key value cas [expire] [noreply] [flags]', set_many: 'values [expire] [noreply] [flags]',
  delete: 'key [noreply]', delete_many: 'keys [noreply]', incr: 'key value [noreply]', decr: 'key value [noreply]', touch: 'key [expire] [noreply]',
  version: '', flush_all: '[delay] [noreply]', cache_memlimit: 'memlimit', raw_command: 'command [end_tokens]', quit: '', close: '',
  disconnect_all: '', shutdown: '[graceful]', __getitem__: 'key', __setitem__: 'key value', __delitem__: 'key',
  add_server: 'server [port]', remove_server: 'server [port]',
} // biome-ignore format: a table
const otherNames: Readonly<Record<string, string>> = {
  get_multi: 'get_many',
  set_multi: 'set_many',
  delete_multi: 'delete_many',
  gets_multi: 'gets_many',
}

function bind(call: string, args: readonly unknown[], kwargs: Kwargs): Record<string, unknown> {
  const words = signatures[call]!.split(' ').filter((word) => word !== '')
  const names = words.map((word) => word.replace(/[[\]]/g, ''))
  if (args.length > names.length) throw new TypeError(`${call}() takes ${names.length} arguments`)
  const bound: Record<string, unknown> = Object.fromEntries(args.map((given, i) => [names[i]!, given]))
  for (const [name, given] of Object.entries(kwargs)) {
    if (!names.includes(name) || name in bound)
      throw new TypeError(`${call}() got an unexpected keyword argument '${name}'`)
    bound[name] = given
  }
  const missing = words.filter((word) => !word.startsWith('[') && !(word in bound))
  if (missing.length > 0) throw new TypeError(`${call}() missing ${missing.join(', ')}`)
  return bound
}

const truthy = (given: unknown): boolean => Boolean(given) && given !== 0

function storeOptions(
  bound: Record<string, unknown>,
  names = ['expire', 'noreply', 'flags'],
): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const name of names) if (name in bound) options[name] = bound[name]
  if (options.noreply !== undefined && options.noreply !== null) options.noreply = truthy(options.noreply)
  return options
}

const items = (keys: unknown): unknown => {
  if (keys instanceof PyIterator || keys instanceof PyTuple) return keys.items
  if (!truthy(keys)) return []
  if (keys instanceof Map) return [...keys.keys()]
  return keys instanceof Uint8Array ? [...keys] : keys
}

async function ask(
  client: AnyClient,
  given: string,
  args: readonly unknown[],
  kwargs: Kwargs,
): Promise<unknown> {
  const hashed = client instanceof HashClient
  if (given === 'gets_multi' && !hashed) throw new AttributeError(`no attribute '${given}'`)
  const call = otherNames[given] ?? given
  const own = ['__getitem__', '__setitem__', '__delitem__'].includes(call) ? 'stats' : camel(call)
  if (typeof client[own] !== 'function') throw new AttributeError(`no attribute '${given}'`)
  if (call === 'stats') return statistics((await client.stats!(...args)) as Map<string, unknown>)
  const signature =
    hashed && call === 'get_many'
      ? 'hash_get_many'
      : client instanceof PooledClient && call === 'gets'
        ? 'pool_gets'
        : call
  const bound = bind(signature, args, kwargs)
  if (hashed && (bound.keys === null || typeof bound.keys === 'number')) throw new TypeError('not iterable')
  switch (call) {
    case '__getitem__': {
      const found = await client.get!(bound.key)
      if (found === null || found === undefined) throw new KeyError('')
      return found
    }
    case '__setitem__':
      await client.set!(bound.key, bound.value, { noreply: true })
      return null
    case '__delitem__':
      await client.delete!(bound.key, { noreply: true })
      return null
    case 'get':
      return client.get!(bound.key, bound.default ?? null)
    case 'gets': {
      const pair = await client.gets!(bound.key, bound.default ?? null, bound.cas_default ?? null)
      return Array.isArray(pair) ? new PyTuple(pair) : pair
    }
    case 'get_many':
      if (truthy(bound.gets)) return ask(client, 'gets_many', [bound.keys], {})
      return client.getMany!(items(bound.keys))
    case 'gets_many': {
      const found = (await client.getsMany!(items(bound.keys))) as Map<unknown, unknown[]>
      return new Map([...found].map(([key, pair]) => [key, new PyTuple(pair)]))
    }
    case 'cas':
      return client.cas!(bound.key, bound.value, bound.cas, storeOptions(bound))
    case 'set_many':
      return client.setMany!(bound.values, storeOptions(bound))
    case 'delete':
      return client.delete!(bound.key, storeOptions(bound))
    case 'delete_many':
      return client.deleteMany!(items(bound.keys), storeOptions(bound))
    case 'incr':
    case 'decr':
      return client[call]!(bound.key, bound.value, storeOptions(bound))
    case 'touch':
      return client.touch!(bound.key, storeOptions(bound))
    case 'flush_all':
      return client.flushAll!(storeOptions(bound, ['delay', 'noreply']))
    case 'cache_memlimit':
      return client.cacheMemlimit!(bound.memlimit)
    case 'raw_command':
      return client.rawCommand!(bound.command, bound.end_tokens)
    case 'shutdown':
      return client.shutdown!(truthy(bound.graceful))
    case 'add_server':
    case 'remove_server': {
      const server = bound.server instanceof PyTuple ? bound.server.items : bound.server
      if ('port' in bound && typeof server !== 'string')
        throw new TypeError('Server must be a string when passing port.')
      return client[camel(call)]!('port' in bound ? [server, bound.port] : server)
    }
    case 'quit':
    case 'version':
    case 'close':
    case 'disconnect_all':
      return client[camel(call)]!()
    default:
      return client[call]!(bound.key, bound.value, storeOptions(bound))
  }
}

const floats = new Set(['rusage_user', 'rusage_system', 'growth_factor'])

function statistics(found: Map<string, unknown>): Map<Buffer, unknown> {
  return new Map(
    [...found].map(([name, one]) => [
      Buffer.from(name),
      floats.has(name) && typeof one === 'number' ? new PyFloat(one) : one,
    ]),
  )
}

const typeNames: Readonly<Record<string, string>> = {
  boolean: 'bool',
  number: 'int',
  bigint: 'int',
  string: 'str',
}
const pythonType = (given: unknown): string =>
  given instanceof PyFloat
    ? 'float'
    : given instanceof Uint8Array
      ? 'bytes'
      : (typeNames[typeof given] ?? 'NoneType')

function masked(result: unknown, mask: unknown): Outcome {
  if (mask === 'type') return { result: pythonType(result) }
  if (mask === 'sorted') {
    const { result: list } = returned(result) as { result: TypedJson[] }
    return {
      result: list
        .map((one) => JSON.stringify(one))
        .sort()
        .map((text) => JSON.parse(text)),
    }
  }
  if (!Array.isArray(mask)) return returned(result)
  const byName = new Map([...(result as Map<Buffer, unknown>)].map(([name, one]) => [name.toString(), one]))
  return {
    result: Object.fromEntries(
      mask.filter((name) => byName.has(name)).map((name) => [name, pythonType(byName.get(name))]),
    ),
  }
}

/** Makes one call of a scenario. Never throws. @param see gets the result as it is */
export async function perform(
  client: AnyClient,
  {
    call,
    args,
    kwargs,
    mask,
  }: {
    readonly call: string
    readonly args: readonly unknown[]
    readonly kwargs: Kwargs
    readonly mask?: unknown
  },
  see?: (result: unknown) => void,
): Promise<Outcome> {
  const read = (given: unknown) => (given instanceof Uint8Array ? given : fromTypedJson(given as TypedJson))
  try {
    const named = Object.fromEntries(Object.entries(kwargs).map(([name, given]) => [name, read(given)]))
    const result = await ask(client, call, args.map(read), named)
    see?.(result)
    return masked(result, mask)
  } catch (error) {
    return raised(error)
  }
}

/** One outcome per step; null for steps that are not a call. */
export async function play(recording: Recording, stage: CheckedStage): Promise<(Recorded | null)[]> {
  const { scenario } = recording
  const kwargs = (scenario.client?.pymemcache ?? {}) as Kwargs
  let now = 1_000_000_000
  let client: AnyClient | undefined
  let token: unknown
  let after: Step | undefined
  const outcomes: (Recorded | null)[] = []
  try {
    for (const step of scenario.steps as readonly (Step & { readonly advance?: number })[]) {
      outcomes.push(null)
      const before = after
      after = step
      if (step.call === undefined) {
        if (step.fault !== undefined) await stage.fault(step)
        else if (step.advance !== undefined) now += step.advance
        else if (step.sleep !== undefined) stage.pass?.(step.sleep)
        else await stage.raw(step)
        continue
      }
      try {
        client ??= construct(stage, kwargs, () => now)
      } catch (error) {
        outcomes[outcomes.length - 1] = raised(error) as Recorded
        break
      }
      const args = (step.args ?? []).map((given) => (given === '$cas' ? token : given)) as TypedJson[]
      const answered = before?.fault === 'reply'
      const outcome = await perform(
        client,
        { call: step.call, args, kwargs: (step.kwargs ?? {}) as Kwargs, mask: step.mask },
        (result) => {
          if (step.call === 'gets' && result instanceof PyTuple) token = result.items[1]
        },
      )
      outcomes[outcomes.length - 1] = outcome as Recorded
      // What came although nobody waited for it has arrived before the next call, as it had when this was recorded.
      if (answered) await sleep(30)
    }
  } finally {
    if (client) client.close!()
  }
  return outcomes
}
