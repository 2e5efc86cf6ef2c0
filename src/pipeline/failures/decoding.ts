/** pylibmc's outcome for an item that cannot be read. Source: docs/reference/pylibmc.md#4.3, #4.5. */
import type { Item } from '../../protocol/wire.js'
import { ValueDecodeError } from '../../values/index.js'
import { FLAG_INTEGER, FLAG_LONG, FLAG_PICKLE, FLAG_TEXT, FLAG_ZLIB } from '../../values/types.js'
import { type Operation, operations } from '../operations.js'
import { MemcachedError } from './errors.js'

const TYPE_BITS = FLAG_PICKLE | FLAG_INTEGER | FLAG_LONG | FLAG_TEXT

/** The largest flags of pylibmc. */
export const MAX_FLAGS = 2 ** 32 - 1

/** memcached can be built with client flags of 64 bits. pylibmc truncates them, and reads another type; memshim refuses the item. */
export function tooLargeFlags(
  { key, flags }: Pick<Item, 'key' | 'flags'>,
  operation: Operation,
): MemcachedError {
  return new MemcachedError(`memcached key flags ${flags} have more than 32 bits`, { key, operation })
}

/** pylibmc's own error for unknown flags and broken compression; everything else passes through. */
export function decodeFailure(
  error: unknown,
  item: Pick<Item, 'key' | 'flags' | 'data'>,
  operation: Operation,
  binary = false,
): unknown {
  // get, and the methods that call it, read None if the item has no bytes; in the binary protocol gets and getMulti do, too.
  const none = operation === 'get' || (binary && operations[operation].retrieves)
  // Inflating comes first, and has its own error for no bytes.
  const read = item.flags & (TYPE_BITS | FLAG_ZLIB)
  if (none && read === FLAG_PICKLE && item.data.length === 0)
    return new TypeError("a bytes-like object is required, not 'NoneType'", { cause: error })
  if (!(error instanceof ValueDecodeError)) return error
  const facts = { key: item.key, operation, cause: error }
  if (error.reason === 'flags')
    return new MemcachedError(`unknown memcached key flags ${item.flags & TYPE_BITS}`, facts)
  if (error.reason === 'zlib') return new MemcachedError('Failed to decompress value: inflate', facts)
  return error
}
