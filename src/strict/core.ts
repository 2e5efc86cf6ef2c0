/**
 * The pipeline of every operation, written once over the policies in its slots: key → server → bytes → reply. Keys arrive
 * as they go on the wire, outcomes leave as pylibmc's (spec/pylibmc §5–7). `commands.ts` is pylibmc's methods over it;
 * `compat/` puts other policies into the slots and translates outcomes.
 */

import { channel } from 'node:diagnostics_channel'
import type { Request, StoreRequest } from '../protocol/requests.js'
import * as requests from '../protocol/requests.js'
import type { Bytes, Item, ItemsReply, LineReply, Reply, StoreVerb } from '../protocol/wire.js'
import { ValueError } from '../python/errors.js'
import { TransportError } from '../transport/errors.js'
import type { Receiver } from '../transport/types.js'
import type { CompressionRequest, EncodedValue } from '../values/types.js'
import type { CallOptions } from './arguments.js'
import { errorFor, MemcachedError, SomeErrors } from './errors.js'
import { fromReplica, replicate } from './replicas.js'
import { counterOutcome, isUnintelligible, replyError, softOutcome } from './replies.js'
import type { Modes, Operation, Selection, Server, Slots } from './slots.js'

/** A store command whose key and value have gone through their slots. */
export interface PreparedStore {
  readonly verb: StoreVerb
  readonly key: Bytes
  readonly encoded: EncodedValue
  readonly exptime: number | bigint
  readonly cas?: bigint
  /** Instead of the key's own hash. */
  readonly hash?: bigint
}

const bufferedFailure = channel('memshim:buffered-failure')
const MAX_UINT64 = 2n ** 64n - 1n

export class Core {
  constructor(readonly slots: Slots) {}

  /** The settings of one call. @throws ValueError for a timeout that is no number of milliseconds above 0 */
  protected modes(options?: unknown): Modes {
    const modes = this.slots.modes()
    if (typeof options !== 'object' || options === null) return modes
    const { timeout, signal } = options as CallOptions
    if (timeout === undefined && signal === undefined) return modes
    if (timeout !== undefined && !(timeout > 0 && timeout < 2 ** 31))
      throw new ValueError(`timeout ${timeout} is not a number of milliseconds above 0`)
    return { ...modes, timeout: timeout ?? modes.timeout, signal }
  }

  get selection(): Selection {
    return this.slots.selection
  }

  fetch(
    verb: 'get' | 'gets',
    key: Bytes,
    operation: Operation,
    modes: Modes,
    hash?: bigint,
  ): Promise<Item | undefined>
  /** `take` is called while the reply is being read; its result is the promise's. */
  fetch<T>(
    verb: 'get' | 'gets',
    key: Bytes,
    operation: Operation,
    modes: Modes,
    hash: bigint | undefined,
    take: (item: Item | undefined) => T,
  ): Promise<T>
  fetch<T>(
    verb: 'get' | 'gets',
    key: Bytes,
    operation: Operation,
    modes: Modes,
    hash?: bigint,
    take?: (item: Item | undefined) => T,
  ): Promise<unknown> {
    const request = requests.retrieval(
      verb,
      [modes.namespace + key],
      operation === 'gets',
      take && this.slots.brief,
    )
    const ask = (server: Server): Promise<unknown> =>
      this.send(server, request, operation, key, modes, (reply) => {
        const item = (reply as ItemsReply).items[0]
        return take ? take(item) : item
      })
    const asked = this.on(key, operation, hash, ask)
    if (!modes.replicas) return asked
    return asked.catch((error: unknown) => {
      if (!(error instanceof MemcachedError) || !neverSent(error) || wentStale(error)) throw error
      return fromReplica(this.selection, key, modes, operation, error, ask)
    })
  }

