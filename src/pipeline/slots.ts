/**
 * The slots of the operation pipeline: key → server → bytes → reply → outcome.
 *
 * `Pipeline` (pipeline.ts) is that pipeline. The two Python libraries differ in the policies that
 * fill the slots: `strict/` chooses them from behaviors, `compat/` from switches. A policy that emulates
 * python-memcached announces the outcomes it changes; for that a slot gets the operation and the key.
 */

import type { Bytes } from '../ground/bytes.js'
import type { KeyHash } from '../hashing/python-memcached.js'
import type { Item, WireDialect } from '../protocol/wire.js'
import type { ServerAddress } from '../transport/address.js'
import type { TransportError } from '../transport/errors.js'
import type { Exchange, ExchangeOptions } from '../transport/types.js'
import type { CompressionRequest, Payload } from '../values/types.js'
import type { Operation } from './operations.js'

/** A server as parsed: address and weight. */
export interface ServerSpec {
  readonly address: ServerAddress
  /** 1 when none was given; 0 counts as 1. */
  readonly weight: number
}

/** A server of the pool with its connection. */
export interface Server {
  /** 0-based position in the constructor's list. */
  readonly index: number
  readonly address: ServerAddress
  /** The name in errors and events: `host:port`, `[v6]:port` or the socket path. */
  readonly name: string
  readonly weight: number
  readonly exchange: Exchange
}

/**
 * Selects the server of an operation, and handles its failures.
 * libmemcached's health state machine (docs/reference/pylibmc.md#10) and python-memcached's probe loop with dead_retry
 * (docs/reference/python-memcached.md#6.4, #7) are the two implementations.
 */
export interface Selection {
  readonly servers: readonly Server[]
  /**
   * The server to use now. Synchronous unless it must be connected first.
   * `hash` overrides the key's own hash (python-memcached's tuple keys).
   * @throws the library's own error (ServerDown, ServerDead, no server …), synchronously or as a rejection.
   */
  pick(key: Bytes, operation: Operation, hash?: KeyHash): Server | Promise<Server>
  /** The server that pick would use, also when it is not usable now. Absent if every pick may probe several servers. */
  locate?(key: Bytes): Server
  /**
   * Opens the connection of an admitted server when there is none, for calls that try other servers when that fails. Absent
   * if pick itself connects.
   * @param call identifies the call: its failures at one server count once
   * @throws (rejection) the error of `failed` for a failure to connect
   */
  connect?(
    server: Server,
    operation: Operation,
    options: ExchangeOptions,
    call: object,
    key?: Bytes,
  ): Promise<void>
  /** Closes the connection of a server and ends any wait for its retry. */
  letGo?(server: Server): void
  /** Like pick, for operations that address every server (flushAll, getStats). Throws when it is not usable now. */
  admit(server: Server, operation: Operation, key?: Bytes): void | Promise<void>
  /** Server index from placement alone: no I/O, no health. */
  place(key: Bytes): number
  /** An exchange succeeded (a reply arrived). */
  succeeded(server: Server): void
  /** An exchange failed. Updates the state and returns the error to raise. */
  failed(server: Server, error: TransportError, operation: Operation, key: Bytes | undefined): Error
  /** disconnect_all: closes every connection; other resets depend on the library. */
  disconnectAll(): void
}

/** Settings of the pipeline that may change between two operations. */
export interface Modes {
  /** `gets` and `cas` are allowed (pylibmc's `cas` behavior). */
  readonly cas: boolean
  /** Command of get and getMulti: pylibmc sends `gets` when its `cas` behavior is on. */
  readonly retrieval: 'get' | 'gets'
  /** Commands carry `noreply` and succeed without a reply. */
  readonly noreply: boolean
  /** Prefix of every key on the wire, added after the server was chosen. */
  readonly namespace: Bytes
  /** Milliseconds for a whole operation: connecting, queueing, sending, waiting. */
  readonly timeout: number
  /** The end of the time of an operation of several exchanges, on `performance.now()`'s clock. */
  readonly deadline?: number
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined
  /** The binary protocol, in which libmemcached treats some outcomes differently (docs/reference/pylibmc.md#7.2, #7.3). */
  readonly binary: boolean
  /** `num_replicas`, binary protocol only: the number of further servers for set and delete, and for the fallback of get. */
  readonly replicas?: number
  /**
   * Turns an error of a get of one key or of a store command into a result, or throws it. Absent =
   * every error is thrown.
   */
  readonly failed?: (error: unknown, operation: Operation, key: Bytes | undefined) => unknown
  /** `_io_key_prefetch`, binary protocol only: the position of the key at which getMulti sends what it has gathered; 0 = none. */
  readonly keyPrefetch?: number
  /** `buffer_requests`: set and delete succeed as soon as they are queued. */
  readonly buffered?: boolean
}

/** The policies of the pipeline, one per slot. Behaviors and switches may change them between two operations. */
export interface Slots {
  /** Legal key → bytes on the wire, prefix included. `''` when the key is empty and the library does not raise for it. @throws */
  key: (key: unknown, operation: Operation, prefix: Bytes) => Bytes
  /** Time argument → value on the wire. @throws TypeError and other argument errors, before anything is sent. */
  readonly exptime: (time: unknown, operation: Operation, key: Bytes) => number | bigint
  readonly encode: (
    value: unknown,
    compression: CompressionRequest | undefined,
    operation: Operation,
    key: Bytes,
  ) => Payload
  /** Client-side size rule: throws when the encoded value must not be sent. Absent = everything is sent. */
  readonly size?: ((encoded: Payload, operation: Operation, key: Bytes) => void) | undefined
  readonly decode: (item: Item, operation: Operation) => unknown
  /** Items with exactly these flags are UTF-8 text and need not be decoded. Absent = none are. */
  textFlags?: number | undefined
  readonly selection: Selection
  readonly wire: WireDialect
  /** Read once per operation. */
  readonly modes: () => Modes
  /** Names of further options of calls. */
  furtherOptions?: readonly string[]
}
