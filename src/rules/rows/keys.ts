/**
 * Keys, and operations on many of them. Sources: docs/reference/python-memcached.md#8, #13.2, #17 and docs/reference/pylibmc.md#3, #5;
 * each is shown by fixtures/recordings/.
 */
import { always, type Rows } from '../row.js'

export const keyRows = {
  /** The library whose check a key has to pass, and whose errors it raises. */
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
   * The messages of the key check. `falsyIsNone`: every key that Python takes for false is "None"; `asciiOnly`: only 1.54
   * raises UnicodeDecodeError for bytes from 0x80 on.
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
  /** Operations on many keys return tuple keys unchanged, or without their hash. */
  multiTuples: {
    'python-memcached': { '1.44': 'whole', '1.55': 'broken', '1.60': 'whole' },
    pylibmc: always('refused'),
    pymemcache: always('refused'),
  },
  /** In operations on many keys a tuple whose key is None counts as None. */
  tupleOfNoneIsNone: { 'python-memcached': { '1.44': false, '1.55': true, '1.60': false } },
  /** key_encoder is applied a second time to the keys of operations on many keys. */
  encodesTwice: { 'python-memcached': always(true), pylibmc: always(false), safe: false },
  /** get_multi checks every key before it checks the prefix. */
  keysBeforePrefix: { 'python-memcached': { '1.44': false, '1.60': true } },
  /** set_multi writes to all servers at once and continues after failures, stores key by key and raises at the first, or
   * sends everything and raises at the first error line. */
  setMulti: {
    'python-memcached': always('all-servers'),
    pylibmc: always('key-by-key'),
    pymemcache: always('all-at-once'),
  },
  /** The effect of a value over the limit in set_multi. `listed`: its key is listed, without a wait. */
  oversizeInSetMulti: {
    'python-memcached': { '1.44': 'TypeError', '1.46': 'stall' },
    pylibmc: always('TooBig'),
    safe: 'listed',
  },
  /** The treatment of keys of set_multi that were not stored, or for which that is not known. */
  lossesInSetMulti: {
    'python-memcached': always('left-out'),
    pylibmc: always('raised'),
    pymemcache: always('left-out'),
    safe: 'listed',
  },
} as const satisfies Rows
