/** The small differences between the libraries' command lines. Sources: docs/reference/pylibmc.md#11.1, docs/reference/python-memcached.md#16.1, #17. */
import type { WireDialect } from './wire.js'

export const pylibmcDialect: WireDialect = {
  name: 'pylibmc',
  storeTail: '',
  deleteMultiTail: '',
  flushAll: 'flush_all ',
  stats: 'stats ',
}

/** python-memcached 1.58 and later. */
export const pythonMemcachedDialect: WireDialect = {
  name: 'python-memcached',
  storeTail: ' ',
  deleteMultiTail: ' ',
  flushAll: 'flush_all',
  stats: 'stats',
}
