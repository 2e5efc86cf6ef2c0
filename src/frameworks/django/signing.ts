/**
 * django.core.signing: signed text and values, among them the cookie of the engine signed_cookies.
 * Source: fixtures/vectors/framework-values.json (Django 3.2 to 6.1.3).
 */
import { createHash, createHmac, getHashes, timingSafeEqual } from 'node:crypto'
import { checkArray, checkNumber, checkText, named, shown } from '../../ground/arguments.js'
import { ValueError } from '../../python/errors.js'
import { ownOptions } from '../../python/options.js'
import { encodeText } from '../../python/text.js'
import { compress, decompress, pickle, type UnpickleOptions, unpickle } from '../../values/index.js'
import { readJson, writeJson } from '../json.js'
import { type DjangoReleaseOption, djangoHas } from './versions.js'

/** `django.core.signing.BadSignature`: the text was signed with another key or salt, or was changed. */
export class BadSignature extends Error {
  override readonly name: string = 'BadSignature'
  readonly python: string = 'django.core.signing.BadSignature'
}

/** `django.core.signing.SignatureExpired`: the signature is valid but older than allowed. */
export class SignatureExpired extends BadSignature {
  override readonly name = 'SignatureExpired'
  override readonly python = 'django.core.signing.SignatureExpired'
}

/** A key or a fallback key: text as in `SECRET_KEY`, or bytes. */
export type SecretKey = string | Uint8Array

/** The arguments of a signer. */
export interface SignerOptions {
  /** `SECRET_KEY`. */
  readonly key: SecretKey
  /** `SECRET_KEY_FALLBACKS`: older keys whose signatures are still valid. Default none. */
  readonly fallbackKeys?: readonly SecretKey[] | undefined
  /** The salt names the use of the signature. Default: the salt of the signer's class in Django. */
  readonly salt?: string | undefined
  /** The text between value and signature. Default `:`. */
  readonly sep?: string | undefined
  /** A hash of `node:crypto`. Default `sha256`, which is Django's from 3.1 on; Django 3.2 also reads `sha1`. */
  readonly algorithm?: string | undefined
}

/** The serializer of values: Django's JSONSerializer or PickleSerializer, or your own. */
export type SigningSerializer =
  | 'json'
  | 'pickle'
  | { readonly dumps: (value: unknown) => Uint8Array; readonly loads: (data: Buffer) => unknown }

/** The options of signing a value. */
export interface SignObjectOptions {
  /** Default `json`. */
  readonly serializer?: SigningSerializer | undefined
  /** Compresses with zlib if that makes the value shorter. Default false. */
  readonly compress?: boolean | undefined
}

/** The options of reading a signed value. */
export interface UnsignObjectOptions extends Pick<UnpickleOptions, 'preserve' | 'maxMemory'> {
  /** Default `json`. */
  readonly serializer?: SigningSerializer | undefined
}

/** The limit on the age of a signature. */
export interface MaxAge {
  /** Seconds. An older signature is refused with `SignatureExpired`. Default: no limit. */
  readonly maxAge?: number | undefined
}

/** Characters of a value, which a separator must not consist of. */
const UNSAFE_SEPARATOR = /^[A-z0-9-_=]*$/
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const MAX_INFLATED = 16 * 1024 * 1024
const SIGNER_NAMES = ['key', 'fallbackKeys', 'salt', 'sep', 'algorithm']
const TIMESTAMP_SIGNER_NAMES = [...SIGNER_NAMES, 'now']
const SIGN_NAMES = ['serializer', 'compress']
const COOKIE_SIGNER_NAMES = [...TIMESTAMP_SIGNER_NAMES, 'django', 'legacySaltFallback']
const UNSIGN_NAMES = ['serializer', 'preserve', 'maxMemory']

