/**
 * Django's sessions of the engines cache, cached_db and signed_cookies.
 * Source: fixtures/vectors/framework-values.json, Django 3.2 to 6.1 live.
 */
import { randomInt } from 'node:crypto'
import { checkNumber, checkObject, checkText, named, shown } from '../../ground/arguments.js'
import { ValueError } from '../../python/errors.js'
import { ownOptions } from '../../python/options.js'
import { describe, PyDateTime, PyFloat } from '../../values/index.js'
import { isoDateTime } from '../iso-times.js'
import type { DjangoCache } from './cache.js'
import {
  djangoDumps,
  djangoLoads,
  keyBytes,
  type SecretKey,
  type SignerOptions,
  type SigningSerializer,
  saltedHmac,
  type UnsignObjectOptions,
} from './signing.js'

/** The data of a session. Django's own keys are `_auth_user_id`, `_auth_user_backend`, `_auth_user_hash` and `_session_expiry`. */
export type DjangoSessionData = Record<string, unknown>

/** `django.contrib.sessions.backends.base.UpdateError`: the session was deleted meanwhile, for example because the user logged out. */
export class SessionUpdateError extends Error {
  override readonly name = 'SessionUpdateError'
  readonly python = 'django.contrib.sessions.backends.base.UpdateError'
}

/** A row of the table `django_session`. */
export interface DjangoSessionRow {
  /** `session_data`. */
  readonly sessionData: string
  /** `expire_date`. */
  readonly expireDate: Date
}

/** The table of the engine cached_db, `django_session`. */
export interface DjangoSessionTable {
  /** The row of a session that has not expired; undefined if there is none. */
  read(sessionKey: string): Promise<DjangoSessionRow | undefined>
  /** Inserts the row or replaces it. */
  write(sessionKey: string, sessionData: string, expireDate: Date): Promise<void>
  /** Deletes the row if it is there. */
  delete(sessionKey: string): Promise<void>
}

/** Django's settings for sessions. */
export interface DjangoSessionSettings {
  /** `SESSION_ENGINE`. Default `cache`. */
  readonly engine?: 'cache' | 'cached_db'
  /** `SESSION_COOKIE_AGE` in seconds. Default two weeks, as in Django. */
  readonly cookieAge?: number
  /** Engine cached_db: the table with the sessions. The cache has only copies. */
  readonly table?: DjangoSessionTable
  /** Engine cached_db: `SECRET_KEY` and its fallbacks, which sign the sessions in the table. */
  readonly signing?: Pick<SignerOptions, 'key' | 'fallbackKeys' | 'algorithm'>
  /** `SESSION_SERIALIZER`, for the table. Default `json`. */
  readonly serializer?: SigningSerializer
}

const SIGNING_NAMES = ['key', 'fallbackKeys', 'algorithm']
const SESSION_NAMES = ['engine', 'cookieAge', 'table', 'signing', 'serializer']
const COOKIE_NAMES = [...SIGNING_NAMES, 'serializer', 'cookieAge', 'now']
const TWO_WEEKS = 1_209_600
const KEY_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'
const KEY_LENGTH = 32
const SALT = 'django.contrib.sessions.SessionStore'
const COOKIE_SALT = 'django.contrib.sessions.backends.signed_cookies'
const ENGINES = { cache: true, cached_db: true } as const
/** The number of attempts, which is Django's. */
const ATTEMPTS = 10_000

/** Sessions in the cache, as Django's SessionStore reads and writes them. */
export class DjangoSessions {
  private readonly engine: 'cache' | 'cached_db'

  /**
   * @param cache the cache of `SESSION_CACHE_ALIAS`
   * @throws TypeError for unknown settings; TypeError, RangeError for settings of other kinds
   */
  constructor(
    private readonly cache: DjangoCache,
    private readonly settings: DjangoSessionSettings = {},
  ) {
    checkObject('cache', cache)
    const { engine = 'cache', cookieAge = TWO_WEEKS, table, signing } = ownOptions(settings, SESSION_NAMES)
    if (signing !== undefined) ownOptions(signing, SIGNING_NAMES)
    named('engine', ENGINES, engine)
    checkNumber('cookieAge', cookieAge)
    if (engine === 'cached_db' && (table === undefined) !== (signing === undefined))
      throw new TypeError(
        'the engine cached_db needs both table and signing to write, or neither to read the cache alone',
      )
    this.engine = engine
  }

