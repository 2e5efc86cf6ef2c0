/**
 * The meta commands of a memcached 1.6.18 that clients use: mg, ms, md, ma with their common flags.
 * Facts: replies of memcached 1.6.18 (fixtures/conversations/meta.json).
 */
import type { Bytes } from '../ground/bytes.js'
import type { StoreVerb } from '../protocol/wire.js'
import type { Command, StoreCommand } from './command.js'
import { longestData, longestKey, say } from './command.js'
import { signed32, unsigned32, unsigned64 } from './numbers.js'
import type { Pieces } from './respond.js'
import type { CountResult, Store, StoredItem, StoreResult } from './store.js'

/** `f`, `T30`: flags of a meta command, in order. */
type Flags = readonly Bytes[]

export interface MetaCommand {
  readonly kind: 'meta'
  readonly verb: 'mg' | 'md' | 'ma'
  readonly key: Bytes
  readonly flags: Flags
  /** Leaves out the replies that say the least: misses of mg, HD of the others. */
  readonly quiet: boolean
}

const badFormat = 'CLIENT_ERROR bad command line format'
const known: Readonly<Record<string, RegExp>> = {
  mg: /^[vfckstqOT]/,
  ms: /^[cCFkMOTqI]/,
  md: /^[CkOqTI]/,
  ma: /^[MDvktcOqTCNJ]/,
}
const verbs: Readonly<Record<string, StoreVerb>> = {
  S: 'set', s: 'set', E: 'add', e: 'add', R: 'replace', r: 'replace', A: 'append', a: 'append', P: 'prepend', p: 'prepend',
} // biome-ignore format: one list

export const valueOf = (flags: Flags, name: string): Bytes | undefined =>
  flags.find((flag) => flag[0] === name)?.slice(1)

const has = (flags: Flags, name: string): boolean => valueOf(flags, name) !== undefined

/** @param words of the line, the first being the verb */
export function parseMeta(words: readonly Bytes[]): Command {
  const [verb, key, ...rest] = words
  if (key === undefined) return say('ERROR')
  if (key.length > longestKey) return say(badFormat)
  if (verb === 'ms') return parseStore(key, rest)
  const problem = wrong(verb!, rest)
  if (problem !== undefined) return say(problem)
  return { kind: 'meta', verb: verb as MetaCommand['verb'], key, flags: rest, quiet: has(rest, 'q') }
}

function parseStore(key: Bytes, [size, ...flags]: readonly Bytes[]): Command {
  const length = size === undefined ? undefined : signed32(size)
  if (length === undefined || length < 0 || length > longestData) return say(badFormat)
  const mode = valueOf(flags, 'M')
  const cas = valueOf(flags, 'C')
  const unique = cas === undefined ? undefined : unsigned64(cas)
  const itemFlags = unsigned32(valueOf(flags, 'F') ?? '0')
  const exptime = signed32(valueOf(flags, 'T') ?? '0')
  const given = mode === undefined ? 'set' : verbs[mode]
  const unreadable =
    itemFlags === undefined || exptime === undefined || (cas !== undefined && unique === undefined)
  const refused =
    given === undefined
      ? 'CLIENT_ERROR invalid mode for ms M token'
      : (wrong('ms', flags) ?? (unreadable ? badFormat : undefined))
  return {
    kind: 'store',
    verb: unique === undefined ? (given ?? 'set') : 'cas',
    key,
    flags: itemFlags ?? 0,
    exptime: exptime ?? 0,
    length,
    quiet: false,
    meta: flags,
    ...(unique === undefined ? {} : { cas: unique }),
    ...(refused === undefined ? {} : { refused }),
  }
}

function wrong(verb: string, flags: Flags): string | undefined {
  if (flags.some((flag) => !known[verb]!.test(flag))) return 'CLIENT_ERROR invalid flag'
  if (new Set(flags.map((flag) => flag[0])).size < flags.length)
    return verb === 'mg' ? 'CLIENT_ERROR duplicate flag' : 'CLIENT_ERROR invalid or duplicate flag'
  const delta = valueOf(flags, 'D')
  if (delta !== undefined && unsigned64(delta) === undefined) return 'CLIENT_ERROR invalid or duplicate flag'
  const time = valueOf(flags, 'T')
  if (time !== undefined && signed32(time) === undefined)
    return 'CLIENT_ERROR bad token in command line format'
  return undefined
}

export function answerMeta(store: Store, command: MetaCommand): Pieces {
  switch (command.verb) {
    case 'mg':
      return get(store, command)
    case 'md':
      return [remove(store, command)]
    case 'ma':
      return count(store, command)
  }
}

function get(store: Store, { key, flags, quiet }: MetaCommand): Pieces {
  const time = valueOf(flags, 'T')
  const item = time === undefined ? store.get(key) : store.touch(key, signed32(time)!)
  if (!item) return quiet ? [] : [`EN${echoed(key, flags)}\r\n`]
  const facts = said(flags, item, store)
  if (!has(flags, 'v')) return [`HD${facts}\r\n`]
  return [`VA ${item.data.length - 2}${facts}\r\n`, item.data]
}

/** What the flags ask to be told, in their order. */
function said(flags: Flags, item: StoredItem, store: Store): Bytes {
  const left = item.exptime === 0 ? -1 : item.exptime - store.now()
  const facts: Readonly<Record<string, string>> = {
    f: `f${item.flags}`,
    c: `c${item.cas}`,
    s: `s${item.data.length - 2}`,
    t: `t${left}`,
    k: `k${item.key}`,
  }
  return flags
    .map((flag) => (flag[0] === 'O' ? ` ${flag}` : facts[flag] === undefined ? '' : ` ${facts[flag]}`))
    .join('')
}

/** Key and opaque, which are told without an item, too. */
function echoed(key: Bytes, flags: Flags): Bytes {
  return flags.map((flag) => (flag[0] === 'O' ? ` ${flag}` : flag === 'k' ? ` k${key}` : '')).join('')
}

function remove(store: Store, { key, flags, quiet }: MetaCommand): Bytes {
  const code = store.delete(key) === 'DELETED' ? 'HD' : 'NF'
  return quiet && code === 'HD' ? '' : `${code}${echoed(key, flags)}\r\n`
}

function count(store: Store, { key, flags, quiet }: MetaCommand): Pieces {
  const mode = valueOf(flags, 'M') ?? 'I'
  const verb = /^[Dd-]/.test(mode) ? 'decr' : 'incr'
  const result: CountResult = store.addDelta(key, verb, unsigned64(valueOf(flags, 'D') ?? '1')!)
  if (result === 'not numeric') return ['CLIENT_ERROR cannot increment or decrement non-numeric value\r\n']
  if (result === 'no memory') return ['SERVER_ERROR out of memory\r\n']
  if (result === 'NOT_FOUND') return [`NF${echoed(key, flags)}\r\n`]
  if (has(flags, 'v')) return [`VA ${String(result).length}${echoed(key, flags)}\r\n${result}\r\n`]
  return quiet ? [] : [`HD${echoed(key, flags)}\r\n`]
}

const codes: Partial<Record<StoreResult, Bytes>> = {
  STORED: 'HD',
  NOT_STORED: 'NS',
  EXISTS: 'EX',
  NOT_FOUND: 'NF',
}

/** The reply of ms, or undefined where it is that of the classic commands. */
export function metaStored(result: StoreResult, { key, meta }: StoreCommand): Bytes | undefined {
  const code = codes[result]
  if (code === undefined || !meta) return undefined
  if (code === 'HD' && has(meta, 'q')) return ''
  return `${code}${echoed(key, meta)}`
}
