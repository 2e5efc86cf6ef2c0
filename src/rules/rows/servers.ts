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
  /** What a server without a port raises in the constructor. */
  withoutPort: {
    'python-memcached': { '1.44': 'ValueError', '1.46': 'TypeError', '1.49': undefined },
    pylibmc: always(undefined),
  },
  /** What becomes of the keys of a server that failed. */
  deadServers: {
    'python-memcached': always('next-server'),
    pylibmc: always('own-server'),
    pymemcache: always('next-server'),
  },
  /** Which servers are tried for a key before there is none: those that ten probes meet, its own one, or all of them. */
  probes: { 'python-memcached': always('ten'), pylibmc: always('one'), safe: 'all' },
  /** What is repeated on a connection that the server closed. */
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
  /** set_multi and delete_multi stumble over a connection that was closed: AttributeError. */
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
  /** A reply that nobody read answers the next request. pylibmc has rarer ways to get out of step. */
  getsOutOfStep: {
    'python-memcached': always(true),
    pylibmc: always(false),
    pymemcache: always(true),
    safe: false,
  },
  /** When a value of get cannot be read, the line behind it stays unread. */
  leavesEnd: { 'python-memcached': { '1.44': true, '1.52': false }, pylibmc: always(false), safe: false },
  /** On Python 3, bytes are compared with text and put into text: 1.55 to 1.57. */
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
  /** How commands are spelled. */
  dialect: {
    'python-memcached': {
      '1.44': dialectOf144,
      '1.55': { ...dialectOf144, storeTail: ' ' },
      '1.58': pythonMemcachedDialect,
    },
    pylibmc: always(pylibmcDialect),
  },
  /** Which servers get_stats lists, and how it names them. */
  statistics: { 'python-memcached': always('python-memcached'), pylibmc: always('pylibmc') },
  /** get_slab_stats can read its reply, also on Python 3. */
  readsSlabStats: { 'python-memcached': { '1.44': false, '1.60': true } },
} as const satisfies Rows
