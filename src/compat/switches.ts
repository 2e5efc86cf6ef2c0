/**
 * The one table of emulated behaviours: what python-memcached does, what pylibmc does, and how to get rid of the difference. Types,
 * docs/switches.md, the command line and the audit's explanations come from it. Source: spec/python-memcached §21–22.
 */

export type SwitchSetting = 'python-memcached' | 'pylibmc'

export interface SwitchEntry {
  readonly title: string
  readonly pythonMemcached: string
  readonly pylibmc: string
  /** Since which python-memcached version it is so. */
  readonly since: string
  /** Section of the python-memcached specification. */
  readonly spec: string
  /** A scenario in fixtures/scenarios that shows it. */
  readonly fixture: string
  /** How to change the calling code so that the difference no longer matters. */
  readonly advice: string
}

const table = {
  errors: {
    title: 'Errors are swallowed',
    pythonMemcached: 'network failures and error replies become False, 0, None or a missing key',
    pylibmc: 'raises an exception with libmemcached’s return code',
    since: 'all',
    spec: '§10, §13',
    fixture: 'faults/set-stall',
    advice:
      'Catch MemcachedError where the cache may fail, and decide there: treat it as a miss, or let it surface.',
  },
  failover: {
    title: 'A dead server’s keys cycle to the next server',
    pythonMemcached: 'marks a failed server dead for dead_retry seconds and probes up to ten others',
    pylibmc: 'keeps the key on its server and raises until it is back, unless ejecting is configured',
    since: 'all',
    spec: '§6.4, §7',
    fixture: 'failover/one-of-two',
    advice:
      'Expect ConnectionError and ServerDown, or set ketama with remove_failed, retry_timeout and dead_timeout.',
  },
  hashing: {
    title: 'Keys are placed by CRC-32',
    pythonMemcached: 'bits 16–30 of the CRC-32 modulo the weighted bucket list',
    pylibmc: 'libmemcached’s one-at-a-time hash modulo the number of servers, weights ignored',
    since: 'all (zero hashes moved in 1.60)',
    spec: '§6',
    fixture: 'hashing/servers-3',
    advice:
      'Set the behavior hash to crc to keep the placement of 1.60 and later (without weights), or plan for a cold cache.',
  },
  'negative-timeout': {
    title: 'A negative time means stored and gone',
    pythonMemcached: 'sends the negative time: the call succeeds and the item is expired at once',
    pylibmc: 'is documented to take it for 0, so that the item never expires',
    since: 'all',
    spec: '§11',
    fixture: 'times/set-minus-one',
    advice: 'Delete the key instead of storing it with a negative time.',
  },
  'time-arguments': {
    title: 'Times with fractions are truncated',
    pythonMemcached: 'formats the time as an integer; touch sends whatever text it gets',
    pylibmc: 'raises TypeError for anything but an integer',
    since: 'all',
    spec: '§11',
    fixture: 'times/set-float',
    advice: 'Pass whole seconds.',
  },
  'value-encoding': {
    title: 'Values are encoded by python-memcached’s rules',
    pythonMemcached:
      'pickles booleans (since 1.59), writes integers with flag 2, pickles with protocol 0, resolves combined flags',
    pylibmc:
      'writes booleans as the integers 1 and 0, integers with flag 4, pickles with the highest protocol, refuses combined flags',
    since: '1.59',
    spec: '§9',
    fixture: 'values/true',
    advice: 'Do not tell True from 1 after reading; store booleans as integers.',
  },
  'undecodable-pickle': {
    title: 'A pickle that cannot be read is None',
    pythonMemcached: 'returns None',
    pylibmc: 'raises what unpickling raises',
    since: 'all',
    spec: '§9.4',
    fixture: 'stored/flag-1-garbage',
    advice: 'Catch UnpicklingError, or delete items that an older version of your code wrote.',
  },
  oversize: {
    title: 'Values over 1 MiB are ignored',
    pythonMemcached: 'returns 0, sends nothing, and the old value stays',
    pylibmc: 'sends the value and raises TooBig; the server has removed the old value',
    since: 'all',
    spec: '§9.6',
    fixture: 'sizes/set-two-megabytes',
    advice: 'Check sizes, compress with min_compress_len, or catch TooBig.',
  },
  'missing-counter': {
    title: 'Counting a missing key gives None',
    pythonMemcached: 'incr and decr return None',
    pylibmc: 'raises NotFound',
    since: '1.45',
    spec: '§10.2',
    fixture: 'counters/missing',
    advice: 'Add the counter first (add with the start value), or catch NotFound.',
  },
  'counter-errors': {
    title: 'Counting something that is no number raises ValueError',
    pythonMemcached:
      'raises ValueError with the server’s line in its text; also when the server closed the connection',
    pylibmc: 'raises ClientError, or ConnectionError',
    since: 'all',
    spec: '§10.2',
    fixture: 'counters/not-a-number-text',
    advice: 'Catch ClientError instead of ValueError.',
  },
  'counter-arguments': {
    title: 'Deltas are sent as they are',
    pythonMemcached: 'sends the delta as text and lets the server judge it',
    pylibmc: 'raises for anything but an integer from 0 to 2147483647',
    since: '1.55',
    spec: '§10.2',
    fixture: 'counters/delta-text',
    advice: 'Pass integers from 0 to 2147483647; use decr instead of a negative delta.',
  },
  'missing-delete': {
    title: 'Deleting a missing key succeeds',
    pythonMemcached: 'delete returns 1 (up to 1.61), delete_multi always 1',
    pylibmc: 'returns False',
    since: 'all; delete returns 0 from 1.62 on',
    spec: '§10.3',
    fixture: 'removal/delete',
    advice:
      'Do not take the result of delete for "it worked": False only says that there was nothing to delete.',
  },
  'return-values': {
    title: 'Success is 1 and failure is 0',
    pythonMemcached:
      'delete, touch and delete_multi return 1 or 0, flush_all returns None, gets returns the value alone',
    pylibmc: 'True or False, flush_all returns True, gets returns the value with its CAS unique',
    since: 'all',
    spec: '§10',
    fixture: 'times/touch-minute',
    advice: 'Test results for truth, not for identity or type.',
  },
  'cas-fallback': {
    title: 'cas without a CAS unique is a plain set',
    pythonMemcached: 'remembers ids of gets when cache_cas is on; without an id, cas stores unconditionally',
    pylibmc: 'cas takes the unique that gets returned',
    since: '1.45',
    spec: '§12',
    fixture: 'cas/python-memcached-uncached',
    advice: 'Keep the CAS unique that gets returns and pass it to cas.',
  },
  keys: {
    title: 'Keys are checked by python-memcached’s rules',
    pythonMemcached:
      'raises MemcachedKey…Error for bad keys, converts numbers to text in multi operations, takes (hash, key) tuples',
    pylibmc: 'raises ValueError over 250 bytes and TypeError for other types; empty keys fail softly',
    since: 'all',
    spec: '§8',
    fixture: 'keys/empty',
    advice: 'Make keys text of at most 250 bytes without blanks before they reach the client.',
  },
  'set-multi': {
    title: 'set_multi writes to all servers at once and goes on after failures',
    pythonMemcached: 'lists keys that were refused, forgets keys of servers that fail, tries every key',
    pylibmc: 'stores one key after another and raises at the first hard error; later keys are not tried',
    since: '1.58',
    spec: '§13.2',
    fixture: 'faults/set-multi-close',
    advice: 'Catch MemcachedError around set_multi and treat all keys from there on as not stored.',
  },
  statistics: {
    title: 'Statistics come in python-memcached’s form',
    pythonMemcached:
      'leaves out servers that are down and names them "host:port (weight)"; unknown arguments raise IndexError',
    pylibmc: 'raises SomeErrors when a server is down and names them "host:port (index)"',
    since: '1.58',
    spec: '§10.6',
    fixture: 'stats/down',
    advice: 'Ask each server by a client of its own when one may be down.',
  },
} as const satisfies Record<string, SwitchEntry>

export type SwitchName = keyof typeof table

/** One row of the table with its name and where the documentation explains it. */
export interface Switch extends SwitchEntry {
  readonly name: SwitchName
  /** Relative to docs/. */
  readonly docs: string
}

export const switchNames = Object.keys(table) as SwitchName[]

export const switches: readonly Switch[] = switchNames.map((name) => ({
  name,
  ...table[name],
  docs: `switches.md#${name}`,
}))

export const switchesByName = Object.fromEntries(switches.map((entry) => [entry.name, entry])) as Readonly<
  Record<SwitchName, Switch>
>
