/** What differs between the versions of python-memcached. Source: docs/reference/python-memcached.md#17, #21. */
import type { PythonMemcachedHash } from '../hashing/index.js'
import type { WireDialect } from '../protocol/wire.js'

/** Facts of one version that the policies need. */
export interface VersionFacts {
  readonly version: string
  /** Versions up to 1.54 run on Python 2 only; texts of exceptions differ. */
  readonly python: 2 | 3
  readonly hash: PythonMemcachedHash
  /** Flags that are read: from 1.59 on 16 is text. */
  readonly values: '1.58' | '1.59'
  readonly text: 'pickle' | 'flag-0' | 'flag-16'
  /** Python 2's pickler in C, or the one written in Python; Python 3's C pickler. */
  readonly pickler: 'cPickle' | 'pickle' | '_pickle'
  readonly flagZeroIsText: boolean
  /** The digit 1 or 0; the words True and False, which no version can read; or pickled. */
  readonly booleans: 'integer' | 'word' | 'pickle'
  /** Subclasses of str and int count as what they are. */
  readonly exactTypes: boolean
  readonly unknownFlags: 'UnboundLocalError' | 'ValueError'
  /** The complaint names the flags with the bit for compressed values. */
  readonly unknownFlagsWithZlib: boolean
  /** A value of exactly the limit is refused. */
  readonly limitIsTooLong: boolean
  /** Counting a missing key. */
  readonly missingCounter: 'ValueError' | 'None'
  /** Counting without a server. */
  readonly counterWithoutServer: 0 | null
  /** What delete returns for a missing key. */
  readonly missingDelete: 0 | 1
  /** What delete returns for an error line. */
  readonly refusedDelete: 0 | 1
  /** delete's time: never sent, sent unless zero, sent unless None, always sent. */
  readonly deleteTime: 'never' | 'not-zero' | 'not-none' | 'always'
  /** delete_multi sends the time 0 when there is none. */
  readonly deleteMultiTime: boolean
  readonly retry: 'never' | 'always' | 'without-dead-retry'
  /** A connection that the server closed does not mark it dead. */
  readonly closedIsUnmarked: boolean
  /** A store command on a connection that the server closed counts as refused. */
  readonly closedIsRefusal: boolean
  /** set_multi and delete_multi stumble over a connection that was closed: AttributeError. */
  readonly multiStumbles: boolean
  /** When a value of get cannot be read, the line behind it stays unread. */
  readonly leavesEnd: boolean
  /** Without a server that has a weight every operation on a key raises ZeroDivisionError. */
  readonly emptyPoolRaises: boolean
  /** What a server without a port raises in the constructor. */
  readonly withoutPort: 'ValueError' | 'TypeError' | undefined
  /** One trailing line feed passes the key check. */
  readonly newlineKeys: boolean
  /** Spaces pass the key check. */
  readonly spaceKeys: boolean
  readonly keyTexts: KeyTexts
  readonly multiTuples: 'whole' | 'broken'
  readonly casIds: 'none' | 'always' | 'opt-in'
  /** touch(k, 0) sends no time, which the server refuses. */
  readonly dropsZeroTouch: boolean
  /** `get` has a default, returned on misses and error replies; the same version brought quit_all and key_encoder. */
  readonly defaults: boolean
  readonly timedelta: boolean
  readonly oversizeInSetMulti: 'TypeError' | 'stall'
  /** On Python 3, bytes are compared with text and put into text: 1.55 to 1.57. */
  readonly mixesText: boolean
  /** On Python 3, 1.55 to 1.58 fail to word its complaint about a refused delete or touch: TypeError instead of 0. */
  readonly refusalRaises: boolean
  /** Python 3's log lines fail on a closed connection. */
  readonly debugRaises: boolean
  readonly dialect: WireDialect
}

/** The key check, in the words of the version. */
export interface KeyTexts {
  readonly type: string
  readonly characters: 'bare' | 'with-key'
  /** Every key that Python takes for false is "None". */
  readonly falsyIsNone: boolean
  /** 1.54 alone stumbles over bytes from 0x80 on: UnicodeDecodeError. */
  readonly asciiOnly: boolean
}

const python2Dialect: WireDialect = {
  name: 'python-memcached',
  storeTail: '',
  deleteMultiTail: '',
  flushAll: 'flush_all',
  stats: 'stats',
}
const earlyPython3Dialect: WireDialect = { ...python2Dialect, storeTail: ' ' }
const python3Dialect: WireDialect = { ...earlyPython3Dialect, deleteMultiTail: ' ' }

