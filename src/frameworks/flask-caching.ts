/** Keys and times of Flask-Caching's MemcachedCache. Source: fixtures/vectors/frameworks.json (Flask-Caching 2.3). */
import { checkNumber, checkText } from '../ground/arguments.js'

/** What Flask-Caching asks memcached for: other keys are never sent and always missing. */
const SENT = /^[^\x00-\x21\xff]{1,250}$/u

/**
 * The key as it is sent, undefined when Flask-Caching sends nothing and takes it for a miss.
 * @param keyPrefix `CACHE_KEY_PREFIX`
 * @throws TypeError when one is no text
 */
export function flaskCachingKey(key: string, keyPrefix = ''): string | undefined {
  checkText('key', key)
  checkText('keyPrefix', keyPrefix)
  const made = `${keyPrefix}${key}`
  return SENT.test(made) ? made : undefined
}

/**
 * The time that goes out for a timeout in seconds: always a date, except 0 (never expires) and negative ones.
 * @param now Unix time in seconds
 * @throws TypeError when one is no number
 */
export function flaskCachingTime(timeout: number, now: number = Date.now() / 1000): number {
  checkNumber('timeout', timeout)
  checkNumber('now', now)
  const seconds = Math.ceil(timeout)
  return seconds > 0 ? Math.trunc(now) + seconds : seconds
}