const serializers = {
  json: {
    dumps: (value: unknown) => Buffer.from(writeJson(value, { separators: [',', ':'] })),
    loads: (data: Buffer, { preserve }: UnsignObjectOptions) =>
      readJson(data.toString('latin1'), { preserve }),
  },
  pickle: {
    dumps: (value: unknown) => pickle(value, { protocol: -1 }),
    loads: (data: Buffer, { preserve, maxMemory }: UnsignObjectOptions) =>
      unpickle(data, { preserve, maxMemory }),
  },
}

function serializerOf(serializer: SigningSerializer = 'json') {
  return typeof serializer === 'object' && serializer !== null
    ? serializer
    : named('serializer', serializers, serializer)
}

/** `django.core.signing.Signer`. */
export class DjangoSigner {
  protected readonly salt: string
  protected readonly sep: string
  private readonly algorithm: string
  /** A private field of JavaScript, so that `console.log` does not show the key. */
  readonly #keys: readonly Buffer[]

  /** @throws TypeError for unknown options and arguments of other types; ValueError for an unsafe separator, an empty key, an unknown algorithm */
  constructor(options: SignerOptions, defaultSalt = 'django.core.signing.Signer') {
    const {
      key,
      fallbackKeys = [],
      salt,
      sep = ':',
      algorithm = 'sha256',
    } = ownOptions(options, SIGNER_NAMES)
    checkArray('fallbackKeys', fallbackKeys)
    this.#keys = [key, ...fallbackKeys].map(keyBytes)
    if (salt !== undefined) checkText('salt', salt)
    checkText('sep', sep)
    checkText('algorithm', algorithm)
    if (UNSAFE_SEPARATOR.test(sep))
      throw new ValueError(`sep ${shown(sep)} must not be empty or consist only of A-z0-9-_=`)
    if (!getHashes().includes(algorithm))
      throw new ValueError(`algorithm ${shown(algorithm)} is not a hash of node:crypto`)
    this.salt = salt || defaultSalt
    this.sep = sep
    this.algorithm = algorithm
  }

  /** `value:signature`. @throws TypeError when it is not text */
  sign(value: string): string {
    checkText('value', value)
    return `${value}${this.sep}${this.signature(value, this.#keys[0]!)}`
  }

  /** The value of a signed text. @throws BadSignature; TypeError when it is not text */
  unsign(signed: string): string {
    checkText('signed', signed)
    const end = signed.lastIndexOf(this.sep)
    if (end < 0) throw new BadSignature(`No ${shown(this.sep)} found in value`)
    const value = signed.slice(0, end)
    const given = signed.slice(end + this.sep.length)
    for (const key of this.#keys) if (same(given, this.signature(value, key))) return value
    throw new BadSignature(`Signature ${shown(given)} does not match`)
  }

  /**
   * A value as signed text that fits URLs and cookies.
   * @throws TypeError for unknown options; TypeError, ValueError, ValueEncodeError for a value that the serializer has no words for
   */
  signObject(value: unknown, options: SignObjectOptions = {}): string {
    const { serializer, compress: compresses = false } = ownOptions(options, SIGN_NAMES)
    const plain = serializerOf(serializer).dumps(value)
    const small = compresses ? compress(plain) : plain
    const won = compresses && small.length < plain.length - 1
    return this.sign(`${won ? '.' : ''}${Buffer.from(won ? small : plain).toString('base64url')}`)
  }

  /**
   * The value of a signed text. An object is a plain object; in JSON, an integer outside of the safe range is a bigint.
   * @throws BadSignature; ValueError, ValueDecodeError for content that the serializer cannot read or that inflates to over 16 MiB;
   *   TypeError for unknown options
   */
  unsignObject(signed: string, options: UnsignObjectOptions = {}): unknown {
    const known = ownOptions(options, UNSIGN_NAMES)
    return this.loaded(this.unsign(signed), known)
  }

  protected loaded(text: string, options: UnsignObjectOptions): unknown {
    const compressed = text.startsWith('.')
    const data = Buffer.from(compressed ? text.slice(1) : text, 'base64url')
    return serializerOf(options.serializer).loads(
      compressed ? decompress(data, 0, options.maxMemory ?? MAX_INFLATED) : data,
      options,
    )
  }

  private signature(value: string, key: Buffer): string {
    return saltedHmac(`${this.salt}signer`, value, key, this.algorithm).toString('base64url')
  }
}

/** `django.core.signing.TimestampSigner`: the signature also has the time when it was made. */
export class DjangoTimestampSigner extends DjangoSigner {
  private readonly now: () => number

