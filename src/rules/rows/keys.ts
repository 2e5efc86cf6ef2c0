/**
 * Keys, and operations on many of them. Sources: docs/reference/python-memcached.md#8, #13.2, #17 and docs/reference/pylibmc.md#3, #5;
 * each is shown by fixtures/recordings/.
 */
import { always, type Rows } from '../row.js'

export const keyRows = {
  /** Whose check a key has to pass, and whose errors it raises. */
  keyCheck: {
    'python-memcached': always('python-memcached'),
    pylibmc: always('pylibmc'),
    pymemcache: always('pymemcache'),
  },
  /** Spaces pass the key check. */
  spaceKeys: {
    'python-memcached': { '1.44': true, '1.47': false },
    pylibmc: always(true),
    pymemcache: always(false),
    off: false,
    safe: false,
  },
  /** One trailing line feed passes the key check. */
  newlineKeys: {
    'python-memcached': { '1.44': false, '1.52': true },
    pylibmc: always(false),
    pymemcache: always(false),
    safe: false,
  },
  /**
   * The key check, in the words of the version. `falsyIsNone`: every key that Python takes for false is "None"; `asciiOnly`: 1.54 alone
   * stumbles over bytes from 0x80 on, UnicodeDecodeError.
   */
  keyTexts: {
    'python-memcached': {
      '1.44': { type: "Key must be str()'s", characters: 'bare', falsyIsNone: true, asciiOnly: false },
      '1.54': { type: "Key must be str()'s", characters: 'with-key', falsyIsNone: true, asciiOnly: true },
      '1.55': {
        type: 'Key must be a binary string',
        characters: 'with-key',
        falsyIsNone: false,
        asciiOnly: false,
      },
    },
  },
  /** Tuple keys of operations on many come back whole, or lose their hash. */
  multiTuples: {
    'python-memcached': { '1.44': 'whole', '1.55': 'broken', '1.60': 'whole' },
    pylibmc: always('refused'),
    pymemcache: always('refused'),
  },
  /** In operations on many a tuple whose key is None counts as None. */
  tupleOfNoneIsNone: { 'python-memcached': { '1.44': false, '1.55': true, '1.60': false } },
  /** key_encoder is applied once more to the keys of operations on many. */
  encodesTwice: { 'python-memcached': always(true), pylibmc: always(false), safe: false },
  /** get_multi looks at every key before it looks at the prefix. */
  keysBeforePrefix: { 'python-memcached': { '1.44': false, '1.60': true } },
  /** set_multi writes to all servers at once and goes on after failures, stores key by key and raises at the first, or
   * sends everything and raises at the first error line. */
  setMulti: {
    'python-memcached': always('all-servers'),
    pylibmc: always('key-by-key'),
    pymemcache: always('all-at-once'),
  },
  /** What a value over the limit does in set_multi. `listed`: its key is listed, and nothing is waited for. */
  oversizeInSetMulti: {
    'python-memcached': { '1.44': 'TypeError', '1.46': 'stall' },
    pylibmc: always('TooBig'),
    safe: 'listed',
  },
  /** Keys of set_multi that were not stored, or not known to be. */
  lossesInSetMulti: {
    'python-memcached': always('left-out'),
    pylibmc: always('raised'),
    pymemcache: always('left-out'),
    safe: 'listed',
  },
} as const satisfies Rows
