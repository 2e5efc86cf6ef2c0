/** memshim/frameworks: reads and writes the items of Python's frameworks in memcached. */
export { type BeakerValue, beakerKey, readBeaker, writeBeaker } from './beaker.js'
export {
  type CeleryError,
  type CeleryGroup,
  type CeleryMeta,
  type CeleryOptions,
  type CeleryState,
  celeryError,
  celeryKey,
  readCeleryGroup,
  readCeleryMeta,
  writeCeleryMeta,
} from './celery.js'
export type { CacheClient } from './client.js'
export {
  DjangoCache,
  type DjangoCacheSettings,
  type TimeoutOption,
  type VersionOption,
} from './django/cache.js'
export {
  type DjangoKeySettings,
  type DjangoVersion,
  djangoKey,
  djangoTime,
  InvalidCacheKey,
  makeTemplateFragmentKey,
} from './django/keys.js'
export {
  type DjangoPage,
  type DjangoPageRequest,
  djangoPageHeaderKey,
  djangoPageKey,
  djangoText,
  readDjangoPage,
} from './django/pages.js'
export {
  type DjangoCookieSettings,
  type DjangoSessionData,
  type DjangoSessionRow,
  type DjangoSessionSettings,
  DjangoSessions,
  type DjangoSessionTable,
  djangoSessionAuthHash,
  readSessionCookie,
  SessionUpdateError,
  writeSessionCookie,
} from './django/sessions.js'
export {
  BadSignature,
  type CookieSignerOptions,
  DjangoSigner,
  DjangoTimestampSigner,
  djangoCookieSigner,
  djangoDumps,
  djangoLoads,
  type MaxAge,
  type SecretKey,
  SignatureExpired,
  type SignerOptions,
  type SigningSerializer,
  type SignObjectOptions,
  type UnsignObjectOptions,
} from './django/signing.js'
export type { DjangoReleaseOption } from './django/versions.js'
export {
  type DogpileValue,
  dogpileKey,
  dogpileSha1,
  dogpileShortened,
  type ReadDogpileOptions,
  readDogpile,
  writeDogpile,
  writeDogpileBytes,
} from './dogpile.js'
export {
  type FlaskCachingOption,
  type FlaskMemoizeOptions,
  flaskCachingKey,
  flaskCachingTime,
  flaskCachingViewKey,
  flaskMemoizeKey,
  flaskMemoizeVersion,
  flaskMemoizeVersionKeys,
  flaskTemplateFragmentKey,
  type MemoizedFunction,
} from './flask-caching.js'
export {
  type FlaskSessionSettings,
  FlaskSessions,
  type MessagePack,
  readFlaskSession,
  signFlaskSid,
  unsignFlaskSid,
} from './flask-session.js'