  /** The key of a session for `DjangoCache`. @throws TypeError if it is not text */
  cacheKey(sessionKey: string): string {
    checkText('sessionKey', sessionKey)
    return `django.contrib.sessions.${this.engine}${sessionKey}`
  }

  /**
   * The session's data; undefined if the session has expired, was deleted or never existed. If only the copy in the cache is missing, the data is read
   * from the table and copied again, as in Django. A key like `'1'` moves to the front, as in every object.
   * @throws ValueError for an item that is not a session; as the client's `get`; the errors of the table; BadSignature, ValueError for a row that was not signed with these keys
   */
  async load(sessionKey: string): Promise<DjangoSessionData | undefined> {
    const key = this.cacheKey(sessionKey)
    const found = await this.cache.get(key)
    if (found !== undefined && found !== null) return sessionData(found)
    const row = await this.settings.table?.read(sessionKey)
    if (row === undefined) return undefined
    checkRow(row)
    const data = this.decode(row.sessionData)
    // The copy must not expire after the row.
    await this.cache.set(key, data, { timeout: secondsUntil(row.expireDate, Date.now() / 1000) })
    return data
  }

  /**
   * Replaces the data of an existing session.
   * @throws SessionUpdateError if it no longer exists; as the client's `set`; TypeError for engine cached_db without a table
   */
  async save(sessionKey: string, data: DjangoSessionData): Promise<void> {
    checkObject('data', data)
    if ((await this.load(sessionKey)) === undefined)
      throw new SessionUpdateError('the session was deleted before it was saved')
    await this.write(sessionKey, data)
    await this.cache.set(this.cacheKey(sessionKey), data, { timeout: this.age(data) })
  }

  /**
   * A new session. @returns its key, for the cookie
   * @throws as `save`; ValueError if no session can be stored because the cache does not answer
   */
  async create(data: DjangoSessionData = {}): Promise<string> {
    checkObject('data', data)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const sessionKey = newSessionKey()
      if (!(await this.cache.add(this.cacheKey(sessionKey), data, { timeout: this.age(data) }))) continue
      await this.write(sessionKey, data)
      return sessionKey
    }
    throw new ValueError('Unable to create a new session key. It is likely that the cache is unavailable.')
  }

  /** Deletes the session: its user is logged out. @throws as the client's `delete`; TypeError for engine cached_db without a table */
  async delete(sessionKey: string): Promise<void> {
    const key = this.cacheKey(sessionKey)
    if (this.engine === 'cached_db') await this.written().table.delete(sessionKey)
    await this.cache.delete(key)
  }

  /** The data in the form of the table's column `session_data`. @throws TypeError without `signing`; as `djangoDumps` */
  encode(data: DjangoSessionData): string {
    const { serializer, signing } = this.settings
    if (!signing) throw new TypeError('the setting signing is missing: it has the SECRET_KEY')
    return djangoDumps(data, { ...signing, salt: SALT, serializer, compress: true })
  }

  /** Reads the column `session_data` of a row. @throws TypeError without `signing`; as `djangoLoads` */
  decode(row: string): DjangoSessionData {
    const { serializer, signing } = this.settings
    if (!signing) throw new TypeError('the setting signing is missing: it has the SECRET_KEY')
    return sessionData(djangoLoads(row, { ...signing, salt: SALT, serializer }))
  }

  /**
   * `get_expiry_age()`: seconds until the session expires, from its `_session_expiry` or the cookie's age. A naive time is taken as UTC.
   * @param now Unix time in seconds
   * @throws ValueError for a `_session_expiry` that is neither a number nor a time
   */
  age(data: DjangoSessionData, now = Date.now() / 1000): number {
    checkObject('data', data)
    checkNumber('now', now)
    const { cookieAge = TWO_WEEKS } = this.settings
    const expiry = data._session_expiry
    // These values are false in Python. Then the cookie's age counts.
    if (!expiry) return cookieAge
    const seconds = secondsOf(expiry)
    if (seconds !== undefined) return seconds || cookieAge
    return secondsUntil(momentOf(expiry).toDate(), now)
  }

  private async write(sessionKey: string, data: DjangoSessionData): Promise<void> {
    if (this.engine === 'cache') return
    const expireDate = new Date(Date.now() + 1000 * this.age(data))
    await this.written().table.write(sessionKey, this.encode(data), expireDate)
  }

  private written(): { readonly table: DjangoSessionTable } {
    const { table } = this.settings
    if (!table)
      throw new TypeError(
        'sessions of the engine cached_db live in the database: give the settings table and signing',
      )
    return { table }
  }
}

