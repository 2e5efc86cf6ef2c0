/** Which keys a call touches, as they are on the wire: what connects one operation with another. */
import type { Bytes } from '../ground/bytes.js'
import { PyTuple } from '../values/index.js'
import type { Bound } from './python-signatures.js'

/** Keys of a bound call of either library, prefix included, without repetition. */
export function touchedKeys(bound: Bound): readonly Bytes[] {
  if ('key' in bound) return [keyBytes(bound.key)]
  const many = 'keys' in bound ? bound.keys : bound.mapping
  if (many === undefined || many === null) return []
  const prefix = bound.key_prefix === undefined ? '' : keyBytes(bound.key_prefix)
  return [...new Set(keysIn(many).map((key) => prefix + keyBytes(key)))]
}

function keysIn(many: unknown): readonly unknown[] {
  if (many instanceof Map) return [...many.keys()]
  if (many instanceof PyTuple) return [...many.items]
  if (many instanceof Set || Array.isArray(many) || typeof many === 'string') return [...many]
  return typeof many === 'object' ? Object.keys(many as object) : []
}

/** One key: text as UTF-8, a tuple's second item, anything else as `str()` would print it. */
export function keyBytes(key: unknown): Bytes {
  if (typeof key === 'string') return Buffer.from(key, 'utf8').toString('latin1')
  if (key instanceof Uint8Array) return Buffer.from(key).toString('latin1')
  if (key instanceof PyTuple && key.items.length === 2) return keyBytes(key.items[1])
  if (key === true || key === false) return key ? 'True' : 'False'
  return String(key)
}
