/** Parses and answers the meta commands mg, ms, md, ma. Facts: fixtures/conversations/meta.json. */
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { StoreVerb } from '../../protocol/wire.js'
import { versionAtLeast } from '../../rules/version.js'
import type { CountResult, Store, StoredItem, StoreResult } from '../store/store.js'
import type { ServerFacts } from '../versions.js'
import type { Command, StoreCommand } from './command.js'
import { longestData } from './limits.js'
import { badOpaque, echoed, keyOf, type MetaFlags, readFlags, saidKey } from './meta-flags.js'
import { exactSigned32, signed32 } from './numbers.js'
import type { Pieces } from './respond.js'
import { say } from './say.js'

export interface MetaCommand {
  readonly kind: 'meta'
  readonly verb: 'mg' | 'md' | 'ma'
  readonly key: Bytes
  readonly flags: MetaFlags
  /** Quiet mode: misses of mg and `HD` of the other commands are not sent. */
  readonly quiet: boolean
}

const badFormat = 'CLIENT_ERROR bad command line format'
const verbs: Readonly<Record<string, StoreVerb>> = {
  '': 'set',
  S: 'set',
  E: 'add',
  R: 'replace',
  A: 'append',
  P: 'prepend',
}

/** @param words the words of the line; the first is the command */
export function parseMeta(words: readonly Bytes[], facts: ServerFacts): Command {
  const [verb, key, ...rest] = words
  if (key === undefined) return say(facts.parser === 'words' ? 'ERROR' : badFormat)
  if (facts.meta === 'drafts' && verb === 'mg' && rest.length === 0) return say(badFormat)
  if (facts.parser === 'requests' && rest.some((word) => word[0]! >= '\x7f')) return say(badFormat)
  if (verb === 'ms') return parseStore(key, rest, facts)
  if (facts.parser === 'words' && key.length > MAX_KEY_LENGTH) return say(badFormat)
  const { flags, problem } = readFlags(rest, facts)
  const wrong =
    key.length > MAX_KEY_LENGTH
      ? badFormat
      : (problem ?? (keyOf(key, flags) === undefined ? 'CLIENT_ERROR error decoding key' : undefined))
  if (wrong !== undefined) {
    const vague = verb === 'ma' || (verb === 'md' && facts.parser === 'words')
    return say(vague ? 'CLIENT_ERROR invalid or duplicate flag' : wrong)
  }
  return {
    kind: 'meta',
    verb: verb as MetaCommand['verb'],
    key: keyOf(key, flags)!,
    flags,
    quiet: flags.has('q'),
  }
}

function parseStore(key: Bytes, behind: readonly Bytes[], facts: ServerFacts): Command {
  if (facts.parser === 'words' && key.length > MAX_KEY_LENGTH) return say(badFormat)
  const [size, ...words] = facts.meta === 'drafts' ? lengthFirst(behind) : behind
  const length =
    size === undefined ? undefined : facts.parser === 'words' ? signed32(size) : exactSigned32(size)
  const { flags, problem } = readFlags(words, facts)
  // memcached takes the data block of this line for the next line.
  if (facts.meta === 'drafts' && problem !== undefined) return say(problem)
  if (length === undefined || length < 0 || length > longestData) return say(badFormat)
  const verb = verbs[flags.mode]
  const decoded = keyOf(key, flags)
  const refused =
    key.length > MAX_KEY_LENGTH
      ? badFormat
      : (problem ??
        (decoded === undefined ? 'CLIENT_ERROR error decoding key' : undefined) ??
        (verb === undefined ? 'CLIENT_ERROR invalid mode for ms M token' : badOpaque(flags)))
  const joins = verb === 'append' || verb === 'prepend'
  const vivifies = joins && flags.vivify !== undefined && versionAtLeast(facts.version, '1.6.20')
  return {
    kind: 'store',
    verb: flags.cas !== undefined && (verb === 'set' || verb === 'replace') ? 'cas' : (verb ?? 'set'),
    key: decoded ?? key,
    flags: flags.clientFlags,
    exptime: (vivifies ? flags.vivify : flags.time) ?? 0,
    length,
    quiet: false,
    meta: flags,
    ...(vivifies ? { vivify: true } : {}),
    ...(flags.has('I') && flags.cas !== undefined ? { allowStale: true } : {}),
    ...(flags.newCas === undefined ? {} : { newCas: flags.newCas }),
    ...(flags.cas === undefined || verb === 'add' ? {} : { cas: flags.cas }),
    ...(refused === undefined ? {} : { refused }),
  }
}

