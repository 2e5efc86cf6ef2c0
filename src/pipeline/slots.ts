/**
 * The slots of the operation pipeline: key → server → bytes → reply → outcome.
 *
 * `Pipeline` (pipeline.ts) is that pipeline, written once. What differs between the two Python libraries is which policy
 * sits in a slot: `strict/` fills them from behaviors, `compat/` from switches. A policy that emulates
 * python-memcached announces the outcomes it changes; for that a slot gets the operation and the key.
 */
import type { Bytes } from '../ground/bytes.js'
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
  /** How it is named in errors and events: `host:port`, `[v6]:port` or the socket path. */
  readonly name: string
  readonly weight: number
  readonly exchange: Exchange
}

/**
 * Which server an operation goes to, and what a failure there means.
 * libmemcached's health state machine (docs/reference/pylibmc.md#10) and python-memcached's probe loop with dead_retry
 * (docs/reference/python-memcached.md#6.4, #7) are the two implementations.
 */
export interface Selection {
  readonly servers: readonly Server[]
  /**
   * The server to use now. Synchronous unless a connect must be tried first.
   * `hash` overrides the key's own hash (python-memcached's tuple keys).
   * @throws the personality's own error (ServerDown, ServerDead, no server …), synchronously or as a rejection.
   */
  pick(key: Bytes, operation: Operation, hash?: bigint): Server | Promise<Server>
  /** The server that pick would use, also when it is not usable now. Absent where every pick may probe several servers. */
  locate?(key: Bytes): Server
  /**
   * Opens the connection of an admitted server when there is none, for calls that go on with other servers when that fails. Absent
   * where pick itself connects.
   * @param call what belongs to the same call: its failures at one server count once
   * @throws (rejection) what failed makes of a failure to connect
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
  /** disconnect_all: closes every connection; what else it resets belongs to the personality. */
  disconnectAll(): void
}

/** Settings of the pipeline that may change between two operations. */
export interface Modes {
  /** `gets` and `cas` are allowed (pylibmc's `cas` behavior). */
  readonly cas: boolean
  /** Command of get and getMulti: pylibmc sends `gets` when its `cas` behavior is on. */
  readonly retrieval: 'get' | 'gets'
  /** Commands carry `noreply` and succeed unseen. */
  readonly noreply: boolean
  /** Put before every key on the wire, after the server was chosen. */
  readonly namespace: Bytes
  /** Milliseconds for a whole operation: connecting, queueing, sending, waiting. */
  readonly timeout: number
  /** When an operation of several exchanges has to be over, on `performance.now()`'s clock. */
  readonly deadline?: number
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined
  /** The binary protocol, in which libmemcached treats some outcomes otherwise (docs/reference/pylibmc.md#7.2, #7.3). */
  readonly binary: boolean
  /** `num_replicas`, binary protocol only: further servers that set and delete go to, and that get falls back to. */
  readonly replicas?: number
  /**
   * What an error of a get of one key or of a store command becomes: it is returned in the place of the result, or thrown. Absent =
   * every error is thrown.
   */
  readonly failed?: (error: unknown, operation: Operation, key: Bytes | undefined) => unknown
  /** `buffer_requests`: set and delete succeed as soon as they are handed over. */
  readonly buffered?: boolean
}

/** What the pipeline needs, one policy per slot. Behaviors and switches may fill a slot anew between two operations. */
export interface Slots {
  /** Legal key → bytes on the wire, prefix included. `''` when the key is empty and the personality treats that softly. @throws */
  key: (key: unknown, operation: Operation, prefix: Bytes) => Bytes
  /** Time argument → what is written on the wire. @throws TypeError and friends, before anything is sent. */
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
  /** Names of options that calls may have beyond those of their kind. */
  furtherOptions?: readonly string[]
}
