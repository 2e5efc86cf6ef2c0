/**
 * The pipeline of every operation, written once over the policies in its slots: key → server → bytes → reply. Keys arrive
 * as they go on the wire, outcomes leave as pylibmc's (spec/pylibmc §5–7). `commands.ts` is pylibmc's methods over it;
 * `compat/` puts other policies into the slots and translates outcomes.
 */
import * as requests from '../protocol/requests.js'
import type { Bytes, Item, ItemsReply, LineReply, Reply, Request, StoreVerb } from '../protocol/wire.js'
import { TransportError } from '../transport/errors.js'
import type { CompressionRequest, EncodedValue } from '../values/types.js'
import { MemcachedError } from './errors.js'
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

const MAX_UINT64 = 2n ** 64n - 1n

export class Core {
  constructor(readonly slots: Slots) {}

  get selection(): Selection {
    return this.slots.selection
  }

  async fetch(
    verb: 'get' | 'gets',
    key: Bytes,
    operation: Operation,
    modes: Modes,
    hash?: bigint,
  ): Promise<Item | undefined> {
    const request = requests.retrieval(verb, [modes.namespace + key])
    const picked = this.selection.pick(key, operation, hash)
    const server = picked instanceof Promise ? await picked : picked
    const reply = (await this.send(server, request, operation, key, modes)) as ItemsReply
    return reply.items[0]
  }

  /**
   * Items of many keys, one request per server. Errors while reading leave out what had not arrived; only when no server could
   * be asked at all is the error of the last key thrown (spec/pylibmc §7.3).
   */
  async fetchMulti(
    keys: readonly Bytes[],
    modes: Modes,
    hashes?: ReadonlyMap<Bytes, bigint>,
    failed?: (error: MemcachedError) => void,
  ): Promise<Item[]> {
    const groups = new Map<Server, { readonly keys: Bytes[]; last: number }>()
    const errors: unknown[] = []
    let asked = 0
    for (const [index, key] of keys.entries()) {
      try {
        const picked = this.selection.pick(key, 'getMulti', hashes?.get(key))
        const server = picked instanceof Promise ? await picked : picked
        const group = groups.get(server) ?? { keys: [], last: index }
        groups.set(server, group)
        group.keys.push(modes.namespace + key)
        group.last = index
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        failed?.(error)
        errors[index] = error
      }
    }
    const replies = await Promise.all(
      [...groups].map(async ([server, group]) => {
        try {
          const request = requests.retrieval(modes.retrieval, group.keys)
          const reply = await this.send(server, request, 'getMulti', undefined, modes)
          asked++
          return (reply as ItemsReply).items
        } catch (error) {
          if (!(error instanceof MemcachedError)) throw error
          failed?.(error)
          if (neverSent(error))
            errors[group.last] = group.keys.length > 1 ? this.secondError(server, error) : error
          else asked++
          return []
        }
      }),
    )
    if (asked === 0 && errors.length > 0) throw errors.at(-1)
    return replies.flat()
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

  async store(prepared: PreparedStore, operation: Operation, modes: Modes): Promise<boolean> {
    const picked = this.selection.pick(prepared.key, operation, prepared.hash)
    const server = picked instanceof Promise ? await picked : picked
    return this.storeOn(server, prepared, operation, modes)
  }

  async storeOn(
    server: Server,
    prepared: PreparedStore,
    operation: Operation,
    modes: Modes,
  ): Promise<boolean> {
    const { key } = prepared
    const request = this.storeRequest(prepared, modes)
    const reply = (await this.send(server, request, operation, key, modes)) as LineReply
    return modes.noreply || softOutcome(reply, operation, { key, server: server.name })
  }

  private storeRequest({ verb, key, encoded, exptime, cas }: PreparedStore, modes: Modes): Request {
    const { flags, data } = encoded
    const { namespace, noreply } = modes
    return requests.store({ verb, key: namespace + key, flags, exptime, data, cas, noreply }, this.slots.wire)
  }

  async count(
    verb: 'incr' | 'decr',
    operation: Operation,
    key: Bytes,
    delta: Bytes,
    modes: Modes,
    hash?: bigint,
  ): Promise<number | bigint> {
    const request = requests.arithmetic(verb, modes.namespace + key, delta, modes.noreply)
    const { reply, server } = await this.line(request, operation, key, modes, hash)
    // pylibmc returns this for a counter it did not wait for.
    if (modes.noreply) return MAX_UINT64
    const outcome = counterOutcome(reply)
    if ('value' in outcome)
      return outcome.value <= Number.MAX_SAFE_INTEGER ? Number(outcome.value) : outcome.value
    throw replyError(reply, operation, { key, server: server.name }, outcome.code)
  }

  /** Picks the server of a key and exchanges one line with it. */
  async line(
    request: Request,
    operation: Operation,
    key: Bytes,
    modes: Modes,
    hash?: bigint,
  ): Promise<{ reply: LineReply; server: Server }> {
    const picked = this.selection.pick(key, operation, hash)
    const server = picked instanceof Promise ? await picked : picked
    return { reply: (await this.send(server, request, operation, key, modes)) as LineReply, server }
  }

  /** One exchange with a server that no key chose. */
  async ask(server: Server, request: Request, operation: Operation, modes: Modes): Promise<Reply> {
    await this.selection.admit(server, operation)
    return this.send(server, request, operation, undefined, modes)
  }

  /**
   * One exchange with one server; tells the selection how it went.
   * @throws what the selection makes of a transport failure
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

/** No server was asked: none could be reached. */
function neverSent(error: MemcachedError): boolean {
  return !(error.cause instanceof TransportError) || /^(connect|lookup)/.test(error.cause.kind)
}
