/**
 * The pipeline of every operation, with policies in its slots: key → server → bytes → reply. Keys have their form on
 * the wire, outcomes are pylibmc's (docs/reference/pylibmc.md#5 to #7). `many.ts` requests many keys at once, `methods/` has
 * pylibmc's methods over both; `compat/` puts other policies into the slots and translates outcomes.
 */

import { channel } from 'node:diagnostics_channel'
import type { Bytes } from '../ground/bytes.js'
import type { KeyHash } from '../hashing/python-memcached.js'
import { ownBlock } from '../protocol/data-block.js'
import type { Request } from '../protocol/requests.js'
import * as requests from '../protocol/requests.js'
import type { Item, ItemsReply, LineReply, Reply, StoreVerb } from '../protocol/wire.js'
import { ownOptions } from '../python/options.js'
import { shownAsPython } from '../python/shown.js'
import type { CompressionRequest, Payload } from '../values/types.js'
import { unread } from './failures/transport-failures.js'
import { type CallOptions, checkTimeout } from './methods/arguments.js'
import type { Operation } from './operations.js'
import { AnyReplyHandler, type ReplyHandler, StoreHandler, ValueHandler } from './receivers.js'
import { retrieveReplicated, storeReplicated } from './replicas.js'
import { counterOutcome, replyError } from './replies.js'
import type { Modes, Selection, Server, Slots } from './slots.js'
import { commandChannel, exchange } from './tracing.js'

/** A store command whose key and value have gone through their slots. */
export interface PreparedStore {
  readonly verb: StoreVerb
  readonly key: Bytes
  readonly encoded: Payload
  readonly exptime: number | bigint
  readonly cas?: bigint | undefined
  /** Replaces the key's own hash. */
  readonly hash?: KeyHash | undefined
}

/** The property of a client with its pipeline, hidden from enumeration. The symbol is the same in every copy of this package. */
export const PIPELINE: unique symbol = Symbol.for('memshim.pipeline') as never

/** A client of this package, or of another copy of it. */
interface PipelineOwner {
  /** @internal */
  readonly [PIPELINE]: Pipeline
}

/** @throws TypeError for an object that is not a client */
export function pipelineOf(client: object): Pipeline {
  const pipeline = (client as Partial<PipelineOwner>)[PIPELINE]
  if (!pipeline) throw new TypeError('this is not a client of memshim')
  return pipeline
}

const bufferedFailure = channel('memshim:buffered-failure')
const MAX_UINT64 = 2n ** 64n - 1n

export class Pipeline {
  constructor(readonly slots: Slots) {}

  /**
   * A copy of the options of a call with their own properties only; a time instead of options is left to the time rule.
   * @throws TypeError for a value that is not a plain object, and for unknown names
   */
  options<O>(given: O, names: readonly string[]): O {
    if (given === undefined) return given
    // If a time is allowed, every other value is checked as a time.
    if (typeof given !== 'object' && names.includes('time')) return given
    const { furtherOptions } = this.slots
    return ownOptions(given as object, furtherOptions ? [...names, ...furtherOptions] : names) as O
  }

  /** The settings of one call. @throws ValueError, TypeError naming the option */
  modes(options?: unknown): Modes {
    const modes = this.slots.modes()
    if (typeof options !== 'object' || options === null) return modes
    const { timeout, signal, noreply } = options as CallOptions & { readonly noreply?: boolean }
    if (timeout === undefined && signal === undefined && !noreply) return modes
    if (timeout !== undefined) checkTimeout(timeout)
    if (signal !== undefined && !isSignal(signal))
      throw new TypeError(`signal must be an AbortSignal, not ${shownAsPython(signal)}`)
    return { ...modes, timeout: timeout ?? modes.timeout, signal, noreply: noreply ? true : modes.noreply }
  }

  /** The modes of an operation of several exchanges, which share the time of one. */
  within(modes: Modes): Modes {
    return { ...modes, deadline: performance.now() + modes.timeout }
  }

  get selection(): Selection {
    return this.slots.selection
  }

  /** The value of a key, or `missing`. @throws (rejection) also errors of decoding */
  read(
    verb: 'get' | 'gets',
    key: Bytes,
    operation: Operation,
    modes: Modes,
    missing: unknown,
    hash?: KeyHash,
  ): Promise<unknown> {
    // Written inline for the most frequent operation, which saves a closure.
    if (modes.binary) {
      const timed = this.withReplicas(modes)
      return this.retrieve(key, operation, timed, hash, missing, (server) =>
        this.readFrom(server, verb, key, operation, timed, missing),
      )
    }
    try {
      const picked = this.selection.pick(key, operation, hash)
      if (!(picked instanceof Promise)) return this.readFrom(picked, verb, key, operation, modes, missing)
      return picked.then(
        (server) => this.readFrom(server, verb, key, operation, modes, missing),
        (error) => unpicked(error, key, operation, modes),
      )
    } catch (error) {
      return unpicked(error, key, operation, modes)
    }
  }

  private readFrom(
    server: Server,
    verb: 'get' | 'gets',
    key: Bytes,
    operation: Operation,
    modes: Modes,
    missing: unknown,
  ): Promise<unknown> {
    const wire = modes.namespace + key
    const value = new ValueHandler(this.slots, server, operation, key, wire, missing, modes.failed)
    return this.send(server, requests.retrieval(verb, [wire], false, value), modes, value)
  }

  /** The item of a key. */
  fetch(
    verb: 'get' | 'gets',
    key: Bytes,
    operation: Operation,
    modes: Modes,
    hash?: KeyHash,
  ): Promise<Item | undefined> {
    const request = requests.retrieval(verb, [modes.namespace + key], operation === 'gets')
    const timed = this.withReplicas(modes)
    return this.retrieve(key, operation, timed, hash, undefined, (server) =>
      this.exchange(server, request, operation, key, timed, (reply) => (reply as ItemsReply).items[0]),
    )
  }

