/**
 * Arguments and results of the methods. Sources: docs/reference/python-memcached.md#10 to #12, #17 and docs/reference/pylibmc.md#5, #8;
 * each is shown by fixtures/recordings/.
 */
import { always, type Rows } from '../row.js'

export const resultRows = {
  /** Results are 1, 0 and None, or True and False. */
  results: {
    'python-memcached': always('numbers'),
    pylibmc: always('booleans'),
    pymemcache: always('booleans'),
  },
  /** The outcome of incr and decr of a missing key. */
  missingCounter: {
    'python-memcached': { '1.44': 'ValueError', '1.45': 'None' },
    pylibmc: always('NotFound'),
    pymemcache: always('None'),
  },
  /** The exception of incr and decr of an item that is not a number. */
  counterErrors: {
    'python-memcached': always('ValueError'),
    pylibmc: always('ClientError'),
    pymemcache: always('MemcacheClientError'),
  },
  /** The outcome of incr and decr without a server. */
  counterWithoutServer: { 'python-memcached': { '1.44': 0, '1.49': null }, pylibmc: always('raised') },
  /** The deltas that are sent. */
  deltas: { 'python-memcached': always('any'), pylibmc: always('integers'), pymemcache: always('integers') },
  /** The result of delete for a missing key. */
  missingDelete: { 'python-memcached': { '1.44': 1, '1.62': 0 }, pylibmc: always(0), pymemcache: always(1) },
  /** The result of delete_multi if keys are missing. */
  missingDeleteMulti: { 'python-memcached': always(1), pylibmc: always(0), pymemcache: always(1) },
  /** _deletetouch takes the replies that its caller gives for success. */
  expectedReplies: { 'python-memcached': always(true), pylibmc: always(false) },
  /** The result of delete for an error line. */
  refusedDelete: { 'python-memcached': { '1.44': 1, '1.46': 0 }, pylibmc: always('raised') },
  /** On Python 3, 1.55 to 1.58 fail to format the log line about a refused delete or touch: TypeError instead of 0. */
  refusalRaises: {
    'python-memcached': { '1.44': false, '1.55': true, '1.59': false },
    pylibmc: always(false),
  },
  /** Times that are not integers are formatted as integers, or refused. */
  times: {
    'python-memcached': always('formatted'),
    pylibmc: always('integers'),
    pymemcache: always('integers'),
  },
  /** The time that is sent for a negative time. pylibmc's documentation says zero, and that is the switch's setting. */
  negativeTimes: {
    'python-memcached': always('sent'),
    pylibmc: always('sent'),
    pymemcache: always('sent'),
    off: 'zero',
  },
  /** set, and only set, takes a timedelta. */
  timedelta: {
    'python-memcached': { '1.44': false, '1.60': true },
    pylibmc: always(false),
    pymemcache: always(false),
  },
  /** delete's time: always sent, sent unless zero, sent unless None, never sent. */
  deleteTime: {
    'python-memcached': { '1.44': 'always', '1.48': 'not-zero', '1.59': 'not-none', '1.60': 'never' },
    pylibmc: always('never'),
    pymemcache: always('never'),
  },
  /** delete's second argument is noreply, and not the time. */
  deleteTakesNoreply: {
    'python-memcached': { '1.44': false, '1.60': true },
    pymemcache: always(true),
  },
  /** delete_multi sends the time 0 when there is none. */
  deleteMultiTime: {
    'python-memcached': { '1.44': true, '1.58': false },
    pylibmc: always(false),
    pymemcache: always(false),
  },
  /** touch(k, 0) sends no time, which the server refuses. */
  dropsZeroTouch: {
    'python-memcached': { '1.44': false, '1.54': true, '1.59': false },
    pylibmc: always(false),
    pymemcache: always(false),
  },
  /** touch(k, None) sends the word None; before, no time at all. */
  touchSendsNone: { 'python-memcached': { '1.44': false, '1.60': true } },
  /** The CAS uniques that the client remembers for cas. */
  casIds: {
    'python-memcached': { '1.44': 'none', '1.45': 'always', '1.48': 'opt-in' },
    pylibmc: always('none'),
    pymemcache: always('none'),
  },
  /** cas without a CAS unique stores unconditionally, or raises TypeError. */
  casWithoutUnique: {
    'python-memcached': always('stores'),
    pylibmc: always('TypeError'),
    pymemcache: always('TypeError'),
  },
  /** get takes a default. */
  getDefault: {
    'python-memcached': { '1.44': false, '1.60': true },
    pylibmc: always(true),
    pymemcache: always(true),
  },
  /** The result of get on a failure when a default is given. */
  failedGet: {
    'python-memcached': always('None'),
    pylibmc: always('raised'),
    pymemcache: always('raised'),
    safe: 'default',
  },
} as const satisfies Rows
