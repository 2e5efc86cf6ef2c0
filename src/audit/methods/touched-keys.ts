/** The keys that a call touches, in their form on the wire, which connect operations with each other. */
import type { Bytes } from '../../ground/bytes.js'
import { PyByteArray, PyTuple } from '../../values/index.js'
import { asBuiltin, withBuiltinItems } from './builtins.js'
import { itemsOf } from './conversions.js'
import type { Bound } from './python-signatures.js'

/** Keys of a bound call of either library, prefix included, without repetition. */
export function touchedKeys(given: Bound): readonly Bytes[] {
  if (typeof given.key === 'string') return [keyBytes(given.key)]
  if ('key' in given) return [keyBytes(withBuiltinItems(given.key))]
  const many = withBuiltinItems('keys' in given ? given.keys : (given.mapping ?? given.values))
  if (many === undefined || many === null) return []
  const prefix = given.key_prefix === undefined ? '' : keyBytes(withBuiltinItems(given.key_prefix))
  return [...new Set(keysIn(many).map((key) => prefix + keyBytes(key)))]
}

function keysIn(many: unknown): readonly unknown[] {
  const items = itemsOf(many)
  if (items) return items.map(asBuiltin)
  return typeof many === 'object' ? Object.keys(many as object) : []
}

/** One key: text as UTF-8, a tuple's second item, another value as its `str()`. */
export function keyBytes(key: unknown): Bytes {
  if (typeof key === 'string')
    return /^[\x00-\x7f]*$/.test(key) ? key : Buffer.from(key, 'utf8').toString('latin1')
  if (key instanceof Uint8Array) return Buffer.from(key).toString('latin1')
  if (key instanceof PyByteArray) return key.bytes.toString('latin1')
  if (key instanceof PyTuple && key.items.length === 2) return keyBytes(key.items[1])
  if (key === true || key === false) return key ? 'True' : 'False'
  return String(key)
}
