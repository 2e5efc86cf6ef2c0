/**
 * The pipeline of every operation, written once over the policies in its slots: key → server → bytes → reply → outcome.
 * Outcomes are pylibmc's (spec/pylibmc §5–7); `compat/` puts other policies into the slots and translates outcomes.
 */
import * as requests from '../protocol/requests.js'
import type {
  Bytes,
  Item,
  ItemsReply,
  LineReply,
  Reply,
  Request,
  StatsReply,
  StoreVerb,
} from '../protocol/wire.js'
import { OverflowError, ValueError } from '../python/errors.js'
import { TransportError } from '../transport/errors.js'
import type { CompressionRequest, EncodedValue } from '../values/types.js'
import { AllocationError, errorFor, MemcachedError, NotFound, SomeErrors } from './errors.js'
import { delta as checkedDelta, integer } from './exptime.js'
import { badKey, prefixBytes } from './keys.js'
import { counterOutcome, flushOutcome, isUnintelligible, replyError, softOutcome } from './replies.js'
import type { Modes, Operation, Selection, Server, Slots } from './slots.js'

/** A key: text is sent as UTF-8. */
export type Key = string | Uint8Array

/** Times in seconds; over 30 days the server takes them for Unix times. */
export type Time = number | bigint

export interface TimeOptions {
  readonly time?: Time
}

export interface StoreOptions extends TimeOptions {
  /** Compress when the serialized value has at least this many bytes; 0 = never. */
  readonly minCompressLen?: number
  /** −1…9; 0 disables compression. */
  readonly compressLevel?: number
}

export interface PrefixOptions {
  readonly keyPrefix?: Key
}

export type MultiOptions = StoreOptions & PrefixOptions

/** Where Python code passes the time as third argument, a number works too. */
export type StoreArgument = Time | StoreOptions

/** A store command whose key and value have gone through their slots. */
export interface PreparedStore {
  readonly verb: StoreVerb
  readonly key: Bytes
  readonly encoded: EncodedValue
  readonly exptime: Time
  readonly cas?: bigint
}

const MAX_UINT64 = 2n ** 64n - 1n
const PARAMETER = 38

export class Core {
  constructor(readonly slots: Slots) {}

  get selection(): Selection {
    return this.slots.selection
  }

  // ── retrieval ────────────────────────────────────────────────────────────────────────────────

  /** Value of a key, or `missing` (undefined unless given). Error replies are misses, as in pylibmc. */
  async get<T = unknown>(key: Key, missing?: T): Promise<T | undefined> {
    const modes = this.slots.modes()
    const wire = this.slots.key(key, 'get', '')
    if (wire === '') return missing
    const item = await this.fetch(modes.retrieval, wire, 'get', modes)
    return item ? (this.slots.decode(item, 'get') as T) : missing
  }

  /** Value and CAS unique, `[undefined, undefined]` on a miss. @throws ValueError without the `cas` behavior */
  async gets<T = unknown>(key: Key): Promise<[value: T, cas: bigint] | [undefined, undefined]> {
    const modes = this.slots.modes()
    const wire = this.slots.key(key, 'gets', '')
    if (wire === '') return [undefined, undefined]
    if (!modes.cas) throw new ValueError('gets without cas behavior')
    const item = await this.fetch('gets', wire, 'gets', modes)
    if (!item) return [undefined, undefined]
    return [this.slots.decode(item, 'gets') as T, BigInt.asIntN(64, item.cas ?? 0n)]
  }

