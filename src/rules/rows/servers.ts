/**
 * Servers, connections and failures. Sources: docs/reference/python-memcached.md#6, #7, #13, #14, #17 and
 * docs/reference/pylibmc.md#2.1, #9.3, #10; each is shown by fixtures/recordings/.
 */
import { pylibmcDialect, pythonMemcachedDialect } from '../../protocol/dialects.js'
import { always, type Rows } from '../row.js'

const dialectOf144 = { ...pythonMemcachedDialect, storeTail: '', deleteMultiTail: '' }

export const serverRows = {
  /** The rule that finds the server of a key. */
  hash: {
    'python-memcached': { '1.44': 'raw-signed', '1.45': 'masked-one', '1.60': 'masked' },
    pylibmc: always('one-at-a-time'),
    pymemcache: always('rendezvous'),
  },
  /** Without a server that has a weight every operation on a key raises ZeroDivisionError. */
  emptyPoolRaises: { 'python-memcached': { '1.44': true, '1.54': false }, pylibmc: always(false) },
  /** The exception of the constructor for a server without a port. */
  withoutPort: {
    'python-memcached': { '1.44': 'ValueError', '1.46': 'TypeError', '1.49': undefined },
    pylibmc: always(undefined),
  },
  /** The server that is used for the keys of a failed server. */
  deadServers: {
    'python-memcached': always('next-server'),
    pylibmc: always('own-server'),
    pymemcache: always('next-server'),
  },
  /** The servers that are tried for a key: those that ten probes find, only its own, or all of them. */
  probes: { 'python-memcached': always('ten'), pylibmc: always('one'), safe: 'all' },
  /** When a command is repeated after the server closed the connection. */
  retry: {
    'python-memcached': { '1.44': 'never', '1.48': 'always', '1.53': 'without-dead-retry' },
    pylibmc: always('never'),
    pymemcache: always('never'),
  },
  /** A connection that the server closed does not mark it dead. */
  closedIsUnmarked: {
    'python-memcached': { '1.44': false, '1.52': true, '1.53': false },
    pylibmc: always(false),
  },
  /** Network failures and error replies become results, or are raised. */
  failures: {
    'python-memcached': always('swallowed'),
    pylibmc: always('raised'),
    pymemcache: always('raised'),
  },
  /** A store command on a connection that the server closed counts as refused. */
  closedIsRefusal: {
    'python-memcached': { '1.44': true, '1.52': false },
    pylibmc: always(false),
    pymemcache: always(false),
  },
  /** set_multi and delete_multi raise AttributeError on a connection that was closed. */
  multiStumbles: {
    'python-memcached': { '1.44': true, '1.53': false },
    pylibmc: always(false),
    pymemcache: always(false),
  },
  /** get_multi and get_stats read on after an error line, until the timeout. */
  stallsAtErrorLine: {
    'python-memcached': always(true),
    pylibmc: always(false),
    pymemcache: always(false),
    safe: false,
  },
  /** A reply that was not read answers the next request. pylibmc gets out of step in other, rarer cases. */
  getsOutOfStep: {
    'python-memcached': always(true),
    pylibmc: always(false),
    pymemcache: always(true),
    safe: false,
  },
  /** When a value of get cannot be read, the line after it stays unread. */
  leavesEnd: { 'python-memcached': { '1.44': true, '1.52': false }, pylibmc: always(false), safe: false },
  /** On Python 3, 1.55 to 1.57 compare bytes with text and format bytes into text. */
  mixesText: {
    'python-memcached': { '1.44': false, '1.55': true, '1.58': false },
    pylibmc: always(false),
    pymemcache: always(false),
    safe: false,
  },
  /** Python 3's log lines fail on a closed connection. */
  debugRaises: { 'python-memcached': { '1.44': false, '1.55': true }, pylibmc: always(false), safe: false },
  /** Debug lines name the expected reply as text, not as bytes. */
  debugNamesText: { 'python-memcached': { '1.44': false, '1.60': true } },
  /** The blanks in commands. */
  dialect: {
    'python-memcached': {
      '1.44': dialectOf144,
      '1.55': { ...dialectOf144, storeTail: ' ' },
      '1.58': pythonMemcachedDialect,
    },
    pylibmc: always(pylibmcDialect),
  },
  /** The servers that get_stats lists, and their names in the list. */
  statistics: { 'python-memcached': always('python-memcached'), pylibmc: always('pylibmc') },
  /** get_slab_stats can read its reply, also on Python 3. */
  readsSlabStats: { 'python-memcached': { '1.44': false, '1.60': true } },
} as const satisfies Rows