  /**
   * @param now Unix time in seconds. Default: the system clock.
   * @throws as `DjangoSigner`
   */
  constructor(options: SignerOptions & { readonly now?: (() => number) | undefined }) {
    const { now, ...signer } = ownOptions(options, TIMESTAMP_SIGNER_NAMES)
    super(signer, 'django.core.signing.TimestampSigner')
    this.now = now ?? (() => Date.now() / 1000)
  }

  /** `value:time:signature`. @throws TypeError when it is not text */
  override sign(value: string): string {
    checkText('value', value)
    return super.sign(`${value}${this.sep}${base62(Math.trunc(this.now()))}`)
  }

  /** The value of a signed text. @throws BadSignature, SignatureExpired; TypeError for unknown options and other types */
  override unsign(signed: string, options: MaxAge = {}): string {
    const { maxAge } = ownOptions(options, ['maxAge'])
    const stamped = super.unsign(signed)
    const end = stamped.lastIndexOf(this.sep)
    if (end < 0) throw new BadSignature(`No time found in value`)
    const age = this.now() - fromBase62(stamped.slice(end + this.sep.length))
    if (maxAge !== undefined) {
      checkNumber('maxAge', maxAge)
      if (age > maxAge) throw new SignatureExpired(`Signature age ${age} > ${maxAge} seconds`)
    }
    return stamped.slice(0, end)
  }

  /** As `unsignObject` of `DjangoSigner`. @throws as there, SignatureExpired */
  override unsignObject(signed: string, options: UnsignObjectOptions & MaxAge = {}): unknown {
    const { maxAge, ...known } = ownOptions(options, [...UNSIGN_NAMES, 'maxAge'])
    return this.loaded(this.unsign(signed, { maxAge }), known)
  }
}

const DUMPS_SALT = 'django.core.signing'

/** `django.core.signing.dumps(value)`. @throws as `DjangoSigner` and `signObject` */
export function djangoDumps(
  value: unknown,
  options: SignerOptions & SignObjectOptions & { readonly now?: (() => number) | undefined },
): string {
  const { serializer, compress, ...signer } = ownOptions(options, [...TIMESTAMP_SIGNER_NAMES, ...SIGN_NAMES])
  const salt = signer.salt ?? DUMPS_SALT
  return new DjangoTimestampSigner({ ...signer, salt }).signObject(value, { serializer, compress })
}

/** `django.core.signing.loads(signed)`. @throws as `DjangoSigner` and `unsignObject`, SignatureExpired */
export function djangoLoads(
  signed: string,
  options: SignerOptions & UnsignObjectOptions & MaxAge & { readonly now?: (() => number) | undefined },
): unknown {
  const names = [...TIMESTAMP_SIGNER_NAMES, ...UNSIGN_NAMES, 'maxAge']
  const { serializer, preserve, maxMemory, maxAge, ...signer } = ownOptions(options, names)
  const salt = signer.salt ?? DUMPS_SALT
  const reading = { serializer, preserve, maxMemory, maxAge }
  return new DjangoTimestampSigner({ ...signer, salt }).unsignObject(signed, reading)
}

/** The options of signed cookies. */
export interface CookieSignerOptions extends SignerOptions, DjangoReleaseOption {
  /**
   * `SIGNED_COOKIE_LEGACY_SALT_FALLBACK`: whether cookies that older versions of Django signed with their salt are read too.
   * Default: the default of the version, true for 5.2.15 to 6.0 and false from 6.1 on. It has no effect for older versions.
   */
  readonly legacySaltFallback?: boolean | undefined
  /** Unix time in seconds. Default: the system clock. */
  readonly now?: (() => number) | undefined
}

/** Signs with the newer salt and also reads text that was signed with the older one. */
class CookieSigner extends DjangoTimestampSigner {
  /** @throws as `DjangoTimestampSigner` */
  constructor(
    options: SignerOptions & { readonly now?: (() => number) | undefined },
    private readonly legacy: DjangoTimestampSigner,
  ) {
    super(options)
  }