  /** Picks the server of a key: at once where that is possible. */
  private on<T>(
    key: Bytes,
    operation: Operation,
    hash: bigint | undefined,
    use: (server: Server) => Promise<T>,
  ): Promise<T> {
    try {
      const picked = this.selection.pick(key, operation, hash)
      return picked instanceof Promise ? picked.then(use) : use(picked)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Items of many keys, one request per server, in reply order server by server. Errors while reading leave out what had not
   * arrived; only when no server could be asked at all is the error of the last key thrown (spec/pylibmc §7.3).
   */
  fetchMulti(
    keys: readonly Bytes[],
    modes: Modes,
    hashes?: ReadonlyMap<Bytes, bigint>,
    tell?: (error: MemcachedError) => void,
  ): Promise<Item[]> {
    return this.takeMulti(keys, modes, (item) => item, false, hashes, tell)
  }

  /**
   * The same; `take` is called while the replies are being read.
   * @param brief the slot's flags may be lent to it
   * @throws also what `take` throws, once everything has been read
   */
  async takeMulti<T>(
    keys: readonly Bytes[],
    modes: Modes,
    take: (item: Item) => T,
    brief: boolean,
    hashes?: ReadonlyMap<Bytes, bigint>,
    tell?: (error: MemcachedError) => void,
  ): Promise<T[]> {
    const groups = new Map<Server, { readonly keys: Bytes[]; first: number; last: number }>()
    const errors: unknown[] = []
    let asked = 0
    for (const [index, key] of keys.entries()) {
      try {
        const picked = this.selection.pick(key, 'getMulti', hashes?.get(key))
        const server = picked instanceof Promise ? await picked : picked
        const group = groups.get(server) ?? { keys: [], first: index, last: index }
        groups.set(server, group)
        group.keys.push(modes.namespace + key)
        group.last = index
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        tell?.(error)
        errors[index] = error
      }
    }
    const failures: unknown[] = []
    const lent = brief ? this.slots.brief : undefined
    const replies = await Promise.all(
      [...groups].map(async ([server, group]) => {
        const taken: T[] = []
        const each = (item: Item) => {
          try {
            taken.push(take(item))
          } catch (error) {
            failures.push(error)
          }
        }
        try {
          const request = requests.retrieval(modes.retrieval, group.keys, true, lent, each)
          await this.send(server, request, 'getMulti', undefined, modes, () => undefined)
          asked++
        } catch (error) {
          if (!(error instanceof MemcachedError)) throw error
          tell?.(error)
          if (modes.binary && wentStale(error)) throw brokenPipe(error)
          const refused = resetWhileIdle(error)
          if (refused || neverSent(error)) {
            const second = group.keys.length > 1 && !refused
            errors[group.last] = second ? this.secondError(server, error) : error
            group.first = -1
          } else asked++
        }
        return taken
      }),
    )
    // In the binary protocol the last attempt to connect decides (spec/pylibmc §7.3).
    const lastFailed = errors.length - 1
    const failed = modes.binary ? [...groups.values()].every(({ first }) => first < lastFailed) : asked === 0
    if (failed && lastFailed >= 0) throw errors[lastFailed]
    if (failures.length > 0) throw failures[0]
    return replies.flat()
  }

  /** With replicas every key is asked for itself. @throws the error of the last key when nothing could be asked at all */
  async fetchEach(keys: readonly Bytes[], modes: Modes): Promise<Item[]> {
    const results = await Promise.allSettled(keys.map((key) => this.fetch('get', key, 'getMulti', modes)))
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    const unexpected = errors.find((error) => !(error instanceof MemcachedError))
    if (unexpected !== undefined) throw unexpected
    if (errors.length > 0 && errors.length === keys.length) throw errors.at(-1)
    return results.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []))
  }

  /** A second key of a server that has just refused already meets the wait state. */
  private secondError(server: Server, first: unknown): unknown {
    try {
      this.selection.admit(server, 'getMulti')
    } catch (error) {
      if (error instanceof MemcachedError) return error
    }
    return first
  }

  /** @throws what the size rule has against the encoded value */
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

  store(prepared: PreparedStore, operation: Operation, modes: Modes): Promise<boolean> {
    return this.on(prepared.key, operation, prepared.hash, (server) =>
      this.storeOn(server, prepared, operation, modes),
    )
  }

  storeOn(server: Server, prepared: PreparedStore, operation: Operation, modes: Modes): Promise<boolean> {
    const { key, verb } = prepared
    const request = this.storeRequest(prepared, modes)
    if (modes.replicas && verb === 'set') replicate(this.selection, server, request, operation, modes)
    const sent = this.send(
      server,
      request,
      operation,
      key,
      modes,
      (reply) => modes.noreply || softOutcome(reply as LineReply, operation, { key, server: server.name }),
    )
    return modes.buffered && verb !== 'cas' ? this.later(sent, operation, key) : sent
  }

