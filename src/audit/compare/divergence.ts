/** The part of a divergence event that the audit keeps, and its facts about a switch. */
import { type Switch, switches } from '../../rules/index.js'
import type { DifferingRow } from '../columns.js'
import { pymemcacheFindings } from '../pymemcache/findings.js'
import { type Outcome, refusedByPython } from './outcome.js'

export interface Announced {
  /** A switch of the compat client. */
  readonly switch: string
  /** The camelCase method. */
  readonly operation: string
  readonly key?: string | undefined
  readonly server?: string | undefined
  /** Short descriptions of the two outcomes, e.g. `None`, `raises NotFound (16)`. */
  readonly compat: string
  readonly strict: string
  /** Class of the exception that pylibmc would raise. */
  readonly raises?: string | undefined
}

/** One row of a report's explanations; from the compat client's switch table, or one of the audit's own. */
export interface SwitchInfo
  extends Pick<
    Switch,
    'title' | 'pythonMemcached' | 'pylibmc' | 'advice' | 'leaves' | 'unforeseeable' | 'onlyInProgram'
  > {
  readonly name: string
  /** Relative to the documentation folder, with anchor. */
  readonly docs?: string
  /** Between two versions of python-memcached: the rows of the table in which they differ. */
  readonly rows?: readonly DifferingRow[] | undefined
}

/** A reason of the audit itself for a difference of one operation (not announced by the compat client). */
export interface Reason {
  readonly switch: string
  readonly how: 'signature'
  /** The stored values differ, which is not a cause of another outcome of this call. */
  readonly stored?: boolean
  /** Used only if there is no other explanation. */
  readonly fallback?: boolean
}

const facts = (
  name: string,
  title: string,
  pythonMemcached: string,
  pylibmc: string,
  advice: string,
  leaves?: SwitchInfo['leaves'],
): SwitchInfo => ({ name, title, pythonMemcached, pylibmc, advice, leaves, docs: `audit.md#${name}` })

/** Differences that come from the two libraries' signatures: no switch of a client can remove them. */
export const signatureSwitches: readonly SwitchInfo[] = [
  facts(
    'constructor',
    'Constructor keywords do not exist in pylibmc',
    'takes debug, cache_cas, socket_timeout, dead_retry, pickleProtocol and others; servers as (address, weight) tuples',
    'raises TypeError for every keyword but behaviors, binary, username and password, and AttributeError for tuples',
    'Remove the keywords. In pylibmc timeouts and failover are behaviors, and a weight is part of the address ("host:port:weight").',
  ),
  facts(
    'missing-method',
    'Method does not exist in pylibmc',
    'has the method',
    'raises AttributeError',
    'Remove the call: pylibmc has no dead marks and no CAS table that such a call would reset.',
  ),
  facts(
    'missing-argument',
    'Argument does not exist in pylibmc',
    'accepts the argument',
    'raises TypeError',
    'Remove the argument. In pylibmc noreply is a behavior of the whole client, and a delete has no time.',
  ),
  facts(
    'calling-form',
    'Arguments are given in a form that pylibmc does not accept',
    'accepts every argument by position or by keyword',
    'raises TypeError: get, gets, delete, touch, incr and decr accept only positions, touch needs its time, and some arguments have other names',
    'Pass key, delta and time by position, and give touch a time.',
  ),
  facts(
    'argument-type',
    'An argument has a type or range that only one library accepts',
    'converts the argument with str() or int(), or iterates it',
    'raises TypeError or OverflowError: integers for times and deltas, text or bytes for keys, a list for get_multi',
    'Convert the argument before the call.',
  ),
  facts(
    'gets-and-cas',
    'gets returns a pair, and cas takes the CAS unique as third argument',
    'gets returns the value and remembers the CAS unique; the third argument of cas is the time',
    'gets returns (value, unique); cas(key, val, 60) takes 60 for the unique and returns False, cas(key, val) raises TypeError',
    'Unpack the pair of gets and pass its second item to cas; the behavior cas must be on.',
  ),
  facts(
    'binary-protocol',
    'The binary protocol has outcomes of its own',
    'speaks the text protocol only',
    'raises NotFound for a replace without an item, and keeps items whose time is 2^31 or more',
    'Catch NotFound around replace, or stay with the text protocol.',
    'items',
  ),
  facts(
    'blank-keys',
    'Keys with blanks are sent unchecked',
    'raises MemcachedKeyCharacterError',
    'get reads the first word and is usually None, get_multi leaves the key out, stores and delete raise ClientError; after a store the connection is one reply behind, and later calls read answers to earlier ones',
    'Replace blanks before the keys reach the client, or set the behavior verify_keys.',
    'items',
  ),
  facts(
    'control-keys',
    'Keys with control characters are sent unchecked',
    'raises MemcachedKeyCharacterError',
    'stores them, but cannot read them: get waits for its timeout and raises Error (31), or returns bytes that are not a value; NUL and line breaks end the command in the middle of the key, and the server takes the text after a line break for a further command',
    'Hash such keys or quote their characters before they reach the client, or set the behavior verify_keys.',
    'items',
  ),
]

const byName = new Map<string, SwitchInfo>(
  [...switches, ...signatureSwitches].map((info) => [info.name, info]),
)

/** Every switch that an explanation can name: the compat client's, and the audit's own for signatures. */
export function knownSwitches(): readonly SwitchInfo[] {
  return [...byName.values()]
}

/** Findings of an audit to pymemcache that no other has. */
const onlyPymemcache = new Map(
  pymemcacheFindings.filter(({ name }) => !byName.has(name)).map((info) => [info.name, info]),
)

/** Names of the findings that only an audit to pymemcache has. */
export const pymemcacheFindingNames: readonly string[] = [...onlyPymemcache.keys()]

/** The facts of a switch; undefined for an unknown name. */
export function infoOf(name: string): SwitchInfo | undefined {
  return byName.get(name) ?? onlyPymemcache.get(name)
}

/** Reasons of the form of a call. A framework's backend for the target does not have them, because it makes calls in the target's form. */
export const formsOfCalls: ReadonlySet<string> = new Set([
  'constructor',
  'missing-method',
  'missing-argument',
  'calling-form',
  'gets-and-cas',
  'pymemcache-positions',
])

/** Whether the library refuses the call for its form, so that it is not made. */
export function isRefusedForm(outcome: Outcome, reasons: readonly Reason[]): boolean {
  return refusedByPython(outcome) && reasons.some(({ switch: name }) => formsOfCalls.has(name))
}

export const reasonFor = (name: string): Reason => ({ switch: name, how: 'signature' })
