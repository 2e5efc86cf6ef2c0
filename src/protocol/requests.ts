/**
 * The requests of a client, without bytes and I/O, and the queue in which they and their replies wait. A protocol (text/, binary/) checks the
 * requests and writes them as bytes. They are immutable, so they may be kept, logged and compared.
 */
import type { Bytes } from '../ground/bytes.js'
import type { StoreVerb, WireDialect } from './wire.js'

export interface RetrievalRequest {
  readonly kind: 'retrieval'
  readonly verb: 'get' | 'gets'
  /** In order. A reply that names another key is unintelligible. */
  readonly keys: readonly Bytes[]
  /** Part of a request for many keys: the binary protocol then sends quiet gets and a terminating NOOP. */
  readonly multi: boolean
  /** Receives each item as soon as it arrives; the reply then has none. */
  readonly taker: ItemTaker | undefined
  readonly noreply: false
}

/** Receives items while their reply is being parsed. They are valid only when the reply has ended. */
export interface ItemTaker {
  /** Items with exactly these flags are UTF-8 text, and are passed as text if possible, without a copy. −1 = none. */
  readonly textFlags: number
  /**
   * Must not throw.
   * @param index of its key in the request
   * @param data owned by the receiver; text that is not valid UTF-8 is passed as bytes
   */
  item(index: number, flags: number, cas: bigint | undefined, data: Buffer | string): void
}

export interface StoreRequest {
  readonly kind: 'store'
  readonly verb: StoreVerb
  readonly key: Bytes
  /** Unsigned 32 bit. */
  readonly flags: number
  readonly exptime: number | bigint
  /** The data block. Its bytes are owned by the request (data-block.ts) and must not change. */
  readonly data: Uint8Array | Bytes
  /** CAS unique, only for `cas`. */
  readonly cas: bigint | undefined
  readonly noreply: boolean
  /** Text: between the last word and CRLF. */
  readonly tail: Bytes
}

export interface ArithmeticRequest {
  readonly kind: 'arithmetic'
  readonly verb: 'incr' | 'decr'
  readonly key: Bytes
  /** As written: python-memcached sends the text that it was given. The empty text is sent as no delta, which the server refuses. */
  readonly delta: Bytes
  readonly noreply: boolean
}

export interface DeleteRequest {
  readonly kind: 'delete'
  readonly key: Bytes
  /** Text: a time of python-memcached ≤ 1.59. */
  readonly time: Bytes | undefined
  readonly noreply: boolean
  /** Text: between the last word and CRLF. */
  readonly tail: Bytes
}

export interface TouchRequest {
  readonly kind: 'touch'
  readonly key: Bytes
  /** Without a time the server refuses the command, as python-memcached's users know. */
  readonly exptime: Bytes | undefined
  readonly noreply: boolean
}

export interface FlushRequest {
  readonly kind: 'flush_all'
  /** Seconds; undefined = now. */
  readonly delay: bigint | undefined
  readonly noreply: boolean
  /** Text: the command without a delay. */
  readonly spelled: Bytes
}

export interface StatsRequest {
  readonly kind: 'stats'
  readonly argument: Bytes | undefined
  readonly noreply: false
  /** Text: the command without an argument. */
  readonly spelled: Bytes
}

/** ElastiCache's `config get cluster`; the reply has one item, or none. Text protocol only. */
export interface ConfigRequest {
  readonly kind: 'config'
  readonly noreply: false
}

/** A complete command. Only the protocol of src/pymemcache accepts it. */
export interface WrittenRequest {
  readonly kind: 'written'
  readonly pieces: readonly (Bytes | Uint8Array)[]
  readonly noreply: boolean
}

export type Request =
  | WrittenRequest
  | RetrievalRequest
  | StoreRequest
  | ArithmeticRequest
  | DeleteRequest
  | TouchRequest
  | FlushRequest
  | StatsRequest
  | ConfigRequest