  /**
   * Values by key, in the caller's key types, without prefix; missing keys are absent. Errors while reading leave out what had
   * not arrived; only when no server could be asked at all is the last error thrown (spec/pylibmc §7.3).
   */
  async getMulti<K extends Key = string, T = unknown>(
    keys: Iterable<K>,
    options: PrefixOptions = {},
  ): Promise<Map<K, T>> {
    if (keys instanceof Map) throw new TypeError('dict is not a sequence')
    const modes = this.slots.modes()
    const prefix = prefixBytes(options.keyPrefix, 'getMulti')
    const names = new Map<Bytes, K>()
    const asked: Bytes[] = []
    for (const key of keys) {
      const wire = this.slots.key(key, 'getMulti', prefix)
      if (wire === '') continue
      asked.push(wire)
      // A key given as text and as bytes comes back once, as text.
      if (typeof names.get(wire) !== 'string') names.set(wire, key)
    }
    const items = await this.fetchMulti(asked, modes)
    const found = new Map<K, T>()
    for (const item of items) {
      const wire = item.key.slice(modes.namespace.length)
      found.set(names.get(wire) as K, this.slots.decode(item, 'getMulti') as T)
    }
    return found
  }

  /** @internal */
  async fetch(
    verb: 'get' | 'gets',
    wire: Bytes,
    operation: Operation,
    modes: Modes,
  ): Promise<Item | undefined> {
    const picked = this.selection.pick(wire, operation)
    const server = picked instanceof Promise ? await picked : picked
    const reply = await this.send(
      server,
      requests.retrieval(verb, [modes.namespace + wire]),
      operation,
      wire,
      modes,
    )
    return (reply as ItemsReply).items[0]
  }

  /** Items of many keys, one request per server. @internal */
  async fetchMulti(keys: readonly Bytes[], modes: Modes): Promise<Item[]> {
    const groups = new Map<Server, Bytes[]>()
    let asked = 0
    let lastError: unknown
    for (const key of keys) {
      try {
        const picked = this.selection.pick(key, 'getMulti')
        const server = picked instanceof Promise ? await picked : picked
        const group = groups.get(server)
        if (group) group.push(modes.namespace + key)
        else groups.set(server, [modes.namespace + key])
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        lastError = error
      }
    }
    const replies = await Promise.all(
      [...groups].map(async ([server, group]) => {
        try {
          const reply = await this.send(
            server,
            requests.retrieval(modes.retrieval, group),
            'getMulti',
            undefined,
            modes,
          )
          asked++
          return (reply as ItemsReply).items
        } catch (error) {
          if (neverSent(error)) lastError = group.length > 1 ? this.secondError(server, group, error) : error
          else asked++
          return []
        }
      }),
    )
    if (asked === 0 && lastError !== undefined) throw lastError
    return replies.flat()
  }

  /** A second key of a server that has just refused already meets the wait state. */
  private secondError(server: Server, group: readonly Bytes[], first: unknown): unknown {
    try {
      this.selection.admit(server, 'getMulti')
    } catch (error) {
      if (error instanceof MemcachedError && group.length > 1) return error
    }
    return first
  }

  // ── storage ──────────────────────────────────────────────────────────────────────────────────

  /** Stores. True when stored; false when the key is empty. @throws TooBig, ServerError, ConnectionError … */
  async set(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('set', key, value, options)
  }

  /** Stores when missing; false when it exists. */
  async add(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('add', key, value, options)
  }

  /** Stores when it exists; false when missing. */
  async replace(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('replace', key, value, options)
  }

  /** Adds behind the stored bytes; flags and time of the item stay. False when missing. */
  async append(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('append', key, value, options)
  }

  /** Adds before the stored bytes; flags and time of the item stay. False when missing. */
  async prepend(key: Key, value: unknown, options?: StoreArgument): Promise<boolean> {
    return this.storeOne('prepend', key, value, options)
  }

  /**
   * Stores when unchanged since `gets`; false when it changed.
   * @param cas the signed 64-bit token of `gets`
   * @throws NotFound when the key is missing; ValueError without the `cas` behavior; OverflowError, TypeError for the token
   */
  async cas(key: Key, value: unknown, cas: bigint, options?: Time | TimeOptions): Promise<boolean> {
    const modes = this.slots.modes()
    if (!modes.cas) throw new ValueError('cas without cas behavior')
    const unique = casToken(cas)
    const wire = this.slots.key(key, 'cas', '')
    if (wire === '') throw badKey('', 'cas', 'is empty')
    if (unique === MAX_UINT64)
      throw new AllocationError('error 17 from memcached_cas', { operation: 'cas', key: wire })
    const exptime = this.slots.exptime(timeOf(options), 'cas', wire)
    const encoded = this.encode(value, undefined, 'cas', wire)
    return this.storePrepared({ verb: 'cas', key: wire, encoded, exptime, cas: unique }, 'cas', modes)
  }

