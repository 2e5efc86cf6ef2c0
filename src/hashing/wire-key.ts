/** Keys of users as bytes. */
import { shown } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import { UnicodeEncodeError } from '../python/errors.js'

/**
 * A key in its form on the wire, one character per byte, for `place` and `hash` (text as UTF-8; docs/reference/pylibmc.md#3.1).
 * @throws UnicodeEncodeError for text with a lone surrogate, which has no UTF-8; TypeError for a value that is neither text nor bytes
 */
export function wireKey(key: string | Uint8Array): Bytes {
  if (typeof key === 'string') {
    if (/\p{Surrogate}/u.test(key))
      throw new UnicodeEncodeError(`key ${shown(key)} holds a lone surrogate, which has no UTF-8`)
    return Buffer.from(key).toString('latin1')
  }
  if (!(key instanceof Uint8Array)) throw new TypeError(`key is ${shown(key)}, neither text nor bytes`)
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