/** `get` or `gets` of one or more keys; the reply may name only these keys. */
export function retrieval(
  verb: 'get' | 'gets',
  keys: readonly Bytes[],
  multi = keys.length > 1,
  taker?: ItemTaker,
): RetrievalRequest {
  return { kind: 'retrieval', verb, keys, multi, taker, noreply: false }
}

export interface StoreOptions {
  readonly verb: StoreVerb
  readonly key: Bytes
  readonly flags: number
  readonly exptime: number | bigint
  readonly data: Uint8Array | Bytes
  readonly cas?: bigint | undefined
  readonly noreply?: boolean | undefined
}

export function store(options: StoreOptions, dialect: WireDialect): StoreRequest {
  const { verb, key, flags, exptime, data, cas, noreply = false } = options
  return { kind: 'store', verb, key, flags, exptime, data, cas, noreply, tail: dialect.storeTail }
}

/**
 * The last check of the results of a value encoding and a time rule before they are sent.
 * @throws RangeError naming the argument; nothing is sent then
 */
export function checkStore({ flags, exptime, cas }: StoreRequest): void {
  if (!(Number.isInteger(flags) && flags >= 0 && flags <= 0xffff_ffff))
    throw new RangeError(`flags ${String(flags)} are not an unsigned number of 32 bits`)
  if (typeof exptime !== 'bigint' && !Number.isSafeInteger(exptime))
    throw new RangeError(`time ${String(exptime)} is not a whole number`)
  if (cas !== undefined && typeof cas !== 'bigint') throw new RangeError(`CAS ${String(cas)} is not a bigint`)
}

export function arithmetic(
  verb: 'incr' | 'decr',
  key: Bytes,
  delta: Bytes,
  noreply = false,
): ArithmeticRequest {
  return { kind: 'arithmetic', verb, key, delta, noreply }
}

/** `tail` is what follows the key: the blank of python-memcached's delete_multi. */
export function remove(
  key: Bytes,
  { time, tail = '', noreply = false }: { time?: Bytes | undefined; tail?: Bytes; noreply?: boolean } = {},
): DeleteRequest {
  return { kind: 'delete', key, time, noreply, tail }
}

export function touch(key: Bytes, exptime: Bytes | undefined, noreply = false): TouchRequest {
  return { kind: 'touch', key, exptime, noreply }
}

export function flushAll(dialect: WireDialect, delay?: bigint, noreply = false): FlushRequest {
  return { kind: 'flush_all', delay, noreply, spelled: dialect.flushAll }
}

export function stats(dialect: WireDialect, argument?: Bytes): StatsRequest {
  return { kind: 'stats', argument, noreply: false, spelled: dialect.stats }
}

export const config: ConfigRequest = { kind: 'config', noreply: false }

/** A queue, first in, first out, in constant time on average. It keeps no references to removed entries, which may hold values of megabytes. */
export class Fifo<T> {
  private items: (T | undefined)[] = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  get first(): T | undefined {
    return this.items[this.head]
  }

  push(item: T): void {
    this.items.push(item)
  }

  shift(): T | undefined {
    const { items, head } = this
    const item = items[head]
    if (head === items.length) return undefined
    items[head] = undefined
    this.head = head + 1
    if (this.head === items.length) {
      items.length = 0
      this.head = 0
    } else if (this.head >= COMPACT && this.head * 2 >= items.length) {
      items.splice(0, this.head)
      this.head = 0
    }
    return item
  }

  /** Shifts everything, oldest first. */
  drain(): T[] {
    const { items, head } = this
    this.items = []
    this.head = 0
    return (head === 0 ? items : items.slice(head)) as T[]
  }

  /** All entries, oldest first, without removing them. */
  rest(): T[] {
    return this.items.slice(this.head) as T[]
  }
}

/** The array is compacted when this many places at its front are empty, and at least half of all. */
const COMPACT = 1024