  /**
   * Stores many, one after another in the given order. Everything is serialized before the first byte is sent.
   * @returns keys that failed softly
   * @throws the first hard error; earlier keys stay stored, later ones are not tried
   */
  async setMulti<K extends Key = string>(
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    options?: Time | MultiOptions,
  ): Promise<K[]> {
    return this.storeMulti('set', 'setMulti', mapping, options)
  }

  /** Like setMulti, for keys that do not exist yet. @returns keys that existed already (or failed softly) */
  async addMulti<K extends Key = string>(
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    options?: Time | MultiOptions,
  ): Promise<K[]> {
    return this.storeMulti('add', 'addMulti', mapping, options)
  }

  private async storeOne(
    verb: StoreVerb & Operation,
    key: Key,
    value: unknown,
    options: StoreArgument | undefined,
  ): Promise<boolean> {
    const modes = this.slots.modes()
    const wire = this.slots.key(key, verb, '')
    const exptime = this.slots.exptime(timeOf(options), verb, wire)
    const encoded = this.encode(value, compressionOf(options), verb, wire)
    if (wire === '') return false
    return this.storePrepared({ verb, key: wire, encoded, exptime }, verb, modes)
  }

  private async storeMulti<K extends Key>(
    verb: 'set' | 'add',
    operation: 'setMulti' | 'addMulti',
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    options: Time | MultiOptions | undefined,
  ): Promise<K[]> {
    const modes = this.slots.modes()
    const prefix = prefixBytes(typeof options === 'object' ? options.keyPrefix : undefined, operation)
    const compression = compressionOf(options)
    const prepared = entriesOf<K>(mapping).map(([key, value]) => {
      const wire = this.slots.key(key, operation, prefix)
      const exptime = this.slots.exptime(timeOf(options), operation, wire)
      return {
        original: key,
        verb,
        key: wire,
        exptime,
        encoded: this.encode(value, compression, operation, wire),
      }
    })
    const failed: K[] = []
    for (const one of prepared) {
      const stored = one.key !== '' && (await this.storePrepared(one, operation, modes))
      if (!stored) failed.push(one.original)
    }
    return failed
  }

  /** @internal */
  encode(
    value: unknown,
    compression: CompressionRequest | undefined,
    operation: Operation,
    key: Bytes,
  ): EncodedValue {
    const encoded = this.slots.encode(value, compression, operation, key)
    this.slots.size?.(encoded, operation, key)
    return encoded
  }

  /** @internal */
  async storePrepared(prepared: PreparedStore, operation: Operation, modes: Modes): Promise<boolean> {
    const { key } = prepared
    const picked = this.selection.pick(key, operation)
    const server = picked instanceof Promise ? await picked : picked
    const reply = await this.send(server, this.storeRequest(prepared, modes), operation, key, modes)
    if (modes.noreply) return true
    return softOutcome(reply as LineReply, operation, { key, server: server.name })
  }

  /** @internal */
  storeRequest({ verb, key, encoded, exptime, cas }: PreparedStore, modes: Modes): Request {
    const { flags, data } = encoded
    const { namespace, noreply } = modes
    return requests.store({ verb, key: namespace + key, flags, exptime, data, cas, noreply }, this.slots.wire)
  }

  // ── counters ─────────────────────────────────────────────────────────────────────────────────