  /** The value of a signed text. @throws BadSignature, SignatureExpired; TypeError for other types */
  override unsign(signed: string, options: MaxAge = {}): string {
    try {
      return super.unsign(signed, options)
    } catch (error) {
      if (!(error instanceof BadSignature) || error instanceof SignatureExpired) throw error
      return this.legacy.unsign(signed, options)
    }
  }
}

/**
 * The signer of `response.set_signed_cookie(name, value, salt)` and `request.get_signed_cookie`.
 * @throws as `DjangoSigner`; TypeError for a missing `django`, ValueError for one that is not a version
 */
export function djangoCookieSigner(name: string, options: CookieSignerOptions): DjangoTimestampSigner {
  checkText('name', name)
  const { django, legacySaltFallback, ...signer } = ownOptions(options, COOKIE_SIGNER_NAMES)
  const { key, fallbackKeys = [], salt = '', ...others } = signer
  checkText('salt', salt)
  checkArray('fallbackKeys', fallbackKeys)
  const cookieKey = (secret: SecretKey) =>
    Buffer.concat([Buffer.from('django.http.cookies'), keyBytes(secret)])
  const keys = { ...others, key: cookieKey(key), fallbackKeys: fallbackKeys.map(cookieKey) }
  const legacy = new DjangoTimestampSigner({ ...keys, salt: `${name}${salt}` })
  if (!djangoHas('cookieSalt', { django })) return legacy
  const newer = { ...keys, salt: `django.http.cookies.v2:${[...salt].length}:${salt}${name}` }
  return (legacySaltFallback ?? !djangoHas('noLegacySalt', { django }))
    ? new CookieSigner(newer, legacy)
    : new DjangoTimestampSigner(newer)
}

/** `django.utils.crypto.salted_hmac(salt, value, secret).digest()`. */
export function saltedHmac(salt: string, value: string, secret: Buffer, algorithm: string): Buffer {
  const key = createHash(algorithm).update(salt).update(secret).digest()
  return createHmac(algorithm, key).update(encodeText(value)).digest()
}

/** @throws TypeError for other types; ValueError for an empty key */
export function keyBytes(key: unknown): Buffer {
  if (typeof key !== 'string' && !(key instanceof Uint8Array))
    throw new TypeError('the secret key is neither text nor bytes')
  if (key.length === 0) throw new ValueError('the secret key is empty')
  return typeof key === 'string' ? encodeText(key) : Buffer.from(key)
}

function same(given: string, right: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(right)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function base62(value: number): string {
  if (value === 0) return '0'
  let text = ''
  for (let left = Math.abs(value); left > 0; left = Math.floor(left / 62)) text = BASE62[left % 62] + text
  return value < 0 ? `-${text}` : text
}

/** @throws BadSignature */
function fromBase62(text: string): number {
  const digits = text.startsWith('-') ? text.slice(1) : text
  let value = 0
  for (const digit of digits) {
    const worth = BASE62.indexOf(digit)
    if (worth < 0) throw new BadSignature(`${shown(text)} is not a time`)
    value = value * 62 + worth
  }
  return text.startsWith('-') ? -value : value
}
