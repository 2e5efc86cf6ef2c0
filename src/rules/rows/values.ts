/**
 * Values and their sizes. Sources: docs/reference/python-memcached.md#9, #17 and docs/reference/pylibmc.md#4, #7.4; each is shown by
 * fixtures/recordings/.
 */
import { always, type Rows } from '../row.js'

export const valueRows = {
  /** Flags of integers, protocol of pickles, the limit of compression, and the meaning of combined flags. */
  encoding: {
    'python-memcached': always('python-memcached'),
    pylibmc: always('pylibmc'),
    pymemcache: always('text'),
  },
  /** The pickler: Python 2's in C, Python 2's in Python, or Python 3's in C. */
  pickler: {
    'python-memcached': { '1.44': 'cPickle', '1.54': 'pickle', '1.55': '_pickle' },
    pylibmc: always('_pickle'),
  },
  /** The stored form of text. */
  text: {
    'python-memcached': { '1.44': 'pickle', '1.55': 'untyped', '1.59': 'flagged' },
    pylibmc: always('flagged'),
    pymemcache: always('untyped'),
  },
  /** Flag 16 is read as text. */
  readsFlag16: {
    'python-memcached': { '1.44': false, '1.59': true },
    pylibmc: always(true),
    pymemcache: always(false),
  },
  /** Items with flag 0 are read as text. */
  flagZeroIsText: {
    'python-memcached': { '1.44': false, '1.55': true, '1.59': false },
    pylibmc: always(false),
    pymemcache: always(false),
  },
  /** The stored form of booleans: the digits 1 and 0, the words True and False (which no version can read), or a pickle. */
  booleans: {
    'python-memcached': { '1.44': 'digit', '1.55': 'word', '1.57': 'digit', '1.59': 'pickle' },
    pylibmc: always('digit'),
    pymemcache: always('word'),
  },
  /** Subclasses of str and int are pickled; otherwise they are stored as their base type. */
  exactTypes: { 'python-memcached': { '1.44': false, '1.59': true }, pylibmc: always(false) },
  /** A pickle that cannot be read is None, or raises. */
  undecodablePickle: {
    'python-memcached': always('None'),
    pylibmc: always('raises'),
    pymemcache: always('bytes'),
  },
  /** The exception for unknown flags; pylibmc returns the bytes. */
  unknownFlags: {
    'python-memcached': { '1.44': 'UnboundLocalError', '1.54': 'ValueError' },
    pylibmc: always('bytes'),
    pymemcache: always('bytes'),
  },
  /** The message names the flags with the bit for compressed values. */
  unknownFlagsWithZlib: {
    'python-memcached': { '1.44': false, '1.54': true, '1.55': false },
    pylibmc: always(false),
  },
  /** Values over the limit are not sent, or are sent and refused by the server. */
  oversize: { 'python-memcached': always('not-sent'), pylibmc: always('sent'), pymemcache: always('sent') },
  /** A value of exactly the limit is refused. */
  limitIsTooLong: {
    'python-memcached': { '1.44': true, '1.48': false },
    pylibmc: always(false),
    pymemcache: always(false),
  },
} as const satisfies Rows
