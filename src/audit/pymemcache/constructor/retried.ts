/** The arguments of a RetryingClient as options of ours. Source: docs/reference/pymemcache.md#12. */
import type { RetryOptions } from '../../../pymemcache/index.js'
import { pythonClass, ValueError } from '../../../python/errors.js'
import { typeName } from '../../../python/type-name.js'
import { fromTypedJson, PyFloat, type TypedJson } from '../../../values/index.js'

type ErrorClass = NonNullable<RetryOptions['retryFor']>[number]

/** The base class of each exception that a client raises. */
const bases: Readonly<Record<string, string>> = {
  'pymemcache.exceptions.MemcacheClientError': 'pymemcache.exceptions.MemcacheError',
  'pymemcache.exceptions.MemcacheUnknownCommandError': 'pymemcache.exceptions.MemcacheClientError',
  'pymemcache.exceptions.MemcacheIllegalInputError': 'pymemcache.exceptions.MemcacheClientError',
  'pymemcache.exceptions.MemcacheServerError': 'pymemcache.exceptions.MemcacheError',
  'pymemcache.exceptions.MemcacheUnexpectedCloseError': 'pymemcache.exceptions.MemcacheServerError',
  'pymemcache.exceptions.MemcacheUnknownError': 'pymemcache.exceptions.MemcacheError',
  'builtins.ConnectionRefusedError': 'builtins.ConnectionError',
  'builtins.ConnectionResetError': 'builtins.ConnectionError',
  'builtins.BrokenPipeError': 'builtins.ConnectionError',
  'builtins.ConnectionError': 'builtins.OSError',
  'builtins.TimeoutError': 'builtins.OSError',
  'builtins.BlockingIOError': 'builtins.OSError',
  'builtins.FileNotFoundError': 'builtins.OSError',
  'builtins.PermissionError': 'builtins.OSError',
  'socket.gaierror': 'builtins.OSError',
  'builtins.UnicodeEncodeError': 'builtins.UnicodeError',
  'builtins.UnicodeDecodeError': 'builtins.UnicodeError',
  'builtins.UnicodeError': 'builtins.ValueError',
  'builtins.KeyError': 'builtins.LookupError',
  'builtins.IndexError': 'builtins.LookupError',
  'builtins.OverflowError': 'builtins.ArithmeticError',
}

/** Other names of a class before Python 3.10. */
const sameClass: Readonly<Record<string, string>> = {
  'socket.timeout': 'builtins.TimeoutError',
  'socket.error': 'builtins.OSError',
}

/** A class whose instances are the errors that stand for a Python class or a class that is derived from it. */
function errorClassNamed(given: string): ErrorClass {
  const wanted = sameClass[given] ?? given
  return class extends Error {
    static override [Symbol.hasInstance](error: unknown): boolean {
      if (wanted === 'builtins.Exception') return true
      for (let name = nameOfClass(error); name !== undefined; name = bases[name])
        if (name === wanted) return true
      return false
    }
  }
}

/** @param error an error, or the outcome of a call in its words */
function nameOfClass(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'class' in error
    ? String(error.class)
    : pythonClass(error)
}

/** The behaviour of a RetryingClient. */
export interface TracedRetry {
  readonly options: RetryOptions
  /** Every call raises it. */
  readonly each?: Error
  /** Python's `time.sleep` raises the error where these options would let a call be repeated. */
  readonly delayed?: { readonly options: RetryOptions; readonly error: Error }
}

/** @param kwargs of RetryingClient */
export function tracedRetry(kwargs: Readonly<Record<string, TypedJson>>): TracedRetry {
  const attempts = plain(kwargs.attempts ?? 2)
  const classes = (name: string): ErrorClass[] => {
    const given = kwargs[name] ?? []
    return (Array.isArray(given) ? given : [given]).map((one) => errorClassNamed(String(one)))
  }
  const options: RetryOptions = {
    attempts: Math.max(1, Math.floor(Number(attempts)) || 1),
    retryFor: classes('retry_for'),
    doNotRetryFor: classes('do_not_retry_for'),
  }
  if (typeof kwargs.attempts === 'object')
    return { options, each: new TypeError("'float' object cannot be interpreted as an integer") }
  const delay = wrongDelay(kwargs.retry_delay)
  return delay ? { options: { attempts: 1 }, delayed: { options, error: delay } } : { options }
}

/** The error that takes the place of an error that would be retried. @param error the exception of the first attempt */
export function errorOfDelay({ delayed }: TracedRetry, error: { readonly class: string }): Error | undefined {
  if (!delayed) return undefined
  const { attempts = 2, retryFor = [], doNotRetryFor = [] } = delayed.options
  const isRetried = retryFor?.length === 0 || retryFor?.some((one) => error instanceof one)
  return attempts > 1 && isRetried && !doNotRetryFor?.some((one) => error instanceof one)
    ? delayed.error
    : undefined
}

function wrongDelay(given: TypedJson | undefined): Error | undefined {
  if (given === undefined) return undefined
  const delay = plain(given)
  if (typeof delay === 'boolean' || (typeof delay === 'number' && delay >= 0)) return undefined
  return typeof delay === 'number'
    ? new ValueError('sleep length must be non-negative')
    : new TypeError(`'${typeName(delay)}' object cannot be interpreted as an integer`)
}

function plain(given: TypedJson): unknown {
  const value = fromTypedJson(given)
  return value instanceof PyFloat ? value.value : value
}
