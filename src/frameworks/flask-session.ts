/**
 * Sessions of Flask-Session's memcached backend. Source: fixtures/vectors/framework-values.json (Flask-Session 0.8, itsdangerous 2.2).
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { checkObject, checkText, named, shown } from '../ground/arguments.js'
import { MAX_RELATIVE_TIME } from '../ground/limits.js'
import { ValueError } from '../python/errors.js'
import { ownOptions } from '../python/options.js'
import { decodeText } from '../python/text.js'
import { PythonObject, unpickle } from '../values/index.js'
import { type CacheClient, checkClient } from './client.js'
import { BadSignature, keyBytes, type SecretKey } from './django/signing.js'
import { readJson, writeJson } from './json.js'

/** A package for msgpack. `@msgpack/msgpack` has this shape. */
export interface MessagePack {
  readonly encode: (value: unknown) => Uint8Array
  readonly decode: (data: Uint8Array) => unknown
}

/** Flask-Session's settings. */
export interface FlaskSessionSettings {
  /** `SESSION_KEY_PREFIX`. Default `session:`. */
  readonly keyPrefix?: string | undefined
  /** `SESSION_SERIALIZATION_FORMAT`. Default `msgpack`, as in Flask-Session; it needs the setting `msgpack`. */
  readonly format?: 'msgpack' | 'json'
  readonly msgpack?: MessagePack
  /** `PERMANENT_SESSION_LIFETIME` in seconds. Default 31 days, as in Flask. */
  readonly lifetime?: number
}

const LIFETIME = 31 * 86_400
/** `SESSION_ID_LENGTH`. Bytes. */
const SID_LENGTH = 32
const SETTING_NAMES = ['keyPrefix', 'format', 'msgpack', 'lifetime']
const FORMATS = { msgpack: true, json: true } as const

/** Sessions as Flask-Session reads and writes them. */
export class FlaskSessions {
  /** @throws TypeError for unknown settings; TypeError, RangeError for settings of other kinds, and for the format msgpack without `msgpack` */
  constructor(
    private readonly client: CacheClient,
    private readonly settings: FlaskSessionSettings = {},
  ) {
    checkClient(client)
    const { format = 'msgpack', msgpack, keyPrefix = '' } = ownOptions(settings, SETTING_NAMES)
    named('format', FORMATS, format)
    checkText('keyPrefix', keyPrefix)
    if (format === 'msgpack' && typeof msgpack?.encode !== 'function')
      throw new TypeError(
        'the format msgpack needs the setting msgpack: encode and decode of @msgpack/msgpack',
      )
  }

  /** The key of a session. @throws TypeError if it is not text */
  key(sid: string): string {
    checkText('sid', sid)
    return `${this.settings.keyPrefix ?? 'session:'}${sid}`
  }

  /**
   * The session's data; undefined if there is none. Reads msgpack, JSON and the pickles of Flask-Session before 0.7.
   * @throws ValueError for other content; as the client's `get`
   */
  async load(sid: string): Promise<Record<string, unknown> | undefined> {
    const stored = await this.client.get(this.key(sid))
    if (stored === undefined || stored === null) return undefined
    return readFlaskSession(stored, this.settings.msgpack)
  }

  /** @throws TypeError, ValueError for values that the format cannot represent; as the client's `set` */
  async save(sid: string, data: Record<string, unknown>): Promise<void> {
    checkObject('data', data)
    const { format = 'msgpack', msgpack, lifetime = LIFETIME } = this.settings
    const stored =
      format === 'json' ? Buffer.from(writeJson(data, { separators: [',', ':'] })) : msgpack!.encode(data)
    const time = lifetime > MAX_RELATIVE_TIME ? lifetime + Math.trunc(Date.now() / 1000) : lifetime
    await this.client.set(this.key(sid), Buffer.from(stored), { time })
  }

  /** A new session. @returns its id, for the cookie @throws as `save` */
  async create(data: Record<string, unknown> = {}): Promise<string> {
    const sid = randomBytes(SID_LENGTH).toString('base64url')
    await this.save(sid, data)
    return sid
  }

  /** Deletes the session: its user is logged out. @throws as the client's `delete` */
  async delete(sid: string): Promise<void> {
    await this.client.delete(this.key(sid))
  }
}

/**
 * Reads a stored session: bytes of msgpack, JSON or a pickle, or the dict itself, which Flask-Session stored before 0.7.
 * @throws ValueError for other content
 */
export function readFlaskSession(stored: unknown, msgpack?: MessagePack): Record<string, unknown> {
  const data = stored instanceof Uint8Array ? content(Buffer.from(stored), msgpack) : stored
  if (data instanceof Map && [...data.keys()].every((key) => typeof key === 'string'))
    return Object.fromEntries(data)
  if (typeof data !== 'object' || data === null || Array.isArray(data) || data instanceof PythonObject)
    throw new ValueError(`the item is not a session of Flask: ${shown(data)}`)
  return data as Record<string, unknown>
}

function content(data: Buffer, msgpack: MessagePack | undefined): unknown {
  // 0x7b is `{`. A map of msgpack begins with 0x80 to 0x8f, 0xde or 0xdf; a pickle of protocol 2 and later with 0x80 and its number.
  if (data[0] === 0x7b) return readJson(decodeText(data))
  if (data[0] === 0x80 && data.length > 2) return unpickle(data)
  if (!msgpack) throw new ValueError('the session is msgpack: give the setting msgpack to read it')
  return msgpack.decode(data)
}

/** The session id in a signed cookie (`SESSION_USE_SIGNER`). @throws BadSignature; TypeError for other types */
export function unsignFlaskSid(cookie: string, key: SecretKey): string {
  checkText('cookie', cookie)
  const end = cookie.lastIndexOf('.')
  const sid = cookie.slice(0, Math.max(0, end))
  const [given, right] = [Buffer.from(cookie.slice(end + 1)), Buffer.from(signature(sid, key))]
  if (end < 0 || given.length !== right.length || !timingSafeEqual(given, right))
    throw new BadSignature(`Signature ${shown(cookie.slice(end + 1))} does not match`)
  return sid
}

/** Signs a session id for a cookie (`SESSION_USE_SIGNER`). @throws TypeError for other types */
export function signFlaskSid(sid: string, key: SecretKey): string {
  checkText('sid', sid)
  return `${sid}.${signature(sid, key)}`
}

function signature(sid: string, key: SecretKey): string {
  const derived = createHmac('sha1', keyBytes(key)).update('flask-session').digest()
  return createHmac('sha1', derived).update(sid).digest('base64url')
}
