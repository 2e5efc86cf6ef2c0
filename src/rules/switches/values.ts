/** Values and their sizes. Source: docs/reference/python-memcached.md#9. */
import type { SwitchTable } from './entry.js'

export const valueSwitches = {
  'value-encoding': {
    title: 'Values are encoded by python-memcached’s rules',
    governs: ['encoding', 'pickler'],
    leaves: 'items',
    pythonMemcached:
      'writes integers with flag 2, pickles with protocol 0, compresses strictly above the length, resolves combined flags',
    pylibmc:
      'writes integers with flag 4, pickles with the highest protocol, compresses from the length on, refuses combined flags',
    since: 'all',
    reference: ['9'],
    fixture: 'stored/flag-3',
    advice:
      'No change is needed for reading: each library reads the other’s integers and pickles. Do not append or prepend to pickled values.',
  },
  'undecodable-pickle': {
    title: 'A pickle that cannot be read is None',
    governs: ['undecodablePickle'],
    leaves: 'nothing',
    pythonMemcached: 'returns None',
    pylibmc: 'raises the exception of the unpickler',
    since: 'all',
    reference: ['9.4'],
    fixture: 'stored/flag-1-garbage',
    advice: 'Catch UnpicklingError, or delete items that an older version of your code wrote.',
  },
  oversize: {
    title: 'Values over 1 MiB are ignored',
    governs: ['oversize', 'limitIsTooLong'],
    pythonMemcached: 'returns 0 and sends nothing; the old value stays',
    pylibmc: 'sends the value and raises TooBig; the server has removed the old value',
    since: 'all',
    reference: ['9.6'],
    fixture: 'sizes/set-two-megabytes',
    advice: 'Check sizes, compress with min_compress_len, or catch TooBig.',
  },
  'text-encoding': {
    title: 'Text is written by the version’s rule',
    governs: ['text', 'readsFlag16'],
    pythonMemcached:
      'up to 1.54 a pickle; 1.55 to 1.58 as bytes with flag 0; from 1.59 on UTF-8 with flag 16',
    pylibmc: 'UTF-8 with flag 16',
    since: 'all; as pylibmc from 1.59 on',
    reference: ['9.2', '17', 'trap-20'],
    fixture: 'values/text',
    shownBy: '1.58',
    advice: 'Upgrade all readers to 1.59 before a writer uses flag 16.',
  },
  'flag-0-reads': {
    title: 'Items with flag 0 are read as text',
    governs: ['flagZeroIsText'],
    pythonMemcached:
      '1.55 to 1.58 on Python 3: text, and UnicodeDecodeError when the bytes are not UTF-8; all others bytes',
    pylibmc: 'bytes',
    since: '1.55 to 1.58',
    reference: ['17', 'trap-20'],
    fixture: 'values/bytes',
    shownBy: '1.58',
    advice:
      'Expect bytes (a Buffer) for values that were stored as bytes, and decode them where you need text.',
  },
  booleans: {
    title: 'Booleans are read as booleans',
    governs: ['booleans'],
    pythonMemcached:
      'pickles them from 1.59 on; before, they are the integers 1 and 0 (1.55 and 1.56: the words True and False, which raise ValueError when they are read)',
    pylibmc: 'writes the integers 1 and 0 with flag 2',
    since: '1.59',
    reference: ['9.2', 'trap-19'],
    fixture: 'values/true',
    advice: 'Do not distinguish True from 1 after reading; store booleans as integers.',
  },
  subclasses: {
    title: 'Subclasses of str and int are pickled',
    governs: ['exactTypes'],
    leaves: 'items',
    onlyInProgram: true,
    pythonMemcached:
      'pickles them from 1.59 on (String, Number and Boolean objects here: PicklingError); before, as their base type',
    pylibmc: 'stores them as their base type',
    since: '1.59',
    reference: ['9.2', 'trap-21'],
    fixture: 'values/subclass',
    silent: 'a trace does not contain the object’s class; String and Number objects do announce a divergence',
    advice: 'Convert to plain text or a plain number before storing.',
  },
  'unknown-flags': {
    title: 'Unknown flags raise ValueError',
    governs: ['unknownFlags', 'unknownFlagsWithZlib'],
    pythonMemcached: 'raises ValueError (UnboundLocalError up to 1.53) for flags it does not know',
    pylibmc: 'uses the flags it knows, and returns bytes when there are none',
    since: 'all',
    reference: ['9.4', '17'],
    fixture: 'stored/flag-32',
    advice: 'Check the type of values that you read if other programs write to the same cache.',
  },
} as const satisfies SwitchTable