  /** Adds to a counter and returns its new value, 0…2^64−1 (a bigint above 2^53). @throws NotFound when missing; ClientError */
  async incr(key: Key, delta: number | bigint = 1): Promise<number | bigint> {
    return this.count('incr', 'incr', this.slots.key(key, 'incr', ''), String(checkedDelta(delta)))
  }

  /** Subtracts, stopping at 0. @throws NotFound when missing; ClientError */
  async decr(key: Key, delta: number | bigint = 1): Promise<number | bigint> {
    return this.count('decr', 'decr', this.slots.key(key, 'decr', ''), String(checkedDelta(delta)))
  }

  /**
   * Adds to every counter, one after another; all are tried. The delta is unsigned 32 bit and wraps.
   * @throws NotFound when keys are missing; otherwise by the rules of spec/pylibmc §5.6
   */
  async incrMulti(
    keys: Iterable<Key>,
    options: PrefixOptions & { readonly delta?: number | bigint } = {},
  ): Promise<void> {
    if (keys instanceof Map) throw new TypeError('dict is not a sequence')
    const delta = String(BigInt.asUintN(32, BigInt(integer(options.delta ?? 1, 'delta'))))
    const prefix = prefixBytes(options.keyPrefix, 'incrMulti')
    let missing = 0
    const errors: MemcachedError[] = []
    let last: MemcachedError | undefined
    for (const key of [...keys]) {
      last = undefined
      try {
        await this.count('incr', 'incrMulti', this.slots.key(key, 'incrMulti', prefix), delta)
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        last = error
        if (error instanceof NotFound) missing++
        else errors.push(error)
      }
    }
    if (errors.length > 0) {
      const message = `${missing + errors.length} keys failed`
      const facts = { operation: 'incrMulti', cause: new AggregateError(errors) } as const
      // The class follows the last key's result: plain when it succeeded, or when more than one key failed otherwise.
      const Class = errors.length === 1 && last ? (last.constructor as typeof MemcachedError) : MemcachedError
      throw new Class(message, facts)
    }
    if (missing > 0) throw new NotFound(`${missing} keys not found`, { operation: 'incrMulti' })
  }

  /** @internal */
  async count(
    verb: 'incr' | 'decr',
    operation: Operation,
    wire: Bytes,
    delta: Bytes,
  ): Promise<number | bigint> {
    const modes = this.slots.modes()
    if (wire === '') throw badKey('', operation, 'is empty')
    const picked = this.selection.pick(wire, operation)
    const server = picked instanceof Promise ? await picked : picked
    const request = requests.arithmetic(verb, modes.namespace + wire, delta, modes.noreply)
    const reply = (await this.send(server, request, operation, wire, modes)) as LineReply
    // pylibmc returns this for a counter it did not wait for.
    if (modes.noreply) return MAX_UINT64
    const outcome = counterOutcome(reply)
    if ('value' in outcome)
      return outcome.value <= Number.MAX_SAFE_INTEGER ? Number(outcome.value) : outcome.value
    throw replyError(reply, operation, { key: wire, server: server.name }, outcome.code)
  }

  // ── the rest ─────────────────────────────────────────────────────────────────────────────────

  /** True when deleted, false when missing. */
  async delete(key: Key): Promise<boolean> {
    return this.deleteWire(this.slots.key(key, 'delete', ''), 'delete')
  }

  /** Deletes one after another. True when all were there. @throws the first hard error; later keys are not tried */
  async deleteMulti(keys: Iterable<Key>, options: PrefixOptions = {}): Promise<boolean> {
    if (keys instanceof Map) throw new TypeError('keys must be a sequence, not a mapping')
    const prefix = prefixBytes(options.keyPrefix, 'deleteMulti')
    let all = true
    for (const key of keys) {
      const deleted = await this.deleteWire(this.slots.key(key, 'deleteMulti', prefix), 'delete')
      all &&= deleted
    }
    return all
  }

  private async deleteWire(wire: Bytes, operation: Operation): Promise<boolean> {
    if (wire === '') return false
    const modes = this.slots.modes()
    const request = requests.remove(modes.namespace + wire, { noreply: modes.noreply })
    const { reply, server } = await this.line(request, operation, wire, modes)
    return modes.noreply || softOutcome(reply, operation, { key: wire, server: server.name })
  }

