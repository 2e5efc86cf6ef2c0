/** Keys and times of Django's memcached backends. Source: fixtures/vectors/frameworks.json (Django 4.0). */
import { checkNumber, checkObject, checkText } from '../ground/arguments.js'
import { ValueError } from '../python/errors.js'

/** Django's exception for keys that memcached would refuse. */
export class InvalidCacheKey extends ValueError {
  override readonly name = 'InvalidCacheKey'
  override readonly python = 'django.core.cache.backends.base.InvalidCacheKey'
}

/** Django's CACHES entry, as far as it makes keys and times. */
export interface DjangoCacheSettings {
  /** `KEY_PREFIX`. Default none. */
  readonly keyPrefix?: string
  /** `VERSION`. Default 1. */
  readonly version?: number
}

const LONGEST_KEY = 250
/** Longer times are dates to memcached. */
const LONGEST_RELATIVE = 30 * 86_400

/**
 * The key as MemcachedCache, PyLibMCCache and PyMemcacheCache send it: `KEY_PREFIX:VERSION:key`.
 * @throws TypeError for other types; InvalidCacheKey over 250 characters, or with blanks or control characters
 */
export function djangoKey(key: string, settings: DjangoCacheSettings = {}): string {
  checkText('key', key)
  checkObject('settings', settings)
  const { keyPrefix = '', version = 1 } = settings
  checkText('keyPrefix', keyPrefix)
  checkNumber('version', version)
  const made = `${keyPrefix}:${version}:${key}`
  if ([...made].length > LONGEST_KEY)
    throw new InvalidCacheKey(
      `Cache key will cause errors if used with memcached: longer than ${LONGEST_KEY}`,
    )
  if (/[\x00-\x20\x7f]/.test(made))
    throw new InvalidCacheKey(
      `Cache key contains characters that will cause errors if used with memcached: ${JSON.stringify(made)}`,
    )
  return made
}

/**
 * The time that goes out for a timeout in seconds: null (never expires) is 0, 0 (do not cache) is −1, over thirty days becomes a
 * date.
 * @param now Unix time in seconds
 * @throws TypeError when one is no number
 */
export function djangoTime(timeout: number | null, now: number = Date.now() / 1000): number {
  if (timeout === null) return 0
  checkNumber('timeout', timeout)
  checkNumber('now', now)
  const time = Math.trunc(timeout) === 0 ? -1 : timeout
  return Math.trunc(time > LONGEST_RELATIVE ? time + Math.trunc(now) : time)
}