  /** `buffer_requests`: it counts as done, and a failure is told on the channel `memshim:buffered-failure`. */
  protected later(sent: Promise<boolean>, operation: Operation, key: Bytes): Promise<true> {
    sent.catch((error: unknown) => bufferedFailure.publish({ operation, key, error }))
    return Promise.resolve(true)
  }

  private storeRequest({ verb, key, encoded, exptime, cas }: PreparedStore, modes: Modes): StoreRequest {
    const { flags, data } = encoded
    const { namespace, noreply } = modes
    return requests.store({ verb, key: namespace + key, flags, exptime, data, cas, noreply }, this.slots.wire)
  }

  count(
    verb: 'incr' | 'decr',
    operation: Operation,
    key: Bytes,
    delta: Bytes,
    modes: Modes,
    hash?: bigint,
  ): Promise<number | bigint> {
    const request = requests.arithmetic(verb, modes.namespace + key, delta, modes.noreply)
    return this.lineOf(request, operation, key, modes, hash, (reply, server) => {
      // pylibmc returns this for a counter it did not wait for.
      if (modes.noreply) return MAX_UINT64
      const outcome = counterOutcome(reply)
      if ('value' in outcome)
        return outcome.value <= Number.MAX_SAFE_INTEGER ? Number(outcome.value) : outcome.value
      throw replyError(reply, operation, { key, server: server.name }, outcome.code)
    })
  }

  /** Picks the server of a key and exchanges one line with it. */
  lineOf<T>(
    request: Request,
    operation: Operation,
    key: Bytes,
    modes: Modes,
    hash: bigint | undefined,
    take: (reply: LineReply, server: Server) => T,
  ): Promise<T> {
    return this.on(key, operation, hash, (server) =>
      this.send(server, request, operation, key, modes, (reply) => take(reply as LineReply, server)),
    )
  }

  line(
    request: Request,
    operation: Operation,
    key: Bytes,
    modes: Modes,
    hash?: bigint,
  ): Promise<{ reply: LineReply; server: Server }> {
    return this.lineOf(request, operation, key, modes, hash, (reply, server) => ({ reply, server }))
  }

  /** One exchange with a server that no key chose. */
  async ask(server: Server, request: Request, operation: Operation, modes: Modes): Promise<Reply> {
    await this.selection.admit(server, operation)
    return this.send(server, request, operation, undefined, modes, (reply) => reply)
  }

  /**
   * One exchange with one server; tells the selection how it went.
   * @throws what the selection makes of a transport failure
   */
  private send<T>(
    server: Server,
    request: Request,
    operation: Operation,
    key: Bytes | undefined,
    modes: Modes,
    take: (reply: Reply) => T,
  ): Promise<T> {
    return server.exchange.exchange(request, modes, new Told(this.selection, server, operation, key, take))
  }
}

/** Tells the selection how an exchange went. */
class Told<T> implements Receiver<T> {
  constructor(
    private readonly selection: Selection,
    private readonly server: Server,
    private readonly operation: Operation,
    private readonly key: Bytes | undefined,
    private readonly take: (reply: Reply) => T,
  ) {}

  reply(reply: Reply): T {
    const { selection, server } = this
    selection.succeeded(server)
    if (isUnintelligible(reply.type === 'line' ? reply : reply.end)) server.exchange.close(false)
    return this.take(reply)
  }

  failed(error: TransportError): unknown {
    return this.selection.failed(this.server, error, this.operation, this.key)
  }
}

/** The server had closed the connection while it was idle; nothing was sent. */
export function wentStale(error: MemcachedError): boolean {
  const { cause } = error
  return cause instanceof TransportError && cause.kind === 'closed' && !cause.sent
}

/** libmemcached cannot even write to it. */
function resetWhileIdle({ cause }: MemcachedError): boolean {
  return cause instanceof TransportError && cause.kind === 'reset' && !cause.sent
}

/** libmemcached notices it while writing quiet gets. */
function brokenPipe(error: MemcachedError): MemcachedError {
  const { server, cause } = error
  return errorFor(SomeErrors.retcode, 'getMulti', 'SYSTEM ERROR(Broken pipe)', { server, cause })
}

/** No server was asked: none could be reached. */
export function neverSent(error: MemcachedError): boolean {
  return !(error.cause instanceof TransportError) || /^(connect|lookup)/.test(error.cause.kind)
}
