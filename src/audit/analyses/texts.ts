/** The analyses of an audit: the operations that each of them counts, their severity, and advice. Facts: docs/reference/python-memcached.md, docs/reference/pylibmc.md. */
import { MAX_KEY_LENGTH, MAX_RELATIVE_TIME } from '../../ground/limits.js'
import type { AuditedOperation } from '../compare/differ.js'
import type { AnalysisText } from './analysis.js'
import { plainLength, storedValues, timeOf, typeOf } from './arguments.js'

/** Bytes: memcached's own limit of an item, without -I. */
const limit = 1024 * 1024
const near = 0.8 * limit
const large = 100 * 1000
/** Unix times of this century are larger. */
const earliestDate = 1e9

const none: readonly string[] = []

function sizes(operation: AuditedOperation): readonly string[] | undefined {
  const values = storedValues(operation)
  if (values === undefined) return undefined
  const labels: string[] = []
  let largest = 0
  for (const value of values) largest = Math.max(largest, plainLength(value) ?? 0)
  if (largest > limit) labels.push('over 1 MiB')
  else if (largest > near) labels.push('over 80 % of 1 MiB')
  else if (largest > large) labels.push('over 100 kB')
  const { call, args, kwargs } = operation
  const least = kwargs.min_compress_len ?? (call === 'cas' ? undefined : args[3])
  if (typeof least === 'number' && least > 0) labels.push('compressed from a length on')
  return labels
}

function times(operation: AuditedOperation): readonly string[] | undefined {
  const time = timeOf(operation)
  if (time === undefined) return undefined
  if (typeof time !== 'number') return ['not a whole number']
  if (time < 0) return ['negative']
  if (time === 0) return ['no time: stays until it is evicted']
  if (time <= MAX_RELATIVE_TIME) return ['up to 30 days']
  return [time < earliestDate ? 'over 30 days: taken for a date in the past' : 'a date']
}

function types(operation: AuditedOperation): readonly string[] | undefined {
  const values = storedValues(operation)
  if (values === undefined) return undefined
  return values.length === 1 ? [typeOf(values[0]!)] : [...new Set(values.map(typeOf))]
}

function keys({ keys, call, args }: AuditedOperation): readonly string[] | undefined {
  if (keys.length === 0) return undefined
  const labels = new Set<string>()
  for (const key of keys) {
    if (key.length > MAX_KEY_LENGTH) labels.add('longer than 250 bytes')
    if (/[\x00-\x20\x7f]/.test(key)) labels.add('with blanks or control characters')
    else if (/[\x80-\xff]/.test(key)) labels.add('with characters that are not ASCII')
  }
  const [first] = args
  if (typeof first === 'object' && first !== null && !Array.isArray(first) && !call.endsWith('_multi')) {
    if ('$tuple' in first) labels.add('a tuple with its own hash')
    else if ('$bytes' in first) labels.add('given as bytes')
  }
  return labels.size === 0 ? none : [...labels]
}

function counters({ call, args, kwargs, compat, strict }: AuditedOperation): readonly string[] | undefined {
  if (call !== 'incr' && call !== 'decr') return undefined
  // Nothing is known where no answer was waited for.
  const isAnswered = !kwargs.noreply && !args[2]
  const missing =
    'raises' in strict ? strict.raises.class === 'pylibmc.NotFound' : isAnswered && strict.result === null
  if (missing) return ['missing']
  if ('raises' in compat || 'raises' in strict) return ['item or delta is not a number']
  return none
}

function cas({ call, announced }: AuditedOperation): readonly string[] | undefined {
  if (call !== 'cas') return undefined
  return announced.some((event) => event.switch === 'cas-fallback')
    ? ['without a CAS unique: stores unconditionally']
    : none
}

const writes: ReadonlySet<string> = new Set([
  'set',
  'add',
  'replace',
  'append',
  'prepend',
  'cas',
  'set_multi',
])

function failures({ call, recorded, announced }: AuditedOperation): readonly string[] | undefined {
  const labels: string[] = []
  const zero = recorded !== undefined && 'result' in recorded && recorded.result === 0
  if (zero && (writes.has(call) || call === 'delete'))
    labels.push('0 in the trace: nothing was stored or deleted')
  if (announced.some((event) => event.switch === 'errors'))
    labels.push('swallowed: the application gets no error')
  return labels.length === 0 ? undefined : labels
}

function copies({ call, announced }: AuditedOperation): readonly string[] | undefined {
  if (!announced.some((event) => event.switch === 'failover' && event.compat.startsWith('goes on')))
    return undefined
  return [writes.has(call) ? 'stored on another server: a second copy' : 'looked up on another server']
}

/** pymemcache's messages for a connection that another thread closed, and for one whose answers another thread read. */
const closedByAnother = /^'NoneType' object has no attribute '(recv|sendall|close|settimeout)'$/

function shared({ recorded }: AuditedOperation): readonly string[] | undefined {
  if (recorded === undefined || !('raises' in recorded)) return undefined
  const { class: name, message = '' } = recorded.raises
  return name === 'builtins.AttributeError' && closedByAnother.test(message)
    ? ['AttributeError in the trace: another thread closed the connection']
    : undefined
}

const unlocked =
  "A Client or HashClient of pymemcache has no lock: threads that share it read each other's answers, including values of other keys, and close each other's connections ('NoneType' object has no attribute 'recv'). In a replay such calls have another outcome."