  /** Gives an item a new time. True, or false when missing. Always waits for the reply. @throws WriteError when unreachable */
  async touch(key: Key, time: Time): Promise<boolean> {
    const modes = this.slots.modes()
    const wire = this.slots.key(key, 'touch', '')
    const exptime = this.slots.exptime(time, 'touch', wire)
    if (wire === '') return false
    const request = requests.touch(modes.namespace + wire, String(exptime))
    const { reply, server } = await this.line(request, 'touch', wire, modes)
    return softOutcome(reply, 'touch', { key: wire, server: server.name })
  }

  /** Invalidates every item of every server, now or after `time` seconds. @throws SomeErrors; the other servers were flushed */
  async flushAll(time: Time | TimeOptions = 0): Promise<true> {
    const modes = this.slots.modes()
    const seconds = BigInt(integer(timeOf(time), 'time'))
    const request = requests.flushAll(this.slots.wire, seconds > 0n ? seconds : undefined, modes.noreply)
    const results = await Promise.allSettled(
      this.selection.servers.map(async (server) => {
        const reply = await this.askServer(server, request, 'flushAll', modes)
        if (!modes.noreply) flushOutcome(reply as LineReply, { server: server.name })
      }),
    )
    throwSomeErrors('flushAll', results)
    return true
  }

  /**
   * Statistics of every server: `[["host:port (index)", { name: value }], …]`, everything the server sends.
   * @throws SomeErrors when a server fails; MemcachedError (38) for an unknown argument
   */
  async getStats(argument?: string): Promise<[server: string, stats: Record<string, string>][]> {
    const modes = this.slots.modes()
    if (argument !== undefined && typeof argument !== 'string') throw new TypeError('argument must be text')
    if (argument === '' || (argument?.length ?? 0) >= 250)
      throw badKey(argument ?? '', 'getStats', 'is no statistics argument')
    const request = requests.stats(this.slots.wire, argument)
    const results = await Promise.allSettled(
      this.selection.servers.map(async (server): Promise<[string, Record<string, string>]> => {
        const { stats, end } = (await this.askServer(server, request, 'getStats', modes)) as StatsReply
        if (end.status === 'ERROR')
          throw errorFor(PARAMETER, 'getStats', undefined, { server: server.name, reply: end.line })
        if (end.status !== 'END' && end.status !== 'OK' && end.status !== 'STORED') {
          throw new SomeErrors('error 19 from get_stats', {
            operation: 'getStats',
            server: server.name,
            reply: end.line,
          })
        }
        return [statsName(server), Object.fromEntries(stats)]
      }),
    )
    const refused = results.find((result) => result.status === 'rejected' && result.reason.code === PARAMETER)
    if (refused) throw (refused as PromiseRejectedResult).reason
    throwSomeErrors('getStats', results)
    return results.map((result) => (result as PromiseFulfilledResult<[string, Record<string, string>]>).value)
  }

  /** Index of the server for a key, without I/O. */
  hash(key: Key): number {
    return this.selection.place(this.slots.key(key, 'hash', ''))
  }

  /** Closes every connection (saying quit) and ends any retry waiting; failure counters stay. The client stays usable. */
  disconnectAll(): void {
    this.selection.disconnectAll()
  }

  // ── one exchange ─────────────────────────────────────────────────────────────────────────────

  /** Picks the server of a key and exchanges one line with it. @internal */
  async line(
    request: Request,
    operation: Operation,
    wire: Bytes,
    modes: Modes,
  ): Promise<{ reply: LineReply; server: Server }> {
    const picked = this.selection.pick(wire, operation)
    const server = picked instanceof Promise ? await picked : picked
    return { reply: (await this.send(server, request, operation, wire, modes)) as LineReply, server }
  }

