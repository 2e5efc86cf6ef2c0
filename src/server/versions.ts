/**
 * What differs between versions of memcached, as far as a client can tell: the one table of it. Facts: fixtures/conversations, which were
 * recorded from ten versions; for the versions in between, memcached's history of changes.
 */
import { checkText } from '../ground/arguments.js'
import { compareVersions } from '../rules/version.js'

/** How one version behaves. */
export interface ServerFacts {
  readonly version: string
  /** What it calls itself. */
  readonly says: string
  /** `requests`: the parser that the proxy brought; it ignores words that a command does not know, a time of `delete` included. */
  readonly parser: 'words' | 'requests'
  /** Numbers may have a sign, blanks around them and 64 bits, of which the lower half counts; or only digits that fit their field. */
  readonly numbers: 'loose' | 'exact'
  /** `gat` and `gats`. */
  readonly getAndTouch: boolean
  /** `mg`, `ms`, `md`, `ma`. The drafts take the length of a value as a flag, and run a value behind another form as commands. */
  readonly meta: 'none' | 'drafts' | 'final'
  /** The CAS unique of a server's first item. */
  readonly firstCas: 1 | 2
  /** What words behind `version` and `quit` lead to, and `gat` without a key. */
  readonly furtherWords: 'refused' | 'ignored'
  /** What a number that cannot be read means to `flush_all` and `verbosity`: nothing, or an error. */
  readonly badNumbers: 'ignored' | 'refused'
  /** Whether the binary protocol knows opcode 0x1b, and passes over the body of an opcode it does not know. */
  readonly skipsUnknownBinary: boolean
  /** What `touch` and `gat` with a time further in the past than the server's start do to an item. */
  readonly negativeTouch: 'expires' | 'lives'
}

type Changes = {
  readonly [Fact in Exclude<keyof ServerFacts, 'version' | 'says'>]: readonly (readonly [
    since: string,
    is: ServerFacts[Fact],
  ])[]
}

const changes: Changes = {
  parser: [
    ['0', 'words'],
    ['1.6.40', 'requests'],
  ],
  numbers: [
    ['0', 'loose'],
    ['1.6.45', 'exact'],
  ],
  getAndTouch: [
    ['0', false],
    ['1.5.3', true],
  ],
  meta: [
    ['0', 'none'],
    ['1.6.0', 'drafts'],
    ['1.6.10', 'final'],
  ],
  firstCas: [
    ['0', 1],
    ['1.6.27', 2],
  ],
  furtherWords: [
    ['0', 'refused'],
    ['1.6.6', 'ignored'],
  ],
  badNumbers: [
    ['0', 'ignored'],
    ['1.6.7', 'refused'],
  ],
  skipsUnknownBinary: [
    ['0', false],
    ['1.6.0', true],
  ],
  negativeTouch: [
    ['0', 'lives'],
    ['1.6.1', 'expires'],
  ],
}

/** The version that `startServer` emulates by default. */
export const defaultVersion = '1.6.18'

/** The newest version that has been recorded. */
export const newestVersion = '1.6.45'

/** @throws RangeError when it is not a version like `1.6.18`, or one before 1.4 */
export function serverFacts(version: string): ServerFacts {
  checkText('version', version)
  if (typeof version !== 'string' || !/^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(version))
    throw new RangeError(`version is ${String(version)}, not a version of memcached like 1.6.18`)
  if (compareVersions(version, '1.4.0') < 0)
    throw new RangeError(`version is ${version}: memcached is known here from 1.4.0 on`)
  const facts = Object.entries(changes).map(([fact, history]) => [
    fact,
    history.filter(([since]) => compareVersions(since, version) <= 0).at(-1)![1],
  ])
  return { version, says: version, ...Object.fromEntries(facts) }
}
