/**
 * The table of differences between versions of memcached that a client can observe. Facts: fixtures/conversations, which were
 * recorded from ten versions; for the versions in between, memcached's history of changes.
 */
import { checkText } from '../ground/arguments.js'
import { compareVersions } from '../rules/version.js'

/** The facts of one version. */
export interface ServerFacts {
  readonly version: string
  /** The version that the server reports. */
  readonly says: string
  /** `words`: the older parser. `requests`: the parser that came with the proxy; it ignores words that a command does not know, including a time of `delete`. */
  readonly parser: 'words' | 'requests'
  /** `loose`: numbers may have a sign, blanks around them and 64 bits, of which the lower half counts; `exact`: only digits that fit their field. */
  readonly numbers: 'loose' | 'exact'
  /** `gat` and `gats`. */
  readonly getAndTouch: boolean
  /** `mg`, `ms`, `md`, `ma`. In the drafts the length of a value is a flag, and the data block after another form is run as commands. */
  readonly meta: 'none' | 'drafts' | 'final'
  /** The CAS unique of a server's first item. */
  readonly firstCas: 1 | 2
  /** The treatment of words after `version` and `quit`, and of `gat` without a key. */
  readonly furtherWords: 'refused' | 'ignored'
  /** Whether `flush_all` and `verbosity` ignore an invalid number or answer with an error. */
  readonly badNumbers: 'ignored' | 'refused'
  /** Whether the binary protocol knows opcode 0x1b, and skips the body of an unknown opcode. */
  readonly skipsUnknownBinary: boolean
  /** The effect of `touch` and `gat` with a time further in the past than the server's start. */
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

/** @throws RangeError for a text that is not a version like `1.6.18`, and for a version before 1.4 */
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
