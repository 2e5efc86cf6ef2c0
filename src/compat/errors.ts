/** python-memcached's exceptions: only faults of keys have their own classes. Source: docs/reference/python-memcached.md#2, #8.1. */
import { brandAll } from '../ground/brand.js'

/** Base of the key errors (`memcache.Client.MemcachedKeyError`). */
export class MemcachedKeyError extends Error {
  override readonly name: string = 'MemcachedKeyError'
  readonly python: string = 'memcache.MemcachedKeyError'
  constructor(
    message: string,
    /** The key as given. */
    readonly key: unknown,
  ) {
    super(message)
  }
}

/** A key over the limit, 250 bytes by default (docs/reference/python-memcached.md#8). */
export class MemcachedKeyLengthError extends MemcachedKeyError {
  override readonly name = 'MemcachedKeyLengthError'
  override readonly python = 'memcache.MemcachedKeyLengthError'
}

/** A key with a blank or control character (docs/reference/python-memcached.md#8). */
export class MemcachedKeyCharacterError extends MemcachedKeyError {
  override readonly name = 'MemcachedKeyCharacterError'
  override readonly python = 'memcache.MemcachedKeyCharacterError'
}

/** None as a key (docs/reference/python-memcached.md#8). */
export class MemcachedKeyNoneError extends MemcachedKeyError {
  override readonly name = 'MemcachedKeyNoneError'
  override readonly python = 'memcache.MemcachedKeyNoneError'
}

/** A key that is not text (docs/reference/python-memcached.md#8). */
export class MemcachedKeyTypeError extends MemcachedKeyError {
  override readonly name = 'MemcachedKeyTypeError'
  override readonly python = 'memcache.MemcachedKeyTypeError'
}

/** One of Python's socket errors, which flush_all and get_stats of python-memcached raise. */
export class PythonSocketError extends Error {
  override readonly name: string
  constructor(
    readonly python: 'builtins.TimeoutError' | 'builtins.ConnectionResetError' | 'socket.error',
    message: string,
    cause: unknown,
  ) {
    super(message, { cause })
    this.name = python.replace('builtins.', '')
  }
}

/** The exception of python-memcached up to 1.53 for unknown flags. */
export class UnboundLocalError extends ReferenceError {
  override readonly name = 'UnboundLocalError'
  readonly python = 'builtins.UnboundLocalError'
}

/** Nothing was sent because the encoded value is over the client's own limit. Used only inside the client. */
export class ValueTooLong extends Error {}

brandAll('compat', {
  MemcachedKeyError,
  MemcachedKeyLengthError,
  MemcachedKeyCharacterError,
  MemcachedKeyNoneError,
  MemcachedKeyTypeError,
  PythonSocketError,
  UnboundLocalError,
})
