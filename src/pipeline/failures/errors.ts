/**
 * pylibmc's exception tree: every class with libmemcached's return code. Sources: docs/reference/pylibmc.md#6, #6.1.
 *
 * All derive directly from `MemcachedError` (pylibmc's `Error`, of which `MemcachedError` is the alias there). Codes without a
 * class of their own arrive as plain `MemcachedError`, as in pylibmc: `code` then still has the number.
 */
import { checkNumber, checkObject, checkText } from '../../ground/arguments.js'
import { brand } from '../../ground/brand.js'
import { type Operation, operations } from '../operations.js'
import { keyInMessage } from './key-in-message.js'

/** The fields of an error beyond its message. */
export interface ErrorFacts {
  readonly operation?: Operation | undefined
  /** The key in its form on the wire, one character per byte. */
  readonly key?: string | undefined
  /** `host:port`, `[v6]:port` or socket path. */
  readonly server?: string | undefined
  /** The reply line that led to the error, without CRLF. */
  readonly reply?: string | undefined
  /** libmemcached's explanation after the code and its function, without the server. */
  readonly detail?: string | undefined
  /** libmemcached's return code, also where the class has none. */
  readonly code?: number | undefined
  readonly cause?: unknown
}

/** Base of every exception of the strict client. */
export class MemcachedError extends Error {
  override readonly name: string = 'MemcachedError'
  /** The Python class this error stands for. */
  readonly python: string = 'pylibmc.Error'
  /** libmemcached's return code of the class; undefined for plain `MemcachedError`, as in pylibmc. */
  get retcode(): number | undefined {
    return undefined
  }
  /** libmemcached's return code of this occurrence, e.g. 31 for a timeout. */
  readonly code: number | undefined
  readonly operation: Operation | undefined
  readonly key: string | undefined
  readonly server: string | undefined
  readonly reply: string | undefined
  /** libmemcached's explanation after the code and its function, without the server. */
  readonly detail: string | undefined

  constructor(message = '', facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = facts.code ?? this.retcode
    this.operation = facts.operation
    this.key = facts.key
    this.server = facts.server
    this.reply = facts.reply
    this.detail = facts.detail
  }
}

function withCode<N extends string, R extends number>(name: N, retcode: R) {
  return class extends MemcachedError {
    /** libmemcached's return code. */
    static readonly retcode: R = retcode
    override readonly name: string = name
    override readonly python: string = `pylibmc.${name}`
    override get retcode(): R {
      return retcode
    }
  }
}

/** Raised by a custom `deserialize` to turn a hit into a miss. */
export class CacheMiss extends MemcachedError {
  override readonly name = 'CacheMiss'
  override readonly python = 'pylibmc.CacheMiss'
}
/** Nothing could be sent. */
export class Failure extends withCode('Failure', 1) {}
/** The server's name does not resolve. */
export class HostLookupError extends withCode('HostLookupError', 2) {}
/** Refused, reset, or closed by the server. */
export class ConnectionError extends withCode('ConnectionError', 3) {}
/** Exists in pylibmc; nothing raises it (docs/reference/pylibmc.md#6). */
export class ConnectionBindError extends withCode('ConnectionBindError', 4) {}
/** `touch` when the server cannot be reached. */
export class WriteError extends withCode('WriteError', 5) {}
/** Exists in pylibmc; nothing raises it (docs/reference/pylibmc.md#6). */
export class ReadError extends withCode('ReadError', 6) {}
/** A reply that cannot be understood; the connection was closed. */
export class UnknownReadFailure extends withCode('UnknownReadFailure', 7) {}
/** A reply line of 350 bytes or more to a store, cas, delete or touch. */
export class ProtocolError extends withCode('ProtocolError', 8) {}
/** The server answered `CLIENT_ERROR …`. */
export class ClientError extends withCode('ClientError', 9) {}
/** The server answered `SERVER_ERROR …`. */
export class ServerError extends withCode('ServerError', 10) {}
/** The server answered `ERROR`; libmemcached shares this code, hence the name. */
export class SocketCreateError extends withCode('SocketCreateError', 11) {}
/** The server answered EXISTS to delete, touch or a counter, against the protocol. */
export class DataExists extends withCode('DataExists', 12) {}
/** Exists in pylibmc; nothing raises it (docs/reference/pylibmc.md#6). */
export class DataDoesNotExist extends withCode('DataDoesNotExist', 13) {}
/** The key is missing: incr, decr, incrMulti, cas. */
export class NotFound extends withCode('NotFound', 16) {}
/** A CAS unique that libmemcached cannot print, or status 0x82 of the binary protocol. */
export class AllocationError extends withCode('AllocationError', 17) {}
/** flushAll or getStats failed on at least one server. */
export class SomeErrors extends withCode('SomeErrors', 19) {}
/** Exists in pylibmc; nothing raises it here (docs/reference/pylibmc.md#6). */
export class NoServers extends withCode('NoServers', 20) {}
/** The path of a Unix socket has 108 bytes or more. */
export class UnixSocketError extends withCode('UnixSocketError', 27) {}
/** Not possible over this transport or protocol, e.g. UDP. */
export class NotSupportedError extends withCode('NotSupportedError', 28) {}
/** Exists in pylibmc; nothing raises it (docs/reference/pylibmc.md#6). */
export class FetchNotFinished extends withCode('FetchNotFinished', 30) {}
/** The key cannot be sent. */
export class BadKeyProvided extends withCode('BadKeyProvided', 33) {}
/** In pylibmc credentials over UDP, which memshim refuses in the constructor. */
export class InvalidHostProtocolError extends withCode('InvalidHostProtocolError', 34) {}
/** The server reached its failure limit and was ejected. */
export class ServerDead extends withCode('ServerDead', 35) {}
/** Exists in pylibmc; nothing raises it (docs/reference/pylibmc.md#6). */
export class UnknownStatKey extends withCode('UnknownStatKey', 36) {}
/** The value is too large for the server. The message is empty, as in pylibmc. */
export class TooBig extends withCode('TooBig', 37) {}
/** The server failed a moment ago and waits for its retry. */
export class ServerDown extends withCode('ServerDown', 47) {}

