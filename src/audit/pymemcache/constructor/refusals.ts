/** Calls that raise because of an argument that the constructor of pymemcache accepted. Source: docs/reference/pymemcache.md#2.5. */
import { checkKey, type KeyRule } from '../../../pymemcache/keys.js'
import { LookupError, ValueError } from '../../../python/errors.js'
import { isAscii } from '../../../python/text.js'
import { typeName } from '../../../python/type-name.js'
import { fromTypedJson, type TypedJson } from '../../../values/index.js'
import { asBuiltin } from '../../methods/builtins.js'
import { truthy } from '../../methods/conversions.js'
import type { Bound } from '../../methods/python-signatures.js'

/** A HashClient looks for the server first, so that an error of the key comes before this one. */
export interface Refusal {
  readonly keyword: string
  readonly error: Error
  concerns(call: string, bound: Bound, rule: KeyRule): boolean
}

export const unsupportedKeepalive =
  "Unsupported keepalive options. If you see this message it means that you passed an unsupported object within the param `socket_keepalive`. To fix it please instantiate and pass to socket_keepalive a KeepaliveOpts object. That's the only supported type of structure."

const withoutConnection = new Set(['close', 'disconnect_all', 'check_key'])
const writeNumbers = new Set([
  'set', 'add', 'replace', 'append', 'prepend', 'cas', 'set_multi', 'incr', 'decr', 'touch', 'flush_all', 'cache_memlimit', '__setitem__',
]) // biome-ignore format: one list

/**
 * Whether a call comes to write its number: one of a wrong type and, with incr, decr and touch, a wrong key are errors
 * before that.
 */
function writesNumber(call: string, bound: Bound, rule: KeyRule): boolean {
  const counts = call === 'incr' || call === 'decr'
  const numbers = [bound.expire, bound.delay, counts ? bound.value : undefined].map(asBuiltin)
  const isNumber = (given: unknown) => given === undefined || /^(number|bigint|boolean)$/.test(typeof given)
  if (!writeNumbers.has(call) || !numbers.every(isNumber)) return false
  if (!counts && call !== 'touch') return true
  try {
    checkKey(asBuiltin(bound.key), rule)
    return true
  } catch {
    return false
  }
}

/** @param kwargs of the constructor, by pymemcache's names */
export function refusalsOf(kind: string, kwargs: Readonly<Record<string, TypedJson>>): readonly Refusal[] {
  const value = (name: string): unknown => fromTypedJson(kwargs[name] ?? null)
  const isPooled = kind === 'PooledClient' || (kind === 'HashClient' && truthy(value('use_pooling')))
  const found: Refusal[] = []
  // The trace has a KeepaliveOpts as a pickle. A client without a pool refuses other values when it is made.
  if (
    isPooled &&
    (value('socket_keepalive') === false || typeof (value('socket_keepalive') ?? {}) !== 'object')
  )
    found.push({
      keyword: 'socket_keepalive',
      error: new ValueError(unsupportedKeepalive),
      concerns: (call) => !withoutConnection.has(call),
    })
  // A pool does not pass it on.
  const encoding = isPooled || !('encoding' in kwargs) ? undefined : encodingError(value('encoding'))
  if (encoding) found.push({ keyword: 'encoding', error: encoding, concerns: writesNumber })
  return found
}

/** Codecs of Python whose names are not in one of these families are rare. */
const knownCodecs =
  /^(ascii|us-?ascii|646|u8|utf|utf-?(7|8|16|32)(-?(le|be|sig))?|latin-?1?|l1|cp\d+|windows-\d+|iso-?8859-?\d+|koi8-?\w+|mac-?\w+|big5\w*|gb\w+|euc-?\w+|shift-?jisx?\d*|sjis|iso-?2022-?\w+|idna|punycode|unicode-?escape|raw-?unicode-?escape|hex|base64)$/i

function encodingError(encoding: unknown): Error | undefined {
  if (typeof encoding !== 'string')
    return new TypeError(
      `encode() argument 'encoding' must be str, not ${typeName(encoding).replace('NoneType', 'None')}`,
    )
  return knownCodecs.test(encoding.replaceAll(/[_ ]/g, '-'))
    ? undefined
    : new LookupError(`unknown encoding: ${encoding}`)
}

/** The checks of a HashClient before it looks for the server of a key. @throws as checkKey, and TypeError for a prefix that is text */
export function checkPlacedKey(key: unknown, rule: KeyRule & { readonly isTextPrefix?: boolean }): void {
  if (rule.isTextPrefix) {
    if (typeof key !== 'string' || isAscii(key) || rule.allowUnicodeKeys)
      throw new TypeError('can only concatenate str (not "bytes") to str')
  }
  checkKey(key, rule)
}
