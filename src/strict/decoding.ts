/** What an item that cannot be read means in pylibmc. Source: spec/pylibmc §4.3, §4.5. */
import type { Item } from '../protocol/wire.js'
import { ValueDecodeError } from '../values/index.js'
import { MemcachedError } from './errors.js'
import type { Operation } from './slots.js'

/** pylibmc's own error for unknown flags and broken compression; everything else passes through. */
export function decodeFailure(error: unknown, item: Item, operation: Operation): unknown {
  if (!(error instanceof ValueDecodeError)) return error
  const facts = { key: item.key, operation, cause: error }
  if (error.reason === 'flags')
    return new MemcachedError(`unknown memcached key flags ${item.flags & 23}`, facts)
  if (error.reason === 'zlib') return new MemcachedError('Failed to decompress value: inflate', facts)
  return error
}