/** In the drafts the length of the value is one of the flags. */
function lengthFirst(words: readonly Bytes[]): readonly Bytes[] {
  const size = words.find((word) => word[0] === 'S')
  return [size?.slice(1) ?? '', ...words.filter((word) => word !== size)]
}

/** The reply of success in this version. */
const success = (facts: ServerFacts) => (facts.meta === 'drafts' ? 'OK' : 'HD')

/** In the drafts some replies have a blank after their code. */
const blank = (facts: ServerFacts) => (facts.meta === 'drafts' ? ' ' : '')

export function answerMeta(store: Store, command: MetaCommand, facts: ServerFacts): Pieces {
  switch (command.verb) {
    case 'mg':
      return get(store, command, facts)
    case 'md':
      return [remove(store, command, facts)]
    case 'ma':
      return count(store, command, facts)
  }
}

function get(store: Store, { key, flags, quiet }: MetaCommand, facts: ServerFacts): Pieces {
  const found = store.find(key)
  const problem = found || facts.meta !== 'drafts' ? badOpaque(flags) : undefined
  if (problem !== undefined) return [`${problem}\r\n`]
  store.countRetrieval(found, flags.time !== undefined)
  const item =
    found ?? (flags.vivify === undefined ? undefined : store.vivify(key, flags.vivify, flags.newCas))
  if (!item && quiet) return []
  if (!item) return [`EN${facts.meta === 'drafts' ? '' : echoed(key, flags)}\r\n`]
  const same = flags.cas !== undefined && facts.parser === 'requests' && BigInt(item.cas) === flags.cas
  const replied = itemFacts(store, item, flags, !found)
  if (!flags.has('u')) store.use(item)
  if (!flags.has('v') || same) return [`${success(facts)}${replied}\r\n`]
  return [`VA ${item.data.length - 2}${replied}\r\n`, item.data]
}

/** The answers to the flags in their order, and whether the client has to renew the item. A flag may change the time that later flags report. */
function itemFacts(store: Store, item: StoredItem, flags: MetaFlags, made: boolean): Bytes {
  let won = made
  const facts = flags.words.map((word) => {
    switch (word[0]) {
      case 'T':
        item.exptime = store.times.expiry(flags.time!)
        return ''
      case 'R':
        if (
          !item.tokenSent &&
          !made &&
          item.exptime !== 0 &&
          item.exptime < store.times.expiry(flags.recache!)
        )
          won = true
        return ''
      case 's':
        return ` s${item.data.length - 2}`
      case 't':
        return ` t${left(store, item)}`
      case 'c':
        return ` c${item.cas}`
      case 'f':
        return ` f${item.flags}`
      case 'l':
        return ` l${store.times.now() - item.used}`
      case 'h':
        return item.fetched ? ' h1' : ' h0'
      case 'O':
        return ` ${word}`
      case 'k':
        return saidKey(item.key, flags.has('b'))
      default:
        return ''
    }
  })
  if (item.tokenSent) facts.push(' Z')
  if (item.stale) {
    facts.push(' X')
    won ||= !item.tokenSent
  }
  if (won) {
    facts.push(' W')
    item.tokenSent = true
  }
  return facts.join('')
}

/** A time in the past is sent as an unsigned number of 32 bits. */
const left = (store: Store, { exptime }: StoredItem) =>
  exptime === 0 ? -1 : (exptime - store.times.now()) >>> 0