  private async askServer(
    server: Server,
    request: Request,
    operation: Operation,
    modes: Modes,
  ): Promise<Reply> {
    await this.selection.admit(server, operation)
    return this.send(server, request, operation, undefined, modes)
  }

  /**
   * One exchange with one server; tells the selection how it went.
   * @throws what the selection makes of a transport failure
   * @internal
   */
  send(
    server: Server,
    request: Request,
    operation: Operation,
    key: Bytes | undefined,
    modes: Modes,
  ): Promise<Reply> {
    return server.exchange.exchange(request, { timeout: modes.timeout }).then(
      (reply) => {
        this.selection.succeeded(server)
        if (isUnintelligible(reply.type === 'line' ? reply : reply.end)) server.exchange.close()
        return reply
      },
      (error: unknown) => {
        throw error instanceof TransportError ? this.selection.failed(server, error, operation, key) : error
      },
    )
  }
}

function neverSent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return (
    error instanceof MemcachedError &&
    (!(cause instanceof TransportError) || /^(connect|lookup)/.test(cause.kind))
  )
}

function throwSomeErrors(
  operation: 'flushAll' | 'getStats',
  results: readonly PromiseSettledResult<unknown>[],
): void {
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (errors.length === 0) return
  const unexpected = errors.find((error) => !(error instanceof MemcachedError))
  if (unexpected !== undefined) throw unexpected
  throw new SomeErrors(`error 19 from ${operation === 'flushAll' ? 'flush_all' : 'get_stats'}`, {
    operation,
    server: errors[0].server,
    reply: errors[0].reply,
    cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
  })
}

function statsName({ address, index }: Server): string {
  return address.transport === 'unix'
    ? `${address.path}:0 (${index})`
    : `${address.host}:${address.port} (${index})`
}

function timeOf(options: Time | TimeOptions | undefined): unknown {
  if (options === undefined) return 0
  return typeof options === 'object' && options !== null ? (options.time ?? 0) : options
}

/** @internal */
export function compressionOf(options: Time | StoreOptions | undefined): CompressionRequest | undefined {
  if (typeof options !== 'object' || options === null) return undefined
  const { minCompressLen, compressLevel } = options
  if (minCompressLen === undefined && compressLevel === undefined) return undefined
  const level = compressLevel === undefined ? -1 : integer(compressLevel, 'compressLevel')
  if (level > 2 ** 31 - 1) throw new OverflowError(`compressLevel ${level} does not fit a C int`)
  if (level < -1 || level > 9) throw new ValueError('compress_level must be between 0 and 9 inclusive')
  // Unsigned 32 bit: −1 is more than any value has, so it never compresses.
  const length = Number(BigInt.asUintN(32, BigInt(integer(minCompressLen ?? 0, 'minCompressLen'))))
  return { minCompressLen: length, compressLevel: Number(level) }
}

function entriesOf<K extends Key>(
  mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
): [K, unknown][] {
  if (mapping instanceof Map) return [...mapping]
  if (typeof mapping !== 'object' || mapping === null || Symbol.iterator in mapping) {
    throw new TypeError(`argument 1 must be dict, not ${Array.isArray(mapping) ? 'list' : typeof mapping}`)
  }
  return Object.entries(mapping) as [K, unknown][]
}

/** pylibmc's tokens are signed; they go on the wire as unsigned. */
function casToken(cas: unknown): bigint {
  if (typeof cas !== 'bigint' && !(typeof cas === 'number' && Number.isSafeInteger(cas))) {
    throw new TypeError(`cas must be a bigint, not ${cas === null ? 'null' : typeof cas}`)
  }
  const token = BigInt(cas)
  if (token >= 2n ** 63n || token < -(2n ** 63n))
    throw new OverflowError(`cas ${token} does not fit a signed 64-bit number`)
  // pylibmc then sends a command without token, which the server does not understand.
  if (token === 0n) throw new ValueError('cas 0 is no CAS unique')
  return BigInt.asUintN(64, token)
}
