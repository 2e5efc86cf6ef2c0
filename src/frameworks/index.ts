/** memshim/frameworks: keys and times as Python's frameworks make them, so that Node reads and writes the same items. */
export { type DjangoCacheSettings, djangoKey, djangoTime, InvalidCacheKey } from './django.js'
export { beakerKey, dogpileKey, dogpileSha1 } from './dogpile.js'
export { flaskCachingKey, flaskCachingTime } from './flask-caching.js'
