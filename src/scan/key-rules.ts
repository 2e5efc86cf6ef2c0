/** Keys that break a library's rules. Source: docs/reference/pylibmc.md#3, docs/reference/python-memcached.md#8.1, pymemcache's check_key. */
import type { Bytes } from '../ground/bytes.js'

export interface KeyRule {
  readonly name: string
  readonly meaning: string
  readonly breaks: (key: Bytes) => boolean
}

export const keyRules: readonly KeyRule[] = [
  {
    name: 'blank or control character',
    meaning:
      'python-memcached and pymemcache refuse it; with pylibmc over the text protocol the server reads it as several words; it was written over the binary protocol',
    breaks: (key) => /[\0-\x20\x7f]/.test(key),
  },
  {
    name: 'not ASCII',
    meaning: 'pymemcache refuses it without allow_unicode_keys, pylibmc with the behavior verify_keys',
    breaks: (key) => /[\x80-\xff]/.test(key),
  },
  { name: 'not UTF-8', meaning: 'not accessible by a str of Python 3: use bytes', breaks: isNotUtf8 },
  {
    name: 'over 240 bytes',
    meaning: 'every library refuses it if a prefix makes it longer than 250 bytes',
    breaks: (key) => key.length > 240,
  },
]

function isNotUtf8(key: Bytes): boolean {
  if (!/[\x80-\xff]/.test(key)) return false
  const bytes = Buffer.from(key, 'latin1')
  return !Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)
}
