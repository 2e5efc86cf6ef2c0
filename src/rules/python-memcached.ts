/**
 * What differs between the versions of python-memcached: a row is a fact with its history, a version is a column. A fact holds from
 * the version that is named until the next one. Source: docs/reference/python-memcached.md#17, #21; each is shown by
 * fixtures/recordings/.
 */
import type { WireDialect } from '../protocol/wire.js'
import { type History, valueAt, versionAtLeast } from './version.js'

const dialect: WireDialect = {
  name: 'python-memcached',
  storeTail: '',
  deleteMultiTail: '',
  flushAll: 'flush_all',
  stats: 'stats',
}

const rows = {
  /** The Python that a preset stands for. 1.55 to 1.59 also run on Python 2, and have no preset for it. */
  python: { '1.44': 2, '1.55': 3 },

  // ── placement and servers ──
  hash: { '1.44': 'raw-signed', '1.45': 'masked-one', '1.60': 'masked' },
  /** Without a server that has a weight every operation on a key raises ZeroDivisionError. */
  emptyPoolRaises: { '1.44': true, '1.54': false },
  /** What a server without a port raises in the constructor. */
  withoutPort: { '1.44': 'ValueError', '1.46': 'TypeError', '1.49': undefined },
  /** What is repeated on a connection that the server closed. */
  retry: { '1.44': 'never', '1.48': 'always', '1.53': 'without-dead-retry' },
  /** A connection that the server closed does not mark it dead. */
  closedIsUnmarked: { '1.44': false, '1.52': true, '1.53': false },
  /** A store command on a connection that the server closed counts as refused. */
  closedIsRefusal: { '1.44': true, '1.52': false },
  /** set_multi and delete_multi stumble over a connection that was closed: AttributeError. */
  multiStumbles: { '1.44': true, '1.53': false },
  /** On Python 3, bytes are compared with text and put into text: 1.55 to 1.57. */
  mixesText: { '1.44': false, '1.55': true, '1.58': false },
  /** Python 3's log lines fail on a closed connection. */
  debugRaises: { '1.44': false, '1.55': true },

  // ── keys ──
  /** Spaces pass the key check. */
  spaceKeys: { '1.44': true, '1.47': false },
  /** One trailing line feed passes the key check. */
  newlineKeys: { '1.44': false, '1.52': true },
  /**
   * The key check, in the words of the version. `falsyIsNone`: every key that Python takes for false is "None"; `asciiOnly`: 1.54 alone
   * stumbles over bytes from 0x80 on, UnicodeDecodeError.
   */
  keyTexts: {
    '1.44': { type: "Key must be str()'s", characters: 'bare', falsyIsNone: true, asciiOnly: false },
    '1.54': { type: "Key must be str()'s", characters: 'with-key', falsyIsNone: true, asciiOnly: true },
    '1.55': {
      type: 'Key must be a binary string',
      characters: 'with-key',
      falsyIsNone: false,
      asciiOnly: false,
    },
  },
  /** Tuple keys of operations on many come back whole, or lose their hash. */
  multiTuples: { '1.44': 'whole', '1.55': 'broken', '1.60': 'whole' },

  // ── values ──
  /** Flags that are read: from 1.59 on 16 is text. */
  values: { '1.44': '1.58', '1.59': '1.59' },
  text: { '1.44': 'pickle', '1.55': 'flag-0', '1.59': 'flag-16' },
  /** Python 2's pickler in C, or the one written in Python; Python 3's C pickler. */
  pickler: { '1.44': 'cPickle', '1.54': 'pickle', '1.55': '_pickle' },
  flagZeroIsText: { '1.44': false, '1.55': true, '1.59': false },
  /** The digit 1 or 0; the words True and False, which no version can read; or pickled. */
  booleans: { '1.44': 'integer', '1.55': 'word', '1.57': 'integer', '1.59': 'pickle' },
  /** Subclasses of str and int are pickled; before, they counted as what they are. */
  exactTypes: { '1.44': false, '1.59': true },
  unknownFlags: { '1.44': 'UnboundLocalError', '1.54': 'ValueError' },
  /** The complaint names the flags with the bit for compressed values. */
  unknownFlagsWithZlib: { '1.44': false, '1.54': true, '1.55': false },
  /** A value of exactly the limit is refused. */
  limitIsTooLong: { '1.44': true, '1.48': false },
  oversizeInSetMulti: { '1.44': 'TypeError', '1.46': 'stall' },
  /** When a value of get cannot be read, the line behind it stays unread. */
  leavesEnd: { '1.44': true, '1.52': false },

  // ── arguments and results ──
  /** Counting a missing key. */
  missingCounter: { '1.44': 'ValueError', '1.45': 'None' },
  /** Counting without a server. */
  counterWithoutServer: { '1.44': 0, '1.49': null },
  /** What delete returns for a missing key. */
  missingDelete: { '1.44': 1, '1.62': 0 },
  /** What delete returns for an error line. */
  refusedDelete: { '1.44': 1, '1.46': 0 },
  /** delete's time: always sent, sent unless zero, sent unless None, never sent. */
  deleteTime: { '1.44': 'always', '1.48': 'not-zero', '1.59': 'not-none', '1.60': 'never' },
  /** delete_multi sends the time 0 when there is none. */
  deleteMultiTime: { '1.44': true, '1.58': false },
  casIds: { '1.44': 'none', '1.45': 'always', '1.48': 'opt-in' },
  /** touch(k, 0) sends no time, which the server refuses. */
  dropsZeroTouch: { '1.44': false, '1.54': true, '1.59': false },
  /** `get` has a default, returned on misses and error replies; the same version brought quit_all and key_encoder. */
  defaults: { '1.44': false, '1.60': true },
  timedelta: { '1.44': false, '1.60': true },
  /** On Python 3, 1.55 to 1.58 fail to word their complaint about a refused delete or touch: TypeError instead of 0. */
  refusalRaises: { '1.44': false, '1.55': true, '1.59': false },
  /** How commands are spelled. */
  dialect: {
    '1.44': dialect,
    '1.55': { ...dialect, storeTail: ' ' },
    '1.58': { ...dialect, storeTail: ' ', deleteMultiTail: ' ' },
  },
} as const satisfies Readonly<Record<string, History>>

