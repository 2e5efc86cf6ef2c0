/** The replies of memcached, and the small differences between clients' commands. */
import type { Bytes } from '../ground/bytes.js'

/** The status of a reply, by the words of the text protocol; statuses of other protocols are mapped onto them. */
export type LineStatus =
  | 'STORED'
  | 'NOT_STORED'
  | 'EXISTS'
  | 'NOT_FOUND'
  | 'DELETED'
  | 'TOUCHED'
  | 'OK'
  | 'RESET'
  | 'END'
  | 'NUMBER'
  | 'VERSION'
  | 'ERROR'
  | 'CLIENT_ERROR'
  | 'SERVER_ERROR'
  /** Binary only: status 0x20. */
  | 'AUTH_ERROR'
  /** Binary only: status 0x82. */
  | 'OUT_OF_MEMORY'
  /** Binary only: every other status. */
  | 'REFUSED'
  /** Everything else, the empty line included. */
  | 'unknown'

/** A reply without items or statistics. */
export interface LineReply {
  readonly type: 'line'
  readonly status: LineStatus
  /** The whole line without CRLF; the text of an error is in here, after the status word. Binary: the text line of the same meaning. */
  readonly line: Bytes
}

/** The result of a noreply request. */
export const HANDED_OVER: LineReply = { type: 'line', status: 'OK', line: '' }

/** One item of a retrieval reply. */
export interface Item {
  readonly key: Bytes
  /** Unsigned 32 bit. */
  readonly flags: number
  /** CAS unique, present in replies to gets. Unsigned 64 bit. */
  readonly cas: bigint | undefined
  /** The data block, the receiver's own. */
  readonly data: Buffer
}

/** Reply to a retrieval command. */
export interface ItemsReply {
  readonly type: 'items'
  /** In reply order. */
  readonly items: readonly Item[]
  /** The end of the reply: status `END`, or an error. */
  readonly end: LineReply
}

/** Reply to `stats`. */
export interface StatsReply {
  readonly type: 'stats'
  /** `[name, value]` in reply order; the value keeps embedded spaces and is `''` when the server sends none. */
  readonly stats: readonly (readonly [Bytes, Bytes])[]
  readonly end: LineReply
}

export type Reply = LineReply | ItemsReply | StatsReply

/** Store commands of the text protocol. */
export type StoreVerb = 'set' | 'add' | 'replace' | 'append' | 'prepend' | 'cas'

/**
 * The small differences between the two Python libraries' command lines (docs/reference/pylibmc.md#11.1,
 * docs/reference/python-memcached.md#16.1). Only bytes on the wire change, never an outcome.
 */
export interface WireDialect {
  readonly name: string
  /** Between the last word of a store command and CRLF: `''` or `' '`. */
  readonly storeTail: Bytes
  /** The same for every command of delete_multi. */
  readonly deleteMultiTail: Bytes
  /** `flush_all` without a delay: `'flush_all '` or `'flush_all'`. */
  readonly flushAll: Bytes
  /** `stats` without an argument: `'stats '` or `'stats'`. */
  readonly stats: Bytes
}
