/**
 * The outcome of a text protocol reply for each operation. Source: docs/reference/pylibmc.md#7.1.
 *
 * Replies that a server never gives to a command (for example a number for `set`) abort the process in pylibmc or are taken for
 * success (fixtures/vectors/misplaced-replies.json); in memshim they are `UnknownReadFailure`, and misses of retrievals.
 */
import { HANDED_OVER, type LineReply, type LineStatus } from '../protocol/wire.js'
import { decodeText } from '../python/text.js'
import { type ErrorFacts, errorFor, type MemcachedError } from './failures/errors.js'
import { keyInMessage } from './failures/key-in-message.js'
import { type Operation, operations } from './operations.js'

/** libmemcached's return codes of replies. */
const codes: Record<Exclude<LineStatus, 'SERVER_ERROR'>, number> = {
  OK: 0,
  TOUCHED: 0,
  NUMBER: 0,
  RESET: 0,
  VERSION: 0,
  unknown: 7,
  REFUSED: 7,
  CLIENT_ERROR: 9,
  ERROR: 11,
  EXISTS: 12,
  NOT_STORED: 14,
  STORED: 15,
  NOT_FOUND: 16,
  END: 21,
  DELETED: 22,
  AUTH_ERROR: 41,
  OUT_OF_MEMORY: 17,
}
const OUT_OF_MEMORY = 48
const TOO_BIG = 37
const SERVER_ERROR = 10
const UNKNOWN = 7
const PROTOCOL_ERROR = 8
const MEMORY_ALLOCATION = 17
const AUTH_FAILURE = 41
/** libmemcached's buffer for a reply line is full then (bytes, without CRLF). */
const LONGEST_LINE = 348
const SUCCESSES: ReadonlySet<number> = new Set([codes.OK, codes.STORED, codes.END, codes.DELETED])

export function replyCode(reply: LineReply): number {
  if (reply.status === 'unknown' && reply.line.length >= LONGEST_LINE) return PROTOCOL_ERROR
  if (reply.status !== 'SERVER_ERROR') return codes[reply.status]
  const text = reply.line.slice('SERVER_ERROR '.length)
  if (/^out of memory/i.test(text)) return OUT_OF_MEMORY
  if (text.startsWith('object too large for cache')) return TOO_BIG
  return SERVER_ERROR
}

/** Any reply except those of success. */
export const isRefusal = (reply: LineReply): boolean => !SUCCESSES.has(replyCode(reply))

/** libmemcached's addition to the message of an error reply. */
function replyText(code: number, { line, status }: LineReply, operation: Operation): string | undefined {
  const said = operations[operation].unreadReply
  if (status === 'REFUSED') return `UNKNOWN READ FAILURE${said ? `, ${said}` : ''}`
  if (said && code === AUTH_FAILURE) return `AUTHENTICATION FAILURE, ${said}`
  if (said && code === MEMORY_ALLOCATION) return `MEMORY ALLOCATION FAILURE(Cannot allocate memory), ${said}`
  if (code === PROTOCOL_ERROR) {
    if (operation === 'flushAll') return 'PROTOCOL ERROR'
    return said && `PROTOCOL ERROR, ${said}`
  }
  if (code === 9) return said ?? line.slice('CLIENT_ERROR '.length)
  if (code === SERVER_ERROR) return `SERVER ERROR, ${said ?? line.slice('SERVER_ERROR '.length)}`
  if (code === UNKNOWN) return `UNKNOWN READ FAILURE, ${said ?? `${line.slice(0, 200)}\r\n`}`
  return undefined
}

/** The error that a reply stands for. */
export function replyError(
  reply: LineReply,
  operation: Operation,
  facts: ErrorFacts,
  code = replyCode(reply),
): MemcachedError {
  return errorFor(code || UNKNOWN, operation, replyText(code || UNKNOWN, reply, operation), {
    ...facts,
    reply: reply.line,
  })
}

/**
 * Outcome of a reply to a store command, cas, delete or touch.
 * @throws MemcachedError by the table; UnicodeDecodeError if pylibmc's message is only the key, and the shown part of it is not UTF-8
 */
export function softOutcome(reply: LineReply, operation: Operation, facts: ErrorFacts): boolean {
  const outcome = operations[operation].outcomes?.[replyCode(reply)]
  if (outcome !== undefined) return outcome
  const error = replyError(reply, operation, facts)
  // Without a text of libmemcached Python decodes the message strictly; with one it replaces bytes that are not UTF-8.
  if (replyText(error.code ?? UNKNOWN, reply, operation) === undefined && operations[operation].namesKey)
    decodeText(keyInMessage(facts.key ?? ''))
  throw error
}

/** New value of a counter, or the return code of the refusal. */
export function counterOutcome(reply: LineReply): { value: bigint } | { code: number } {
  if (reply.status === 'NUMBER') return { value: BigInt(reply.line.trim()) }
  // Counters read longer lines than the others.
  const code = replyCode(reply)
  return { code: code === 0 || code === PROTOCOL_ERROR ? UNKNOWN : code }
}

/** @throws MemcachedError unless the server flushed */
export function flushOutcome(reply: LineReply, facts: ErrorFacts): void {
  if (reply.status === 'OK' || reply.status === 'STORED' || reply.status === 'NUMBER') return
  throw replyError(reply, 'flushAll', facts)
}

const ERRORS: ReadonlySet<LineStatus> = new Set(['ERROR', 'CLIENT_ERROR', 'SERVER_ERROR'])

/**
 * Any other reply is invalid, or belongs to another command: the connection can no longer be trusted, although pylibmc
 * may continue (it reads on after a word that it knows).
 */
export function isExpected(reply: LineReply, operation: Operation): boolean {
  const { status } = reply
  return ERRORS.has(status) || operations[operation].replies.includes(status) || reply === HANDED_OVER
}