type Rows = typeof rows

/** What the policies of the compat client need to know of one version of python-memcached. */
export type VersionFacts = { readonly version: string } & {
  readonly [Fact in keyof Rows]: Rows[Fact][keyof Rows[Fact]]
}

/** Versions that have a preset, oldest first. Each stands for the versions up to the next one. */
const columns = [
  '1.44', '1.47', '1.52', '1.53', '1.54', '1.55', '1.56', '1.57', '1.58', '1.59', '1.60', '1.61', '1.62',
] as const // biome-ignore format: one list

export type VersionName = `python-memcached-${(typeof columns)[number]}`

/** The column of a version. */
function factsOf(version: string): VersionFacts {
  const facts = Object.entries<History>(rows).map(([fact, history]) => [fact, valueAt(history, version)])
  return { version, ...Object.fromEntries(facts) }
}

/** Every column, oldest version first. */
export const versions = Object.fromEntries(
  columns.map((version) => [`python-memcached-${version}`, factsOf(version)]),
) as Readonly<Record<VersionName, VersionFacts>>

/** Since which version there is a method or an argument. */
const since = {
  checkKey: '1.45',
  statsArgument: '1.45',
  gets: '1.45',
  cas: '1.45',
  resetCas: '1.48',
  touch: '1.54',
  noreply: '1.55',
  compressor: '1.55',
  getSlabStats: '1.58',
  quitAll: '1.60',
  keyEncoder: '1.60',
} as const

export type Feature = keyof typeof since

export function has({ version }: VersionFacts, feature: Feature): boolean {
  return versionAtLeast(version, since[feature])
}
