/** The advice as code: Python, and Django if it differs. Tried on pylibmc 1.6.3 (docs/reference/pylibmc.md). */

export interface Snippet {
  readonly title: string
  readonly code: string
}

const django = (code: string): Snippet => ({ title: 'Django', code })
const python = (code: string): Snippet => ({ title: 'Python', code })

/** Snippets by switch; many switches have none. */
export const snippets: Readonly<Record<string, readonly Snippet[]>> = {
  'missing-counter': [
    python(`try:
    hits = mc.incr('hits')
except pylibmc.NotFound:
    mc.add('hits', 1)
    hits = 1`),
    django(`try:
    hits = cache.incr('hits')
except ValueError:  # Django's word for a missing key
    cache.add('hits', 1)
    hits = 1`),
  ],
  'missing-delete': [python(`mc.delete('key')   # True: it was there, False: it was not; both are fine`)],
  'return-values': [
    python(`if mc.set('key', value):    # not: == 1, is 1
    ...`),
  ],
  constructor: [
    python(`mc = pylibmc.Client(
    ['10.0.0.1:11211:2', '10.0.0.2:11211'],   # a weight is part of the address
    behaviors={'cas': True, 'connect_timeout': 3000, '_poll_timeout': 3000},  # milliseconds
)`),
    django(`CACHES = {
    'default': {
        'BACKEND': 'django.core.cache.backends.memcached.PyLibMCCache',
        'LOCATION': ['10.0.0.1:11211', '10.0.0.2:11211'],
        'OPTIONS': {'behaviors': {'connect_timeout': 3000, '_poll_timeout': 3000}},
    },
}`),
  ],
  hashing: [
    python(
      `mc = pylibmc.Client(servers, behaviors={'hash': 'crc'})   # keys stay where python-memcached put them`,
    ),
    django(`'OPTIONS': {'behaviors': {'hash': 'crc'}},`),
  ],
  oversize: [
    python(`try:
    mc.set('report', value)
except pylibmc.TooBig:
    mc.delete('report')   # nothing stale stays behind`),
  ],
  failover: [
    python(`mc = pylibmc.Client(servers, behaviors={'remove_failed': 1, 'retry_timeout': 30, 'dead_timeout': 30})
try:
    value = mc.get('key')
except pylibmc.Error:
    value = None          # a cache that is down is a miss`),
  ],
  errors: [
    python(`try:
    value = mc.get('key')
except pylibmc.Error:
    value = None`),
  ],
  'gets-and-cas': [
    python(`value, unique = mc.gets('key')
mc.cas('key', new_value, unique, time=60)   # needs behaviors={'cas': True}`),
  ],
  'missing-argument': [
    python(`mc.delete('key')          # not: mc.delete('key', noreply=True)
mc.set('key', value, 60)`),
  ],
  'calling-form': [
    python(`mc.get('key')             # not: mc.get(key='key')
mc.touch('key', 60)`),
  ],
  'blank-keys': [python(`key = key.replace(' ', '_')   # before it reaches the client`)],
  'control-keys': [python(`key = hashlib.sha1(key.encode()).hexdigest()   # before it reaches the client`)],
  keys: [
    python(`try:
    mc.set(key, value)
except (ValueError, pylibmc.Error):
    ...   # python-memcached raised MemcachedKeyError`),
  ],
  'undecodable-pickle': [
    python(`try:
    value = mc.get('key')
except Exception:       # the pickle names a class that is gone
    value = None`),
  ],
  'counter-errors': [
    python(`try:
    n = mc.incr('n')
except pylibmc.ClientError:   # ValueError on python-memcached
    ...`),
  ],
}