export const analysisTexts: readonly AnalysisText[] = [
  {
    name: 'sizes',
    title: 'Sizes of values',
    advice:
      'python-memcached sends nothing and returns 0 above 1 MiB; pylibmc sends the value and raises TooBig. Store less, or start the servers with a higher -I. python-memcached compresses values above min_compress_len, pylibmc values of min_compress_len and more; both store the compressed form only if it is shorter. Sizes are those of texts and bytes before compression.',
    elsewhere: {
      pymemcache:
        'python-memcached sends nothing and returns 0 above 1 MiB; pymemcache sends the value and raises MemcacheServerError, or returns True with noreply, and the old value is gone. Store less, use serde=pymemcache.serde.compressed_serde (4.0), or start the servers with a higher -I. Sizes are those of texts and bytes before compression.',
      'python-memcached':
        'python-memcached sends nothing and returns 0 above 1 MiB. Store less, or start the servers with a higher -I and give server_max_value_length. Sizes are those of texts and bytes before compression.',
    },
    severity: { 'over 1 MiB': 'problem', 'over 80 % of 1 MiB': 'look' },
    labels: sizes,
  },
  {
    name: 'times',
    title: 'Times',
    advice:
      'A server takes a time over 30 days for a date: the item expires at once. Give dates as Unix times. Over the text protocol a negative time makes the item expire at once: delete the item instead. Items without a time stay until the server needs their memory.',
    severity: {
      negative: 'problem',
      'over 30 days: taken for a date in the past': 'problem',
      'not a whole number': 'look',
      'no time: stays until it is evicted': 'look',
    },
    labels: times,
  },
  {
    name: 'value-types',
    title: 'Types of values',
    advice:
      'Text, bytes and integers are stored as they are. A bool is a pickle in python-memcached from 1.59 on and an integer in pylibmc. Every other value is a pickle that names its classes, and every reader needs these classes.',
    elsewhere: {
      pymemcache:
        'Without a serde pymemcache stores str(value) and reads bytes. pickle_serde stores text, bytes and integers as they are and every other value, bool included, as a pickle that names its classes. Every reader needs these classes.',
    },
    severity: { 'an object of another class': 'look', bool: 'look' },
    labels: types,
  },
  {
    name: 'keys-used',
    title: 'Keys',
    advice:
      'A key is sent as at most 250 bytes without blanks and control characters. pylibmc does not accept (hash, key) tuples. Use a digest for long or free texts.',
    elsewhere: {
      pymemcache:
        'A key is sent as at most 250 bytes without blanks and control characters. pymemcache accepts text that is not ASCII only with allow_unicode_keys=True, places bytes on another server than the same text, and does not accept (hash, key) tuples. Use a digest for long or free texts.',
    },
    severity: {
      'longer than 250 bytes': 'problem',
      'with blanks or control characters': 'problem',
      'a tuple with its own hash': 'problem',
    },
    labels: keys,
  },
  {
    name: 'counters',
    title: 'Counters',
    advice:
      'Add the counter with its first value before the first incr or decr; pylibmc raises NotFound where python-memcached returns None.',
    elsewhere: {
      pymemcache:
        'Add the counter with its first value before the first incr or decr; pymemcache returns None for a missing one, and raises MemcacheClientError for an item that is not a number.',
      'python-memcached': 'Add the counter with its first value before the first incr or decr.',
    },
    severity: { missing: 'problem', 'item or delta is not a number': 'problem' },
    labels: counters,
  },
  {
    name: 'cas-used',
    title: 'Compare and set',
    advice:
      'Without cache_cas python-memcached does not keep the unique, and cas stores without a comparison. In pylibmc pass the unique from gets to cas; the behavior cas must be on.',
    elsewhere: {
      pymemcache:
        'Without cache_cas python-memcached does not keep the unique, and cas stores without a comparison. In pymemcache gets returns (value, unique), and cas(key, value, unique) needs it.',
      'python-memcached':
        'Without cache_cas python-memcached does not keep the unique, and cas stores without a comparison.',
    },
    severity: { 'without a CAS unique: stores unconditionally': 'problem' },
    labels: cas,
  },
  {
    name: 'hidden-failures',
    title: 'Failures that python-memcached hides',
    advice:
      'pylibmc raises where python-memcached returns None or 0: decide for each place how the application continues without its cache.',
    elsewhere: {
      pymemcache:
        'pymemcache raises where python-memcached returns None or 0, unless ignore_exc is set: decide for each place how the application continues without its cache.',
      'python-memcached': 'Decide for each place how the application continues without its cache.',
    },
    severity: {
      '0 in the trace: nothing was stored or deleted': 'problem',
      'swallowed: the application gets no error': 'problem',
    },
    labels: failures,
  },
  {
    name: 'failover-copies',
    title: 'Copies after failover',
    advice:
      'While a server is down python-memcached stores its keys on another one. When the server is up again, its old item is read, and the newer copy is not found. Flush a server before it comes back, or keep its keys away (pylibmc does not use another server by default).',
    elsewhere: {
      pymemcache:
        'While a server is down python-memcached stores its keys on another one. When the server is up again, its old item is read, and the newer copy is not found. Flush a server before it comes back. HashClient does the same once a server has failed retry_attempts times.',
      'python-memcached':
        'While a server is down python-memcached stores its keys on another one. When the server is up again, its old item is read, and the newer copy is not found. Flush a server before it comes back.',
    },
    severity: { 'stored on another server: a second copy': 'problem', 'looked up on another server': 'look' },
    labels: copies,
  },
  {
    name: 'shared-clients',
    title: 'Clients that threads share',
    advice: `${unlocked} A client of pylibmc must not be shared by threads either: use pylibmc.ThreadMappedPool.`,
    elsewhere: {
      pymemcache: `${unlocked} Use PooledClient, or HashClient with use_pooling=True.`,
      'python-memcached': `${unlocked} python-memcached's client gives each thread its own connections.`,
    },
    severity: { 'AttributeError in the trace: another thread closed the connection': 'problem' },
    labels: shared,
  },
]
