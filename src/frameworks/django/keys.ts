/** Keys and times of Django's memcached backends. Source: fixtures/vectors/frameworks.json and framework-values.json (Django 3.2 to 6.1.3). */
import { createHash, type Hash } from 'node:crypto'
import { checkArray, checkNumber, checkText, shown } from '../../ground/arguments.js'
import { MAX_RELATIVE_TIME } from '../../ground/limits.js'
import { ValueError } from '../../python/errors.js'
import { ownOptions } from '../../python/options.js'
import { encodeText } from '../../python/text.js'
import { type DjangoReleaseOption, djangoHas } from './versions.js'

/** Django's exception for keys that memcached would refuse. */
export class InvalidCacheKey extends ValueError {
  override readonly name = 'InvalidCacheKey'
  override readonly python = 'django.core.cache.backends.base.InvalidCacheKey'
}

/** The version of a key: `VERSION`, or the argument `version` of Django's methods. */
export type DjangoVersion = number | string

/** The settings of Django's CACHES entry that determine keys. */
export interface DjangoKeySettings {
  /** `KEY_PREFIX`. Default none. */
  readonly keyPrefix?: string | undefined
  /** `VERSION`. Default 1. */
  readonly version?: DjangoVersion | undefined
  /** `KEY_FUNCTION`, which makes the key to send. Default `KEY_PREFIX:VERSION:key`. */
  readonly keyFunction?: ((key: string, keyPrefix: string, version: DjangoVersion) => string) | undefined
}

const LONGEST_KEY = 250
/** The names of `DjangoKeySettings`. */
export const DJANGO_KEY_NAMES = ['keyPrefix', 'version', 'keyFunction']

/**
 * The key as MemcachedCache, PyLibMCCache and PyMemcacheCache send it.
 * @throws TypeError for unknown settings and other types; InvalidCacheKey over 250 characters, or with blanks or control characters
 */
export function djangoKey(key: string, settings: DjangoKeySettings = {}): string {
  checkText('key', key)
  const { keyPrefix = '', version = 1, keyFunction } = ownOptions(settings, DJANGO_KEY_NAMES)
  checkText('keyPrefix', keyPrefix)
  if (typeof version !== 'string') checkNumber('version', version)
  if (keyFunction !== undefined && typeof keyFunction !== 'function')
    throw new TypeError(`keyFunction is ${shown(keyFunction)}, not a function`)
  const made = keyFunction ? keyFunction(key, keyPrefix, version) : `${keyPrefix}:${version}:${key}`
  checkText('the key that keyFunction has made', made)
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
 * The time that Django sends for a timeout in seconds: 0 for null (never expires), −1 for 0 (do not cache), and a date for over thirty
 * days.
 * @param now Unix time in seconds
 * @throws TypeError when one is not a number
 */
export function djangoTime(timeout: number | null, now: number = Date.now() / 1000): number {
  if (timeout === null) return 0
  checkNumber('timeout', timeout)
  checkNumber('now', now)
  const time = Math.trunc(timeout) === 0 ? -1 : timeout
  return Math.trunc(time > MAX_RELATIVE_TIME ? time + Math.trunc(now) : time)
}

/**
 * `make_template_fragment_key(name, varyOn)`: the key of `{% cache … name arguments %}`, which `djangoKey` takes.
 * @param varyOn as Python's str() writes them: `True`, `None`, `1.0`
 * @param options Django's version, since 6.1 changed the keys
 * @throws TypeError for a missing `django`, unknown options and other types; ValueError for a `django` that is not a version
 */
export function makeTemplateFragmentKey(
  name: string,
  varyOn: readonly string[],
  options: DjangoReleaseOption,
): string {
  checkText('name', name)
  checkArray('varyOn', varyOn)
  const lengths = djangoHas('lengths', ownOptions(options, ['django']))
  const hash = createHash('md5')
  for (const [index, argument] of varyOn.entries()) {
    checkText(`varyOn[${index}]`, argument)
    updateWithText(hash, argument, lengths)
    if (!lengths) hash.update(':')
  }
  return `template.cache.${name}.${hash.digest('hex')}`
}

/** Hashes a text, with its length in bytes in the versions of Django that add it. */
export function updateWithText(hash: Hash, text: string, withLength: boolean): void {
  const bytes = encodeText(text)
  if (!withLength) hash.update(bytes)
  else hash.update(`${bytes.length}:`).update(bytes).update(',')
}
