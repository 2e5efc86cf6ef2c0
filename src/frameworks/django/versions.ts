/**
 * The changes of Django's keys and signatures between its versions.
 * Source: fixtures/vectors/framework-values.json (Django 3.2 to 6.1.3).
 */
import { hasChange } from '../versions.js'

/** The first versions that have each change, on each line of releases. */
const CHANGES = {
  /** The texts that a key is made of are hashed with their lengths: `3:abc,`. */
  lengths: ['6.1'],
  /** A header that a request lacks is hashed as `-,`: it differs from an empty one. */
  absentHeaders: ['5.2.19', '6.0.10', '6.1.3'],
  /** The salt of a signed cookie has the length of the caller's salt in it. */
  cookieSalt: ['5.2.15', '6.0.6', '6.1'],
  /** `SIGNED_COOKIE_LEGACY_SALT_FALLBACK` is False unless it is set. */
  noLegacySalt: ['6.1'],
} as const

/** Option `django` of functions whose result depends on Django's version. */
export interface DjangoReleaseOption {
  /**
   * The version of the Django that shares the cache, as `python -m django --version` prints it: `6.1.3`. There is no default, because a
   * wrong version finds nothing. Pages have other keys from 5.2.19, 6.0.10, 6.1 and 6.1.3 on, fragments from 6.1 on, signed cookies
   * another salt from 5.2.15, 6.0.6 and 6.1 on.
   */
  readonly django: string
}

/** @throws TypeError for a missing version, ValueError for an option that is not a version */
export function djangoHas(change: keyof typeof CHANGES, { django }: DjangoReleaseOption): boolean {
  return hasChange('django', django, CHANGES[change])
}
