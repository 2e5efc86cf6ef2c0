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
   * Django's version, `6.1.3`. Default `5.1`. Pages have other keys from 5.2.19, 6.0.10, 6.1 and 6.1.3 on, fragments from 6.1 on,
   * signed cookies another salt from 5.2.15, 6.0.6 and 6.1 on.
   */
  readonly django?: string | undefined
}

/** @throws TypeError, ValueError for an option that is not a version */
export function djangoHas(change: keyof typeof CHANGES, { django = '5.1' }: DjangoReleaseOption): boolean {
  return hasChange('django', django, CHANGES[change])
}
