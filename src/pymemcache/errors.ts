/** pymemcache's exceptions, and the socket errors of Python that it raises. Source: docs/reference/pymemcache.md#8, #9. */
import { brand } from '../ground/brand.js'

/** Base of pymemcache's own exceptions; raised itself when a HashClient has no server left. */
export class MemcacheError extends Error {
  constructor(message = '', options?: ErrorOptions) {
    super(message, options)
  }
  override readonly name: string = 'MemcacheError'
  /** The Python class this error stands for. */
  readonly python: string = 'pymemcache.exceptions.MemcacheError'
}

/** The server answered `CLIENT_ERROR …`, or one of the two classes below. */
export class MemcacheClientError extends MemcacheError {
  override readonly name: string = 'MemcacheClientError'
  override readonly python: string = 'pymemcache.exceptions.MemcacheClientError'
}

/** The server answered `ERROR`. The message is the command. */
export class MemcacheUnknownCommandError extends MemcacheClientError {
  override readonly name = 'MemcacheUnknownCommandError'
  override readonly python = 'pymemcache.exceptions.MemcacheUnknownCommandError'
}

/** An argument that is not sent. */
export class MemcacheIllegalInputError extends MemcacheClientError {
  override readonly name = 'MemcacheIllegalInputError'
  override readonly python = 'pymemcache.exceptions.MemcacheIllegalInputError'
  constructor(
    message: string,
    /** The refused argument; `number` is a time, a delay or a delta. */
    readonly input: 'key' | 'value' | 'cas' | 'number',
  ) {
    super(message)
  }
}

/** The server answered `SERVER_ERROR …`, or the class below. */
export class MemcacheServerError extends MemcacheError {
  override readonly name: string = 'MemcacheServerError'
  override readonly python: string = 'pymemcache.exceptions.MemcacheServerError'
  constructor(
    message = '',
    options?: ErrorOptions,
    /** `size` if the server refused an item because it is too large. */
    readonly refused?: 'size' | undefined,
  ) {
    super(message, options)
  }
}

/** A reply that the command does not have. The message is its first 32 bytes. */
export class MemcacheUnknownError extends MemcacheError {
  override readonly name = 'MemcacheUnknownError'
  override readonly python = 'pymemcache.exceptions.MemcacheUnknownError'
}

/** The server closed the connection before the reply was complete. */
export class MemcacheUnexpectedCloseError extends MemcacheServerError {
  override readonly name = 'MemcacheUnexpectedCloseError'
  override readonly python = 'pymemcache.exceptions.MemcacheUnexpectedCloseError'
}

/** Python's socket errors (`OSError` and its subclasses): refused, reset, timed out, not resolved. A HashClient counts them. */
export class SocketError extends Error {
  override readonly name: string
  constructor(
    /** `builtins.ConnectionRefusedError`, `builtins.TimeoutError`, `socket.gaierror`, … */
    readonly python: string,
    message: string,
    options: {
      readonly cause?: unknown
      /** errno name, such as `ECONNREFUSED`. */
      readonly code?: string | undefined
      /** `host:port` or socket path. */
      readonly server?: string | undefined
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = python.slice(python.lastIndexOf('.') + 1)
    this.code = options.code
    this.server = options.server
  }
  readonly code: string | undefined
  readonly server: string | undefined
}

brand(MemcacheError, 'pymemcache.MemcacheError')
brand(MemcacheClientError, 'pymemcache.MemcacheClientError')
brand(MemcacheUnknownCommandError, 'pymemcache.MemcacheUnknownCommandError')
brand(MemcacheIllegalInputError, 'pymemcache.MemcacheIllegalInputError')
brand(MemcacheServerError, 'pymemcache.MemcacheServerError')
brand(MemcacheUnknownError, 'pymemcache.MemcacheUnknownError')
brand(MemcacheUnexpectedCloseError, 'pymemcache.MemcacheUnexpectedCloseError')
brand(SocketError, 'pymemcache.SocketError')