const classes = [
  Failure,
  HostLookupError,
  ConnectionError,
  ConnectionBindError,
  WriteError,
  ReadError,
  UnknownReadFailure,
  ProtocolError,
  ClientError,
  ServerError,
  SocketCreateError,
  DataExists,
  DataDoesNotExist,
  NotFound,
  AllocationError,
  SomeErrors,
  NoServers,
  UnixSocketError,
  NotSupportedError,
  FetchNotFinished,
  BadKeyProvided,
  InvalidHostProtocolError,
  ServerDead,
  UnknownStatKey,
  TooBig,
  ServerDown,
]

brand(MemcachedError, 'strict.MemcachedError')
brand(CacheMiss, 'strict.CacheMiss')
for (const each of classes) brand(each, `strict.MemcachedError.${each.retcode}`)

/** Return code → class. Codes without an entry arrive as plain `MemcachedError`. */
export const errorClasses: ReadonlyMap<number, (typeof classes)[number]> = new Map(
  classes.map((errorClass) => [errorClass.retcode, errorClass]),
)

/** pylibmc takes 200 characters of libmemcached's message, which begins with an address such as `(0x55d0c8a3b2f0) `. */
const MESSAGE_TEXT_LENGTH = 200 - '(0x55d0c8a3b2f0) '.length

/**
 * The error for a return code, with pylibmc's message less the parts that vary (pointers and source positions):
 * `error 3 from memcached_get(k): CONNECTION FAILURE(Connection refused),  host: 127.0.0.1:11211`.
 *
 * @param text libmemcached's text, without the host; undefined when it recorded none
 * @throws TypeError for a code, an operation or facts of another type
 */
export function errorFor(
  code: number,
  operation: Operation,
  text: string | undefined,
  facts: ErrorFacts,
): MemcachedError {
  checkNumber('code', code)
  checkText('operation', operation)
  checkObject('facts', facts)
  const ErrorClass = errorClasses.get(code) ?? MemcachedError
  const all = { ...facts, operation, code, detail: text }
  const { name, namesKey, countsKeys } = operations[operation]
  if (countsKeys) return new ErrorClass(code === NotFound.retcode ? '1 keys not found' : '1 keys failed', all)
  if (code === TooBig.retcode) return new ErrorClass('', all)
  let message = `error ${code} from ${name}`
  if (facts.key && namesKey) message += `(${keyInMessage(facts.key).toString()})`
  if (text !== undefined) {
    const { server } = facts
    const place = server === undefined ? '' : `,  ${server.startsWith('/') ? 'socket' : 'host'}: ${server}`
    message += `: ${`${text}${place}`.slice(0, MESSAGE_TEXT_LENGTH)}`
  }
  return new ErrorClass(message, all)
}
