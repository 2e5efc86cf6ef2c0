/**
 * One command line as memcached up to 1.6.39 parses it, errors included: the command, or the immediate answer. Since 1.6.40:
 * requests.ts. Facts: replies of real memcacheds (fixtures/conversations), number of words per command included.
 */
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { StoreVerb } from '../../protocol/wire.js'
import type { ServerFacts } from '../versions.js'
import type { BinaryCommand } from './binary-command.js'
import { longestData } from './limits.js'
import { type MetaCommand, parseMeta } from './meta.js'
import type { MetaFlags } from './meta-flags.js'
import { signed32, unsigned32, unsigned64 } from './numbers.js'
import { say } from './say.js'

interface MaybeQuiet {
  /** `noreply`: the server sends no answer, not even an error. */
  readonly quiet: boolean
}

export interface StoreCommand extends MaybeQuiet {
  readonly kind: 'store'
  readonly verb: StoreVerb
  readonly key: Bytes
  readonly flags: number
  /** The time as sent: signed 32 bit in the text protocol, unsigned in the binary protocol. */
  readonly exptime: number
  /** Bytes of the data block without its CRLF. */
  readonly length: number
  /** Of `cas`; in binary also of append and prepend. */
  readonly cas?: bigint | undefined
  /** Flags of `ms`. */
  readonly meta?: MetaFlags
  /** Whether append and prepend create a missing item. */
  readonly vivify?: boolean
  /** Whether an older CAS unique than the item's is accepted, and the item marked as stale. */
  readonly allowStale?: boolean
  /** The CAS unique that the item gets. */
  readonly newCas?: bigint
  /** The answer to an invalid line, sent after its data block has been skipped. */
  readonly refused?: Bytes
}

export type Command =
  | StoreCommand
  | MetaCommand
  | {
      readonly kind: 'get'
      readonly keys: readonly Bytes[]
      readonly cas: boolean
      readonly exptime?: number
    }
  | (MaybeQuiet & {
      readonly kind: 'count'
      readonly verb: 'incr' | 'decr'
      readonly key: Bytes
      readonly delta: bigint
    })
  | (MaybeQuiet & { readonly kind: 'delete'; readonly key: Bytes })
  | (MaybeQuiet & { readonly kind: 'touch'; readonly key: Bytes; readonly exptime: number })
  | (MaybeQuiet & { readonly kind: 'flush'; readonly delay: number })
  | { readonly kind: 'stats'; readonly words: readonly Bytes[] }
  /** The server answers only with this line (without CRLF). */
  | (MaybeQuiet & { readonly kind: 'say'; readonly line: Bytes })
  | { readonly kind: 'quit' }
  | BinaryCommand

const badFormat = 'CLIENT_ERROR bad command line format'
const badTime = 'CLIENT_ERROR invalid exptime argument'

/** @param line without its line end */
export function parseCommand(line: Bytes, facts: ServerFacts): Command {
  // memcached reads the line as a C string, which ends at the first NUL.
  const nul = line.indexOf('\0')
  const words = (nul < 0 ? line : line.slice(0, nul)).split(' ').filter((word) => word !== '')
  const [verb] = words
  switch (verb) {
    case 'get':
    case 'bget':
      return words.length > 1 ? { kind: 'get', keys: words.slice(1), cas: false } : unknown
    case 'gets':
      return words.length > 1 ? { kind: 'get', keys: words.slice(1), cas: true } : unknown
    case 'gat':
    case 'gats':
      return facts.getAndTouch ? getAndTouch(words, verb === 'gats', facts) : unknown
    case 'set':
    case 'add':
    case 'replace':
    case 'append':
    case 'prepend':
    case 'cas':
      return store(words, verb)
    case 'incr':
    case 'decr':
      return count(words, verb)
    case 'delete':
      return remove(words)
    case 'touch':
      return touch(words)
    case 'flush_all':
      return flush(words, facts)
    case 'stats':
      return { kind: 'stats', words: words.slice(1) }
    case 'version':
      return words.length > 1 && facts.furtherWords === 'refused' ? unknown : say(`VERSION ${facts.says}`)
    case 'verbosity':
      return verbosity(words, facts)
    case 'shutdown':
      return say('ERROR: shutdown not enabled')
    case 'mg':
    case 'ms':
    case 'md':
    case 'ma':
      return facts.meta === 'none' ? unknown : parseMeta(words, facts)
    case 'mn':
      return facts.meta === 'none' ? unknown : say('MN')
    case 'quit':
      return words.length > 1 && facts.furtherWords === 'refused' ? unknown : { kind: 'quit' }
    // memcached closes connections of HTTP clients, because a web page could send commands through them.
    case 'Host:':
      return { kind: 'quit' }
    default:
      return unknown
  }
}

