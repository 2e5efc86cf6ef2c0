/** Facts about a call of pymemcache whose arguments have been bound: its keys, whether it waits for a reply, and the server's refusal of it. */
import { checkKey, type KeyRule } from '../../pymemcache/keys.js'
import { PyIterator, PythonObject } from '../../values/index.js'
import type { Outcome } from '../compare/outcome.js'
import { asBuiltin, withBuiltinItems } from '../methods/builtins.js'
import { itemsOf, truthy } from '../methods/conversions.js'
import type { Bound, PythonCall } from '../methods/python-signatures.js'
import { keyBytes, touchedKeys } from '../methods/touched-keys.js'
import { isEmptyKey } from './calls.js'
import type { TargetSettings } from './options.js'

export const unknownCommand: Outcome = {
  raises: { class: 'pymemcache.exceptions.MemcacheUnknownCommandError', message: 'ERROR' },
}
export const unknownReply: Outcome = {
  raises: { class: 'pymemcache.exceptions.MemcacheUnknownError', message: 'NOT_FOUND' },
}
const badCommandLine: Outcome = {
  raises: { class: 'pymemcache.exceptions.MemcacheClientError', message: 'bad command line format' },
}
/** Calls that always wait for a reply. */
export const alwaysWaits = new Set(['get', 'gets', 'get_multi', 'get_many'])
/** Calls that wait for a reply unless they set noreply. */
const waitsByDefault = new Set(['incr', 'decr', 'cas'])

/** The keys of a call over many; undefined if its argument does not have any. */
export function placedKeys({ keys, values }: Bound): readonly unknown[] | undefined {
  if (keys !== undefined) return itemsOf(withBuiltinItems(keys))
  const mapping = withBuiltinItems(values)
  return mapping instanceof Map ? [...mapping.keys()] : undefined
}

export function waitsForAnswer(settings: TargetSettings, call: string, { noreply }: Bound): boolean {
  if (alwaysWaits.has(call) || call === 'check_key' || call === 'disconnect_all') return alwaysWaits.has(call)
  if (noreply !== undefined && noreply !== null) return !truthy(asBuiltin(noreply))
  return waitsByDefault.has(call) || !settings.noreply
}

/** The answer to commands that pymemcache sends and every server refuses; our client does not send them. Source: docs/reference/pymemcache.md#4, #5. */
export function refusalOf(rule: KeyRule, hashed: boolean, call: string, bound: Bound): Outcome | undefined {
  const key = asBuiltin(bound.key)
  if (!hashed && call === 'get_multi' && bound.keys instanceof PyIterator && bound.keys.items.length === 0)
    return unknownCommand
  if ('key' in bound && isEmptyKey(key, rule) && call !== 'check_key') return unknownCommand
  if (!isSent(bound, rule)) return undefined
  const flags = asBuiltin(bound.flags)
  if (
    flags === undefined ||
    flags === null ||
    typeof flags === 'number' ||
    typeof flags === 'bigint' ||
    (typeof flags === 'string' && /^\d{1,15}$/.test(flags))
  )
    return undefined
  // The text of the object has blanks, so that the line has too many words.
  return flags instanceof PythonObject ? unknownCommand : badCommandLine
}

/** `get_many` and `get_multi` are the same method. */
export function withUsualName(call: PythonCall): PythonCall {
  const name = usualNames[call.call]
  return name === undefined ? call : { ...call, call: name }
}

const usualNames: Readonly<Record<string, string>> = {
  get_many: 'get_multi',
  set_many: 'set_multi',
  delete_many: 'delete_multi',
  gets_multi: 'gets_many',
}

/** The server ignores an empty key among others in a get, and answers another command with an error. */
export function withoutEmptyKeys(call: string, bound: Bound, rule: KeyRule): Bound {
  const isEmpty = (key: unknown) => isEmptyKey(key, rule)
  if (call === 'set_multi' && bound.values instanceof Map && [...bound.values.keys()].some(isEmpty))
    return { ...bound, values: new Map([...bound.values].filter(([key]) => !isEmpty(key))) }
  const { keys } = bound
  if (!Array.isArray(keys) || !keys.some(isEmpty) || keys.every(isEmpty)) return bound
  return { ...bound, keys: keys.filter((key) => !isEmpty(key)) }
}

/** The server's answer to a command with an empty key or flags that are not a number, which it sends in spite of noreply. */
export function unreadAfter(call: string, refusal: Outcome): Outcome | undefined {
  if (refusal === badCommandLine) return unknownCommand
  if (call === 'touch') return undefined
  return call === 'delete' ? unknownReply : unknownCommand
}

/** pymemcache checks key and time before the flags are written. */
function isSent({ key, expire }: Bound, rule: KeyRule): boolean {
  const time = asBuiltin(expire)
  if (time !== undefined && typeof time !== 'number' && typeof time !== 'bigint' && typeof time !== 'boolean')
    return false
  try {
    if (key !== undefined) checkKey(asBuiltin(key), rule)
    return true
  } catch {
    return false
  }
}

export function touched(bound: Bound): readonly string[] {
  try {
    return 'key' in bound ? [keyBytes(withBuiltinItems(bound.key))] : touchedKeys(bound)
  } catch {
    return []
  }
}

export function isArgumentError(outcome: Outcome): boolean {
  return 'raises' in outcome && /IllegalInput|^builtins\.(Type|Attribute)Error/.test(outcome.raises.class)
}

/** check_key goes by the client's own rule; up to 3.5 and in a pool it has no argument for the prefix (docs/reference/pymemcache.md#4). */
export function withOwnRule(call: string, bound: Bound, { keyPrefix, allowUnicodeKeys }: KeyRule): Bound {
  if (call !== 'check_key') return bound
  return { key_prefix: Buffer.from(keyPrefix, 'latin1'), allow_unicode_keys: allowUnicodeKeys, ...bound }
}
