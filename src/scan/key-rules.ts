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
      'python-memcached and pymemcache refuse it; pylibmc over the text protocol reads it as several words; only the binary protocol wrote it',
    breaks: (key) => /[\0-\x20\x7f]/.test(key),
  },
  {
    name: 'not ASCII',
    meaning: 'pymemcache refuses it without allow_unicode_keys, pylibmc with the behavior verify_keys',
    breaks: (key) => /[\x80-\xff]/.test(key),
  },
  { name: 'not UTF-8', meaning: 'no str of Python 3 reaches it: bytes are needed', breaks: isNotUtf8 },
  {
    name: 'over 240 bytes',
    meaning: 'with a prefix of more than the rest to 250 bytes every library refuses it',
    breaks: (key) => key.length > 240,
  },
]

function isNotUtf8(key: Bytes): boolean {
  if (!/[\x80-\xff]/.test(key)) return false
  const bytes = Buffer.from(key, 'latin1')
  return !Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)
}