const v144: VersionFacts = {
  version: '1.44',
  python: 2,
  hash: 'raw-signed',
  values: '1.58',
  text: 'pickle',
  pickler: 'cPickle',
  flagZeroIsText: false,
  booleans: 'integer',
  exactTypes: false,
  unknownFlags: 'UnboundLocalError',
  unknownFlagsWithZlib: false,
  limitIsTooLong: true,
  missingCounter: 'ValueError',
  counterWithoutServer: 0,
  missingDelete: 1,
  refusedDelete: 1,
  deleteTime: 'always',
  deleteMultiTime: true,
  retry: 'never',
  closedIsUnmarked: false,
  closedIsRefusal: true,
  multiStumbles: true,
  leavesEnd: true,
  emptyPoolRaises: true,
  withoutPort: 'ValueError',
  newlineKeys: false,
  spaceKeys: true,
  keyTexts: { type: "Key must be str()'s", characters: 'bare', falsyIsNone: true, asciiOnly: false },
  multiTuples: 'whole',
  casIds: 'none',
  dropsZeroTouch: false,
  defaults: false,
  timedelta: false,
  oversizeInSetMulti: 'TypeError',
  mixesText: false,
  refusalRaises: false,
  debugRaises: false,
  dialect: python2Dialect,
}

const v147: VersionFacts = {
  ...v144,
  version: '1.47',
  hash: 'masked-one',
  missingCounter: 'None',
  refusedDelete: 0,
  casIds: 'always',
  oversizeInSetMulti: 'stall',
  withoutPort: 'TypeError',
  spaceKeys: false,
}

const v152: VersionFacts = {
  ...v147,
  version: '1.52',
  limitIsTooLong: false,
  counterWithoutServer: null,
  deleteTime: 'not-zero',
  retry: 'always',
  closedIsUnmarked: true,
  closedIsRefusal: false,
  leavesEnd: false,
  withoutPort: undefined,
  newlineKeys: true,
  casIds: 'opt-in',
}

const v153: VersionFacts = {
  ...v152,
  version: '1.53',
  retry: 'without-dead-retry',
  closedIsUnmarked: false,
  multiStumbles: false,
}

const v154: VersionFacts = {
  ...v153,
  version: '1.54',
  unknownFlags: 'ValueError',
  unknownFlagsWithZlib: true,
  emptyPoolRaises: false,
  keyTexts: { ...v153.keyTexts, characters: 'with-key', asciiOnly: true },
  pickler: 'pickle',
  dropsZeroTouch: true,
}

/** On Python 3. What 1.55 is: its source differs from that of 1.56 in the version number alone. */
const v156: VersionFacts = {
  ...v154,
  version: '1.56',
  python: 3,
  unknownFlagsWithZlib: false,
  pickler: '_pickle',
  text: 'flag-0',
  flagZeroIsText: true,
  booleans: 'word',
  keyTexts: {
    type: 'Key must be a binary string',
    characters: 'with-key',
    falsyIsNone: false,
    asciiOnly: false,
  },
  multiTuples: 'broken',
  mixesText: true,
  refusalRaises: true,
  debugRaises: true,
  dialect: earlyPython3Dialect,
}

const v157: VersionFacts = { ...v156, version: '1.57', booleans: 'integer' }

const v158: VersionFacts = {
  ...v157,
  version: '1.58',
  deleteMultiTime: false,
  mixesText: false,
  dialect: python3Dialect,
}

const v159: VersionFacts = {
  ...v158,
  version: '1.59',
  values: '1.59',
  text: 'flag-16',
  flagZeroIsText: false,
  booleans: 'pickle',
  exactTypes: true,
  deleteTime: 'not-none',
  dropsZeroTouch: false,
  refusalRaises: false,
}

const v160: VersionFacts = {
  ...v159,
  version: '1.60',
  hash: 'masked',
  deleteTime: 'never',
  multiTuples: 'whole',
  defaults: true,
  timedelta: true,
}

/** Oldest first. Each stands for the versions up to the next one. */
export const versions = {
  'python-memcached-1.44': v144,
  'python-memcached-1.47': v147,
  'python-memcached-1.52': v152,
  'python-memcached-1.53': v153,
  'python-memcached-1.54': v154,
  'python-memcached-1.55': { ...v156, version: '1.55' },
  'python-memcached-1.56': v156,
  'python-memcached-1.57': v157,
  'python-memcached-1.58': v158,
  'python-memcached-1.59': v159,
  'python-memcached-1.60': v160,
  'python-memcached-1.61': { ...v160, version: '1.61' },
  'python-memcached-1.62': { ...v160, version: '1.62', missingDelete: 0 },
} as const satisfies Record<string, VersionFacts>

export type VersionName = keyof typeof versions

/** Since which version there is a method or an argument. Source: docs/reference/python-memcached.md#17. */
const since = {
  checkKey: 1.45,
  statsArgument: 1.45,
  gets: 1.45,
  cas: 1.45,
  resetCas: 1.48,
  touch: 1.54,
  noreply: 1.55,
  compressor: 1.55,
  getSlabStats: 1.58,
  quitAll: 1.6,
  keyEncoder: 1.6,
} as const

export type Feature = keyof typeof since

export function has({ version }: VersionFacts, feature: Feature): boolean {
  return Number(version) >= since[feature]
}
