/**
 * The changes of Django's keys and signatures by version.
 * Source: fixtures/vectors/framework-values.json (Django 3.2 to 6.1.3).
 */
import { hasChange } from '../versions.js'

/** For each change the first version of each release line that has it. */
const CHANGES = {
  /** The parts of a key are hashed with their lengths: `3:abc,`. */
  lengths: ['6.1'],
  /** A missing header is hashed as `-,`, which differs from the hash of an empty one. */
  absentHeaders: ['5.2.19', '6.0.10', '6.1.3'],
  /** The salt of a signed cookie contains the length of the caller's salt. */
  cookieSalt: ['5.2.15', '6.0.6', '6.1'],
  /** `SIGNED_COOKIE_LEGACY_SALT_FALLBACK` is False unless it is set. */
  noLegacySalt: ['6.1'],
} as const

/** The option `django` of functions whose result depends on Django's version. */
export interface DjangoReleaseOption {
  /**
   * The version of the Django that shares the cache, as `python -m django --version` prints it: `6.1.3`. There is no default, because a
   * wrong version finds nothing. The keys of pages changed in 5.2.19, 6.0.10, 6.1 and 6.1.3, those of fragments in 6.1,
   * and the salt of signed cookies in 5.2.15, 6.0.6 and 6.1.
   */
  readonly django: string
}

/** @throws TypeError for a missing version, ValueError for an option that is not a version */
export function djangoHas(change: keyof typeof CHANGES, { django }: DjangoReleaseOption): boolean {
  return hasChange('django', django, CHANGES[change])
}
