/** Keys, placement and operations on many keys. Source: docs/reference/python-memcached.md#6, #8, #13.2. */
import type { SwitchTable } from './entry.js'

export const keySwitches = {
  hashing: {
    title: 'Keys are placed by CRC-32',
    governs: ['hash'],
    pythonMemcached: 'bits 16–30 of the CRC-32 modulo the weighted bucket list',
    pylibmc: 'libmemcached’s one-at-a-time hash modulo the number of servers, weights ignored',
    since: 'all (zero hashes moved in 1.60)',
    reference: ['6'],
    fixture: 'hashing/servers-3',
    advice:
      'Set the behavior hash to crc to keep the placement of 1.60 and later (without weights), or plan for misses of every key.',
  },
  keys: {
    title: 'Keys are checked by python-memcached’s rules',
    governs: ['keyCheck', 'keyTexts', 'tupleOfNoneIsNone', 'keysBeforePrefix'],
    pythonMemcached:
      'raises MemcachedKey…Error for bad keys, converts numbers to text in multi operations, takes (hash, key) tuples',
    pylibmc:
      'raises ValueError over 250 bytes and TypeError for other types; empty keys return the result of a miss',
    since: 'all',
    reference: ['8'],
    fixture: 'keys/empty',
    advice: 'Give the client keys of at most 250 bytes without blanks, as text.',
  },
  'set-multi': {
    title: 'set_multi writes to all servers at once and continues after failures',
    governs: ['setMulti'],
    pythonMemcached: 'lists keys that were refused, leaves out keys of servers that fail, tries every key',
    pylibmc: 'stores one key after another and raises at the first hard error; later keys are not tried',
    since: '1.58',
    reference: ['13.2'],
    fixture: 'faults/set-multi-close',
    advice:
      'Catch MemcachedError around set_multi and treat the failed key and all later keys as not stored.',
  },
  'trailing-newline-keys': {
    title: 'A key may end with a line feed',
    governs: ['newlineKeys'],
    pythonMemcached:
      'from 1.52 on one trailing line feed passes the check and shifts every later reply; takes effect with desynchronisation, otherwise as safe',
    pylibmc: 'raises BadKeyProvided (see keys)',
    safe: 'raises MemcachedKeyCharacterError',
    preset: 'safe',
    since: '1.52',
    reference: ['8.1', '14', 'trap-1'],
    fixture: 'keys/trailing-newline',
    silent: 'python-memcached does not detect it, and the setting safe raises',
    advice: 'Strip keys that come from lines of text.',
  },
  'multi-tuple-keys': {
    title: 'Tuple keys break in operations on many keys',
    governs: ['multiTuples'],
    pythonMemcached:
      '1.55 to 1.59: get_multi returns the key without its hash, set_multi raises KeyError; other versions accept tuple keys',
    pylibmc: 'raises TypeError for tuple keys (see keys)',
    since: '1.55 to 1.59',
    reference: ['8.2', 'trap-36'],
    fixture: 'keys/tuple-multi',
    advice: 'Use plain keys.',
  },
  'key-encoder-twice': {
    title: 'key_encoder is applied twice to many keys',
    governs: ['encodesTwice'],
    pythonMemcached:
      'encodes keys of get_multi, set_multi and delete_multi a second time; results of get_multi show the encoded keys',
    pylibmc: 'has no key_encoder: keys are encoded once, before they are given to the client',
    safe: 'encodes once, and results contain the caller’s keys',
    since: '1.60',
    reference: ['8.4', 'trap-35'],
    fixture: 'test/integration/key-encoder.test.ts',
    silent: 'scenarios cannot contain functions; the test compares with the real library',
    advice: 'Encode keys in one place of your code, before you give them to the client.',
  },
  'set-multi-oversize': {
    title: 'set_multi waits for the reply to a value that was not sent',
    governs: ['oversizeInSetMulti'],
    pythonMemcached:
      'after an oversize value waits for a timeout, marks the server dead, and lists wrong keys (up to 1.45: TypeError)',
    pylibmc: 'sends the value and raises TooBig (see set-multi)',
    safe: 'lists exactly the keys that were not stored, without waiting',
    since: 'all',
    reference: ['13.2', 'trap-8'],
    fixture: 'sizes/set-multi-oversize',
    advice: 'Check sizes before storing.',
  },
  'set-multi-losses': {
    title: 'set_multi does not list every key it lost',
    governs: ['lossesInSetMulti'],
    pythonMemcached:
      'leaves out keys without a server, and those unread when the connection was reset or timed out',
    pylibmc: 'raises at the first failure (see set-multi)',
    safe: 'lists every key that is not known to be stored',
    since: 'all',
    reference: ['13.2', 'trap-7'],
    fixture: 'faults/set-multi-reset',
    advice: 'Treat set_multi as best effort, or read important keys back.',
  },
  'wire-spelling': {
    title: 'Commands have python-memcached’s blanks',
    governs: ['dialect'],
    pythonMemcached:
      'a blank before the line end of store commands (since 1.55) and of delete_multi (since 1.58)',
    pylibmc: 'no blank; flush_all and stats with one',
    since: '1.55',
    reference: ['16.1', 'trap-43'],
    fixture: 'storage/set-missing',
    silent: 'only bytes on the wire change, no outcome',
    advice: 'No change is needed, unless a test compares bytes.',
  },
} as const satisfies SwitchTable
