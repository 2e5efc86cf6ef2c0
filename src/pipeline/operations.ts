/**
 * The differences between operations: one row each, complete by its type. Sources: docs/reference/pylibmc.md#3, #5, #6.1, #7.1;
 * fixtures/recordings of pylibmc 1.6.3.
 */
import type { LineStatus } from '../protocol/wire.js'

/** Names of operations as they appear in errors, events and traces: the camelCase method names. */
export type Operation =
  | 'get'
  | 'gets'
  | 'getMulti'
  | 'set'
  | 'add'
  | 'replace'
  | 'append'
  | 'prepend'
  | 'cas'
  | 'setMulti'
  | 'addMulti'
  | 'incr'
  | 'decr'
  | 'incrMulti'
  | 'delete'
  | 'deleteMulti'
  | 'touch'
  | 'flushAll'
  | 'getStats'
  | 'hash'

/** The facts of one operation. */
interface OperationFacts {
  /** The name in messages: libmemcached's function, or pylibmc's method. */
  readonly name: string
  /** Messages name the key. */
  readonly namesKey?: true
  /** Messages have only the number of keys that failed. */
  readonly countsKeys?: true
  /** Status words of its replies, besides the three of errors. */
  readonly replies: readonly LineStatus[]
  /** The only reply that python-memcached takes for success (docs/reference/python-memcached.md#10). */
  readonly success?: LineStatus
  /** It takes many keys. */
  readonly many?: true
  /** It sends a request to every server. */
  readonly asksEvery?: true
  /** Return codes that are not errors, and the result of the operation for them. */
  readonly outcomes?: Readonly<Record<number, boolean>>
  /** Its reply has items, and a key that cannot be sent is a miss. */
  readonly retrieves?: true
  /** libmemcached sends it by memcached_mget. */
  readonly byMget?: true
  /** The type that a key must have: exactly Python's bytes, or any bytes-like object. */
  readonly keyType: 'bytes' | 'bytes-like'
  /** With `verify_keys` a bad key fails as if it had been refused. */
  readonly softKeys?: true
  /** A key that is too long with its prefix is refused by libmemcached, and not by pylibmc. */
  readonly longKeys?: 'BadKeyProvided'
  /** memcached's reply to a key with a blank. */
  readonly refusal?: string
  /** It has one error for every server that it cannot use, and this is its text (docs/reference/pylibmc.md#10). */
  readonly unsent?: string
  /** Its time has 64 bits; others have 32. */
  readonly longTimes?: true
  /** libmemcached's text for every unexpected reply, instead of details. */
  readonly unreadReply?: string
  /** It distinguishes an incomplete reply from an invalid one. */
  readonly readsOn?: true
}

const stored = { 15: true, 14: false, 12: false, 17: false }
const removed = { 22: true, 0: true, 16: false }
const toStore = ['STORED', 'NOT_STORED', 'EXISTS', 'NOT_FOUND'] as const
const badLine = 'bad command line format'
const TOUCH_FAILED = 'Error occcured while reading response'

const retrieval = { replies: ['END'], retrieves: true, keyType: 'bytes' } as const
const storage = { replies: toStore, outcomes: stored, softKeys: true, refusal: badLine } as const
const counter = { replies: ['NUMBER', 'NOT_FOUND'], countsKeys: true, refusal: badLine } as const
const removal = {
  success: 'DELETED',
  name: 'memcached_delete',
  namesKey: true,
  replies: ['DELETED', 'NOT_FOUND'],
  outcomes: removed,
  softKeys: true,
  refusal: `${badLine}.  Usage: delete <key> [noreply]`,
} as const

/** The table of operations. */
export const operations: Readonly<Record<Operation, OperationFacts>> = {
  get: { ...retrieval, name: 'memcached_get', namesKey: true },
  gets: { ...retrieval, name: 'memcached_gets', byMget: true },
  getMulti: { ...retrieval, many: true, name: 'memcached_mget', byMget: true, longKeys: 'BadKeyProvided' },
  set: { ...storage, name: 'memcached_set', keyType: 'bytes-like' },
  add: { ...storage, name: 'memcached_add', keyType: 'bytes-like' },
  replace: { ...storage, name: 'memcached_replace', keyType: 'bytes-like' },
  append: { ...storage, name: 'memcached_append', keyType: 'bytes-like' },
  prepend: { ...storage, name: 'memcached_prepend', keyType: 'bytes-like' },
  cas: {
    name: 'memcached_cas',
    namesKey: true,
    replies: toStore,
    outcomes: { 15: true, 12: false },
    keyType: 'bytes-like',
    refusal: badLine,
  },
  setMulti: { ...storage, many: true, name: 'memcached_set_multi', keyType: 'bytes' },
  addMulti: { ...storage, many: true, name: 'memcached_add_multi', keyType: 'bytes' },
  incr: { ...counter, name: 'memcached_incr', keyType: 'bytes-like' },
  decr: { ...counter, name: 'memcached_decr', keyType: 'bytes-like' },
  incrMulti: {
    ...counter,
    many: true,
    name: 'memcached_incrMulti',
    keyType: 'bytes',
    longKeys: 'BadKeyProvided',
  },
  delete: { ...removal, keyType: 'bytes-like' },
  // pylibmc's delete_multi is a loop over its delete.
  deleteMulti: { ...removal, many: true, keyType: 'bytes' },
  touch: {
    name: 'memcached_touch',
    success: 'TOUCHED',
    namesKey: true,
    replies: ['TOUCHED', 'NOT_FOUND'],
    outcomes: { 0: true, 15: true, 16: false },
    keyType: 'bytes-like',
    softKeys: true,
    refusal: TOUCH_FAILED,
    unreadReply: TOUCH_FAILED,
    unsent: 'WRITE FAILURE, Error occcured while writing touch command to server',
    longTimes: true,
  },
  flushAll: { asksEvery: true, name: 'flush_all', replies: ['OK'], keyType: 'bytes-like' },
  getStats: {
    asksEvery: true,
    name: 'get_stats',
    replies: ['END', 'RESET', 'OK'],
    keyType: 'bytes-like',
    readsOn: true,
  },
  hash: { name: 'memcached_hash', replies: [], keyType: 'bytes-like' },
}