  /** Modes for requests to one server after another. */
  withReplicas(modes: Modes): Modes {
    return modes.replicas && modes.deadline === undefined ? this.within(modes) : modes
  }

  /** From the key's server, or from one that has a replica. */
  private retrieve<T>(
    key: Bytes,
    operation: Operation,
    modes: Modes,
    hash: KeyHash | undefined,
    missing: T,
    ask: (server: Server) => Promise<T>,
  ): Promise<T> {
    if (modes.replicas) return retrieveReplicated(this.selection, key, operation, modes, missing, ask)
    const asked = this.on(key, operation, hash, ask)
    return modes.binary ? asked.catch((error) => unread(error, operation, missing)) : asked
  }

  /** Picks the server of a key, synchronously if possible. */
  private on<T>(
    key: Bytes,
    operation: Operation,
    hash: KeyHash | undefined,
    use: (server: Server) => Promise<T>,
  ): Promise<T> {
    try {
      const picked = this.selection.pick(key, operation, hash)
      return picked instanceof Promise ? picked.then(use) : use(picked)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The stored form of a value, computed at once. @throws errors of the encoding and of the size rule */
  encode(
    value: unknown,
    compression: CompressionRequest | undefined,
    operation: Operation,
    key: Bytes,
  ): Payload {
    const encoded = this.slots.encode(value, compression, operation, key)
    this.slots.size?.(encoded, operation, key)
    const { flags, data } = encoded
    return typeof data === 'string' ? encoded : { flags, data: ownBlock(data) }
  }

  store(prepared: PreparedStore, operation: Operation, modes: Modes): Promise<boolean> {
    const { key, hash } = prepared
    try {
      const picked = this.selection.pick(key, operation, hash)
      if (!(picked instanceof Promise)) return this.storeOn(picked, prepared, operation, modes)
      return picked.then(
        (server) => this.storeOn(server, prepared, operation, modes),
        (error) => unpicked(error, key, operation, modes),
      )
    } catch (error) {
      return unpicked(error, key, operation, modes)
    }
  }

  storeOn(server: Server, prepared: PreparedStore, operation: Operation, modes: Modes): Promise<boolean> {
    const { verb, key, encoded, exptime, cas } = prepared
    const { flags, data } = encoded
    const { namespace, noreply } = modes
    const { wire } = this.slots
    const request = requests.store({ verb, key: namespace + key, flags, exptime, data, cas, noreply }, wire)
    const stored = new StoreHandler(this.selection, server, operation, key, noreply, modes.failed)
    const sent =
      modes.replicas && verb === 'set'
        ? storeReplicated(this, server, request, this.withReplicas(modes), stored)
        : this.send(server, request, modes, stored)
    return modes.buffered && verb !== 'cas' ? this.later(sent, operation, key) : sent
  }

  /** `buffer_requests`: the operation succeeds at once, and a failure is published on the channel `memshim:buffered-failure`. */
  later(sent: Promise<boolean>, operation: Operation, key: Bytes): Promise<true> {
    sent.catch((error: unknown) => bufferedFailure.publish({ operation, key, error }))
    return Promise.resolve(true)
  }

  count(
    verb: 'incr' | 'decr',
    operation: Operation,
    key: Bytes,
    delta: Bytes,
    modes: Modes,
    hash?: KeyHash,
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
    hash: KeyHash | undefined,
    take: (reply: LineReply, server: Server) => T,
  ): Promise<T> {
    return this.on(key, operation, hash, (server) =>
      this.exchange(server, request, operation, key, modes, (reply) => take(reply as LineReply, server)),
    )
  }

  line(
    request: Request,
    operation: Operation,
    key: Bytes,
    modes: Modes,
    hash?: KeyHash,
  ): Promise<{ reply: LineReply; server: Server }> {
    return this.lineOf(request, operation, key, modes, hash, (reply, server) => ({ reply, server }))
  }

  /** One exchange with a given server. */
  async ask(server: Server, request: Request, operation: Operation, modes: Modes): Promise<Reply> {
    await this.selection.admit(server, operation)
    return this.exchange(server, request, operation, undefined, modes, (reply) => reply)
  }

  /** One exchange with one server; a function receives the reply. */
  exchange<T>(
    server: Server,
    request: Request,
    operation: Operation,
    key: Bytes | undefined,
    modes: Modes,
    take: (reply: Reply) => T,
  ): Promise<T> {
    return this.send(
      server,
      request,
      modes,
      new AnyReplyHandler(this.selection, server, operation, key, take),
    )
  }

  /** Every exchange with a server. @throws the selection's error for a transport failure */
  send<T>(server: Server, request: Request, modes: Modes, handler: ReplyHandler<T>): Promise<T> {
    if (!commandChannel.hasSubscribers) return server.exchange.exchange(request, modes, handler)
    const { failure, operation, key } = handler
    if (failure === undefined) return exchange(server, request, operation, modes, handler)
    // Tracing subscribers receive the original error.
    handler.failure = undefined
    return exchange(server, request, operation, modes, handler).catch(
      (error) => failure(error, operation, key) as T,
    )
  }
}

/** Accepts signals of another realm, or of another implementation. */
function isSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  )
}

/** No server was found. */
function unpicked<T>(error: unknown, key: Bytes, operation: Operation, { failed }: Modes): Promise<T> {
  if (failed === undefined) return Promise.reject(error)
  return new Promise((resolve) => resolve(failed(error, operation, key) as T))
}