function remove(store: Store, { key, flags, quiet }: MetaCommand, facts: ServerFacts): Bytes {
  const problem = badOpaque(flags)
  if (problem !== undefined) return `${problem}\r\n`
  const code = removed(store, key, flags)
  if (quiet && code === 'HD') return ''
  return `${code === 'HD' ? success(facts) : code}${blank(facts)}${echoed(key, flags)}\r\n`
}

function removed(store: Store, key: Bytes, flags: MetaFlags): 'HD' | 'NF' | 'EX' {
  if (!flags.has('I') && !flags.has('x')) {
    const result = store.delete(key, flags.cas)
    return result === 'DELETED' ? 'HD' : result === 'EXISTS' ? 'EX' : 'NF'
  }
  const item = store.find(key)
  if (!item) return 'NF'
  if (flags.cas !== undefined && BigInt(item.cas) !== flags.cas) return 'EX'
  const marked = flags.has('x') ? store.empty(item, flags) : item
  if (flags.has('I')) store.markStale(marked, flags)
  return 'HD'
}

function count(store: Store, { key, flags, quiet }: MetaCommand, facts: ServerFacts): Pieces {
  if (!/^[ID+-]?$/.test(flags.mode)) return ['CLIENT_ERROR invalid mode for ma M token\r\n']
  const verb = /^[D-]/.test(flags.mode) ? 'decr' : 'incr'
  const before = store.find(key)
  const result: CountResult = store.addDelta(key, verb, flags.delta, {
    ...(flags.cas === undefined || flags.cas === 0n ? {} : { cas: flags.cas }),
    ...(flags.vivify === undefined ? {} : { initial: { value: flags.initial, exptime: flags.vivify } }),
  })
  if (result === 'not numeric') return ['CLIENT_ERROR cannot increment or decrement non-numeric value\r\n']
  if (result === 'no memory') return ['SERVER_ERROR out of memory\r\n']
  const problem = badOpaque(flags)
  if (problem !== undefined) return [`${problem}\r\n`]
  if (result === 'NOT_FOUND') return [`NF${blank(facts)}${echoed(key, flags)}\r\n`]
  if (result === 'EXISTS') return [`EX${blank(facts)}${echoed(key, flags)}\r\n`]
  const item = store.made(key)!
  if (flags.newCas !== undefined) item.cas = flags.newCas
  const replied = flags.words
    .map((word) => {
      if (word[0] === 'T') item.exptime = store.times.expiry(flags.time!)
      if (word[0] === 'c') return ` c${item.cas}`
      if (word[0] === 't') return ` t${left(store, item)}`
      if (word[0] === 'O') return ` ${word}`
      return word[0] === 'k' ? saidKey(key, flags.has('b')) : ''
    })
    .join('')
  // Up to 1.6.39 the reply for a created item is sent even if the command is quiet.
  if (quiet && (before || facts.parser === 'requests')) return []
  return flags.has('v')
    ? [`VA ${String(result).length}${replied}\r\n${result}\r\n`]
    : [`${success(facts)}${replied}\r\n`]
}

const codes: Partial<Record<StoreResult, Bytes>> = {
  STORED: 'HD',
  NOT_STORED: 'NS',
  EXISTS: 'EX',
  NOT_FOUND: 'NF',
}

/** The reply of ms; undefined if it is the reply of the classic commands. */
export function metaStored(
  store: Store,
  result: StoreResult,
  { key, meta, length }: StoreCommand,
  facts: ServerFacts,
): Bytes | undefined {
  const code = codes[result]
  if (code === undefined || !meta) return undefined
  if (code === 'HD' && meta.has('q')) return ''
  const item = code === 'HD' ? store.made(key) : undefined
  const replied = meta.words.map((word) => {
    if (word[0] === 'O') return ` ${word}`
    if (word[0] === 'k') return saidKey(key, meta.has('b'))
    if (word[0] === 'c' && facts.meta !== 'drafts') return ` c${item?.cas ?? 0}`
    if (word[0] === 's' && versionAtLeast(facts.version, '1.6.20'))
      return ` s${item ? item.data.length - 2 : length}`
    return ''
  })
  return `${code === 'HD' ? success(facts) : code}${blank(facts)}${replied.join('')}`
}