function store(words: readonly Bytes[], verb: StoreVerb): Command {
  const least = verb === 'cas' ? 6 : 5
  if (words.length !== least && words.length !== least + 1) return unknown
  const quiet = isQuiet(words)
  const key = words[1]!
  if (key.length > MAX_KEY_LENGTH) return say(badFormat, quiet)
  const flags = unsigned32(words[2]!)
  const exptime = signed32(words[3]!)
  const length = signed32(words[4]!)
  if (flags === undefined || exptime === undefined || length === undefined) return say(badFormat, quiet)
  const cas = verb === 'cas' ? unsigned64(words[5]!) : undefined
  if (verb === 'cas' && cas === undefined) return say(badFormat, quiet)
  if (length < 0 || length > longestData) return say(badFormat, quiet)
  return { kind: 'store', verb, key, flags, exptime, length, quiet, ...(cas === undefined ? {} : { cas }) }
}

function getAndTouch(words: readonly Bytes[], cas: boolean, facts: ServerFacts): Command {
  if (words.length < (facts.furtherWords === 'refused' ? 3 : 2)) return unknown
  const exptime = signed32(words[1]!)
  return exptime === undefined ? say(badTime) : { kind: 'get', keys: words.slice(2), cas, exptime }
}

function count(words: readonly Bytes[], verb: 'incr' | 'decr'): Command {
  if (words.length !== 3 && words.length !== 4) return unknown
  const quiet = isQuiet(words)
  const key = words[1]!
  if (key.length > MAX_KEY_LENGTH) return say(badFormat, quiet)
  const delta = unsigned64(words[2]!)
  if (delta === undefined) return say('CLIENT_ERROR invalid numeric delta argument', quiet)
  return { kind: 'count', verb, key, delta, quiet }
}

function remove(words: readonly Bytes[]): Command {
  if (words.length < 2 || words.length > 4) return unknown
  const key = words[1]!
  const quiet = words.length > 2 && isQuiet(words)
  const zero = words[2] === '0'
  if ((words.length === 3 && !zero && !quiet) || (words.length === 4 && !(zero && quiet))) {
    return say(`${badFormat}.  Usage: delete <key> [noreply]`, quiet)
  }
  if (key.length > MAX_KEY_LENGTH) return say(badFormat, quiet)
  return { kind: 'delete', key, quiet }
}

function touch(words: readonly Bytes[]): Command {
  if (words.length !== 3 && words.length !== 4) return unknown
  const quiet = isQuiet(words)
  const key = words[1]!
  if (key.length > MAX_KEY_LENGTH) return say(badFormat, quiet)
  const exptime = signed32(words[2]!)
  return exptime === undefined ? say(badTime, quiet) : { kind: 'touch', key, exptime, quiet }
}

function flush(words: readonly Bytes[], facts: ServerFacts): Command {
  if (words.length > 3) return unknown
  const quiet = isQuiet(words)
  if (words.length === (quiet ? 2 : 1)) return { kind: 'flush', delay: 0, quiet }
  const delay = signed32(words[1]!)
  if (delay === undefined && facts.badNumbers === 'ignored')
    return /^\d/.test(words[1]!) ? say(badFormat, quiet) : { kind: 'flush', delay: 0, quiet }
  return delay === undefined ? say(badTime, quiet) : { kind: 'flush', delay, quiet }
}

function verbosity(words: readonly Bytes[], facts: ServerFacts): Command {
  if (words.length !== 2 && words.length !== 3) return unknown
  const quiet = isQuiet(words)
  if (facts.badNumbers === 'ignored') return say('OK', quiet)
  return unsigned32(words[1]!) === undefined ? say(badFormat, quiet) : say('OK', quiet)
}

function isQuiet(words: readonly Bytes[]): boolean {
  return words.at(-1) === 'noreply'
}

const unknown: Command = say('ERROR')
