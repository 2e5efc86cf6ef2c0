/**
 * One command line as memcached reads it since 1.6.40, when the parser of its proxy replaced the one in command.ts: words that a command does
 * not know are ignored, and the data block of a refused store is skipped. Facts: fixtures/conversations.
 */
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { StoreVerb } from '../../protocol/wire.js'
import type { ServerFacts } from '../versions.js'
import type { Command } from './command.js'
import { longestData } from './limits.js'
import { parseMeta } from './meta.js'
import {
  exactSigned32,
  exactUnsigned32,
  exactUnsigned64,
  signed32,
  unsigned32,
  unsigned64,
} from './numbers.js'
import { say } from './say.js'

const badFormat = 'CLIENT_ERROR bad command line format'
const badTime = 'CLIENT_ERROR invalid exptime argument'
/** The shortest line that memcached parses, its end included. Bytes. */
const shortestLine = 4

/**
 * @param line without its line end
 * @param length bytes, line end included
 */
export function parseRequest(line: Bytes, length: number, facts: ServerFacts): Command {
  if (length < shortestLine) return say(badFormat)
  const words = line.split(' ').filter((word) => word !== '')
  const verb = line.startsWith(' ') ? '' : (words[0] ?? '')
  const quiet = words.at(-1) === 'noreply'
  const known = request(verb, words, quiet, facts)
  if (known) return known
  return words.length > 1 && words.at(-1)!.startsWith('HTTP/') ? { kind: 'quit' } : say('ERROR', quiet)
}

function request(
  verb: Bytes,
  words: readonly Bytes[],
  quiet: boolean,
  facts: ServerFacts,
): Command | undefined {
  switch (verb) {
    case 'get':
    case 'gets':
      return words.length < 2 ? say(badFormat) : { kind: 'get', keys: words.slice(1), cas: verb === 'gets' }
    case 'gat':
    case 'gats': {
      if (words.length < 3) return say(badFormat)
      const exptime = exactSigned32(words[1]!)
      return exptime === undefined
        ? say(badTime)
        : { kind: 'get', keys: words.slice(2), cas: verb === 'gats', exptime }
    }
    case 'set':
    case 'add':
    case 'replace':
    case 'append':
    case 'prepend':
    case 'cas':
      return store(words, verb, quiet, facts)
    case 'incr':
    case 'decr': {
      if (words.length < 3) return say(badFormat)
      const [, key, amount] = words as [Bytes, Bytes, Bytes]
      if (key.length > MAX_KEY_LENGTH) return say(badFormat, quiet)
      const delta = facts.numbers === 'exact' ? exactUnsigned64(amount) : unsigned64(amount)
      if (delta === undefined) return say('CLIENT_ERROR invalid numeric delta argument', quiet)
      return { kind: 'count', verb, key, delta, quiet }
    }
    case 'delete':
      if (words.length < 2) return say(badFormat)
      return words[1]!.length > MAX_KEY_LENGTH
        ? say(badFormat, quiet)
        : { kind: 'delete', key: words[1]!, quiet }
    case 'touch': {
      if (words.length < 3) return say(badFormat)
      const [, key, time] = words as [Bytes, Bytes, Bytes]
      if (key.length > MAX_KEY_LENGTH) return say(badFormat, quiet)
      const exptime = facts.numbers === 'exact' ? exactSigned32(time) : signed32(time)
      return exptime === undefined ? say(badTime, quiet) : { kind: 'touch', key, exptime, quiet }
    }
    case 'flush_all': {
      if (words.length === (quiet ? 2 : 1)) return { kind: 'flush', delay: 0, quiet }
      const delay = exactSigned32(words[1]!)
      return delay === undefined ? say(badTime, quiet) : { kind: 'flush', delay, quiet }
    }
    case 'stats':
      return { kind: 'stats', words: words.slice(1) }
    case 'version':
      return say(`VERSION ${facts.says}`)
    case 'verbosity':
      return say(exactUnsigned32(words[1] ?? '') === undefined ? badFormat : 'OK', quiet)
    case 'shutdown':
      return say('SERVER_ERROR: shutdown not enabled', quiet)
    case 'mg':
    case 'ms':
    case 'md':
    case 'ma':
      return parseMeta(words, facts)
    case 'mn':
      return say('MN')
    case 'quit':
      return { kind: 'quit' }
    default:
      return undefined
  }
}

function store(words: readonly Bytes[], verb: StoreVerb, quiet: boolean, facts: ServerFacts): Command {
  const length = words.length < 5 ? undefined : exactSigned32(words[4]!)
  if (length === undefined || length < 0 || length > longestData) return say(badFormat)
  const key = words[1]!
  const flags = unsigned32(words[2]!)
  const exptime = signed32(words[3]!)
  const unique = words[5] ?? ''
  const cas = facts.numbers === 'exact' ? exactUnsigned64(unique) : unsigned64(unique)
  const unreadable = flags === undefined || exptime === undefined || (verb === 'cas' && cas === undefined)
  return {
    kind: 'store',
    verb,
    key,
    flags: flags ?? 0,
    exptime: exptime ?? 0,
    length,
    quiet,
    ...(verb === 'cas' && cas !== undefined ? { cas } : {}),
    ...(unreadable || key.length > MAX_KEY_LENGTH ? { refused: badFormat } : {}),
  }
}