/** @throws ValueError for a value that is not a dict, and for keys that are not text */
function sessionData(value: unknown): DjangoSessionData {
  if (value instanceof Map) {
    const stray = [...value.keys()].find((key) => typeof key !== 'string')
    if (stray === undefined) return Object.fromEntries(value)
    throw new ValueError(
      `the session has the key ${describe(stray)}, which is not text: read it with cache.get(sessions.cacheKey(…))`,
    )
  }
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return value as DjangoSessionData
  throw new ValueError(`the item is not a session of Django: ${describe(value)}`)
}

/** A number of seconds in any form that the client may return; undefined for other values. */
function secondsOf(expiry: unknown): number | undefined {
  if (expiry instanceof PyFloat) return expiry.value
  if (typeof expiry === 'number' || typeof expiry === 'bigint' || expiry === true) return Number(expiry)
  return undefined
}

const secondsUntil = (moment: Date, now: number): number => Math.floor(moment.getTime() / 1000 - now)

/** @throws TypeError for a value that is not a row */
function checkRow(row: unknown): asserts row is DjangoSessionRow {
  checkObject('the row that table.read has given', row)
  const { sessionData, expireDate } = row as Partial<DjangoSessionRow>
  checkText('sessionData of the row', sessionData)
  if (!(expireDate instanceof Date) || Number.isNaN(expireDate.getTime()))
    throw new TypeError(`expireDate of the row is ${shown(expireDate)}, not a Date`)
}

/** @throws ValueError for a value that is not a time */
function momentOf(expiry: unknown): PyDateTime {
  if (expiry instanceof PyDateTime) return expiry
  if (typeof expiry === 'string') return isoDateTime(expiry)
  throw new ValueError(`_session_expiry is ${shown(expiry)}, not a time`)
}

function newSessionKey(): string {
  return Array.from({ length: KEY_LENGTH }, () => KEY_CHARACTERS[randomInt(KEY_CHARACTERS.length)]).join('')
}

/** Settings of the engine signed_cookies. */
export interface DjangoCookieSettings extends Pick<SignerOptions, 'key' | 'fallbackKeys' | 'algorithm'> {
  /** `SESSION_SERIALIZER`. Default `json`. */
  readonly serializer?: SigningSerializer
  /** `SESSION_COOKIE_AGE` in seconds. Default two weeks, as in Django. */
  readonly cookieAge?: number
  /** Unix time in seconds. Default: the system clock. */
  readonly now?: (() => number) | undefined
}

/** Reads the data of the session cookie. @throws BadSignature, SignatureExpired; as `djangoLoads` */
export function readSessionCookie(
  cookie: string,
  options: DjangoCookieSettings & Pick<UnsignObjectOptions, 'preserve'>,
): DjangoSessionData {
  const { cookieAge = TWO_WEEKS, ...settings } = ownOptions(options, [...COOKIE_NAMES, 'preserve'])
  return sessionData(djangoLoads(cookie, { ...settings, salt: COOKIE_SALT, maxAge: cookieAge }))
}

/** Writes data as the session cookie. @throws as `djangoDumps` */
export function writeSessionCookie(data: DjangoSessionData, options: DjangoCookieSettings): string {
  checkObject('data', data)
  const { cookieAge: _, ...settings } = ownOptions(options, COOKIE_NAMES)
  return djangoDumps(data, { ...settings, salt: COOKIE_SALT, compress: true })
}

/**
 * `user.get_session_auth_hash()`: the `_auth_user_hash` of the user's sessions. It changes with the user's password.
 * @param password the user's column `password`, which Django has hashed
 * @param algorithm default `sha256`, which is Django's from 3.1 on
 * @throws TypeError for other types
 */
export function djangoSessionAuthHash(password: string, key: SecretKey, algorithm = 'sha256'): string {
  checkText('password', password)
  checkText('algorithm', algorithm)
  const salt = 'django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash'
  return saltedHmac(salt, password, keyBytes(key), algorithm).toString('hex')
}
