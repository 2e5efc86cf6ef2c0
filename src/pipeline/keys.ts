/**
 * pylibmc's key rule. Source: docs/reference/pylibmc.md#3.
 *
 * pylibmc sends keys unchecked over the text protocol unless `verify_keys` is on. A key with a blank is then two words of the command:
 * a retrieval misses it, and the server refuses every other command. memshim has the same outcomes, but sends nothing, because pylibmc's
 * connection is one reply behind afterwards. In pylibmc a line break or another control character in a key runs as a command, or makes the reply
 * unreadable: memshim throws `BadKeyProvided` for these keys. With `verify_keys` the library's own outcomes apply.
 */
import type { Bytes } from '../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../ground/limits.js'
import { UnicodeEncodeError, ValueError } from '../python/errors.js'
import { typeName } from '../python/type-name.js'
import { BadKeyProvided, ClientError, errorFor, MemcachedError } from './failures/errors.js'
import { type Operation, operations } from './operations.js'

/** Keys that every rule accepts and that need no conversion, which are nearly all keys. */
export const PLAIN_KEY = /^[\x21-\x7e]{1,250}$/

const ASCII = /^[\x00-\x7f]*$/
/** A byte that separates words of a command. */
const BLANK = / /
/** Bytes that break a command line of the text protocol, and control characters, which libmemcached cannot read back. */
const BREAKING = /[\x00-\x1f]/
/** The characters that `verify_keys` accepts. */
const GRAPHIC = /^[\x21-\x7e]*$/
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * Text (as UTF-8) or bytes → one character per byte.
 * @throws TypeError for any other type; UnicodeEncodeError for lone surrogates
 */
export function keyBytes(key: unknown, operation: Operation): Bytes {
  if (typeof key === 'string') {
    if (ASCII.test(key)) return key
    if (LONE_SURROGATE.test(key)) {
      throw new UnicodeEncodeError(
        `key ${JSON.stringify(key)} has a lone surrogate, which UTF-8 cannot encode`,
      )
    }
    return Buffer.from(key).toString('latin1')
  }
  if (key instanceof Uint8Array)
    return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
  throw new TypeError(
    operations[operation].keyType === 'bytes'
      ? 'key must be bytes'
      : `a bytes-like object is required, not '${typeName(key)}'`,
  )
}

/** The allowed characters: all except those that break a line, only graphic ASCII (`verify_keys`), or any (the binary protocol). */
export type KeyRule = 'unbroken' | 'graphic' | 'any'

/**
 * The key in its form on the wire, prefix included; `''` if the operation returns false or a miss: an empty key, a bad character under
 * `verify_keys`, or a blank in a retrieval.
 * @param serverOf names the server of a key, for messages
 * @throws TypeError, UnicodeEncodeError, ValueError (over 250 bytes), BadKeyProvided, ClientError (a blank)
 */
export function pylibmcKey(
  key: unknown,
  operation: Operation,
  prefix: Bytes,
  rule: KeyRule,
  serverOf?: (key: Bytes) => string,
): Bytes {
  if (prefix === '' && typeof key === 'string' && PLAIN_KEY.test(key)) return key
  const own = keyBytes(key, operation)
  // hash sends nothing, and pylibmc has no further checks for it.
  if (operation === 'hash') return own
  if (own.length > MAX_KEY_LENGTH) throw tooLong(own)
  const full = prefix + own
  if (full.length > MAX_KEY_LENGTH) {
    if (operations[operation].longKeys === 'BadKeyProvided')
      throw badKey(full, operation, 'Key provided was too long.')
    throw tooLong(full)
  }
  if (rule === 'any') return full
  if (rule === 'graphic' && !GRAPHIC.test(full)) {
    if (operations[operation].softKeys) return ''
    throw badKey(full, operation, 'Key provided had invalid character.')
  }
  if (BREAKING.test(full))
    throw badKey(full, operation, `the key ${JSON.stringify(full.slice(0, 80))} has a control character`)
  if (!BLANK.test(full)) return full
  const { retrieves, refusal } = operations[operation]
  if (retrieves) return ''
  throw errorFor(ClientError.retcode, operation, refusal, {
    key: full,
    server: serverOf?.(full),
  })
}

/**
 * Whether a key was refused for its length or characters, and not for its type: pylibmc checks the types of all arguments before a
 * key's length and characters.
 */
export function refusesKey(error: unknown): boolean {
  return (
    error instanceof MemcachedError || (error instanceof ValueError && !(error instanceof UnicodeEncodeError))
  )
}

/** A ValueError of Python that names the refused argument for the audit. */
class KeyTooLong extends ValueError {
  readonly refused = 'key'
}

function tooLong(key: Bytes): ValueError {
  return new KeyTooLong(`key length ${key.length} too long, max is ${MAX_KEY_LENGTH}`)
}

/** @param what a sentence about the fault */
export function badKey(key: Bytes, operation: Operation, what?: string): MemcachedError {
  const text = `A BAD KEY WAS PROVIDED/CHARACTERS OUT OF RANGE${what === undefined ? '' : `, ${what}`}`
  return errorFor(BadKeyProvided.retcode, operation, text, { key })
}

/**
 * A prefix of a multi operation. @throws TypeError, also for null; ValueError over 250 bytes if pylibmc checks it before the keys:
 * elsewhere too long a prefix makes every key too long
 */
export function prefixBytes(prefix: unknown, operation: Operation): Bytes {
  if (prefix === undefined) return ''
  const bytes = keyBytes(prefix, operation)
  if (bytes.length > MAX_KEY_LENGTH && (operation === 'setMulti' || operation === 'addMulti'))
    throw tooLong(bytes)
  return bytes
}
