/** What counts as the same: outcomes of calls, and what the servers hold. */
import { inflateSync } from 'node:zlib'
import { type Outcome, sameOutcome } from '../../src/audit/compare/outcome.js'
import { FLAG_PICKLE, FLAG_ZLIB, toTypedJson, unpickle } from '../../src/values/index.js'
import type { Answer } from '../support/python-library.js'
import type { Contents, Heard, StoredItem } from './twin-servers.js'

/** Seconds between the clocks of two memcacheds: each counts whole seconds, from its own start, once a second. */
const CLOCKS_APART = 2

/** Messages of Python's own exceptions change between Python versions; those of the libraries are part of what they do. */
const OWN_MESSAGES = /^(pylibmc|memcache|pymemcache\.exceptions)\.|^builtins\.ValueError$/

export function outcomeDifference(theirs: Answer, ours: Outcome): string | undefined {
  if (!sameOutcome(withoutTexts(theirs as Outcome), withoutTexts(ours)))
    return `the library ${shown(theirs as Outcome)}, our client ${shown(ours)}`
  if (!('raises' in theirs) || !('raises' in ours) || !OWN_MESSAGES.test(theirs.raises.class))
    return undefined
  const [their, our] = [theirs, ours].map(({ raises }) =>
    (raises.message ?? '').replace(/127\.0\.0\.1:\S+/g, '…'),
  )
  return their === our ? undefined : `the library’s message is ${quoted(their!)}, ours is ${quoted(our!)}`
}

/** The text of a pickled object is shown by Python alone. */
function withoutTexts(outcome: Outcome): Outcome {
  if ('raises' in outcome) return outcome
  const text = JSON.stringify(outcome.result, (name, part: unknown) => (name === '$repr' ? undefined : part))
  return text === undefined ? outcome : { result: JSON.parse(text) }
}

/** @param delay seconds by which one side may have stored an item later than the other */
export function contentsDifference(
  theirs: readonly Contents[],
  ours: readonly Contents[],
  delay: number,
): string | undefined {
  for (const [server, items] of theirs.entries()) {
    const keys = new Set([...items.keys(), ...ours[server]!.keys()])
    for (const key of keys) {
      const [their, our] = [items.get(key), ours[server]!.get(key)]
      if (!sameItem(their, our, CLOCKS_APART + delay))
        return `server ${server} holds ${quoted(key)} as ${described(their)} for the library, as ${described(our)} for our client`
    }
  }
  return undefined
}

export function requestsDifference(
  theirs: readonly (readonly Heard[])[],
  ours: readonly (readonly Heard[])[],
): string | undefined {
  for (const [server, asked] of theirs.entries()) {
    const last = asked.at(-1)?.connection ?? -1
    for (
      let connection = 0;
      connection <= Math.max(last, ours[server]!.at(-1)?.connection ?? -1);
      connection++
    ) {
      const [their, our] = [asked, ours[server]!].map((list) =>
        list.filter((one) => one.connection === connection),
      )
      // An error line in the middle of several commands closes the connection, and its end may not arrive.
      const length = (connection < last ? Math.min : Math.max)(their!.length, our!.length)
      for (let i = 0; i < Math.max(1, length); i++)
        if (!sameRequest(their![i], our![i]))
          return `request ${i} on connection ${connection} of server ${server} is ${shownRequest(their![i])} of the library, ${shownRequest(our![i])} of our client`
    }
  }
  return undefined
}

function shownRequest(request: Heard | undefined): string {
  return request ? `${quoted(request.line)} ${quoted(request.data)}` : 'none'
}

function sameRequest(a: Heard | undefined, b: Heard | undefined): boolean {
  if (!a || !b) return false
  if (a.line !== b.line) return withoutFlags(a.line) === withoutFlags(b.line) && onlyOneCompressed(a, b)
  if (a.data === b.data || samePickle(a, b)) return true
  // With flags of the caller's own a pickle, compressed or not, is known by its beginning.
  return [a, b].some(({ data }) => data.startsWith('\x80')) && samePickle(byContent(a), byContent(b))
}

function byContent({ data }: Heard): Pick<StoredItem, 'flags' | 'data'> {
  return { data, flags: data.startsWith('x') ? FLAG_PICKLE | FLAG_ZLIB : FLAG_PICKLE }
}

/** A storage command without the flags that say whether its data is compressed. */
function withoutFlags(line: string): string {
  return line.replace(/^(\S+ \S+) \d+ /, '$1 ')
}

function sameItem(a: StoredItem | undefined, b: StoredItem | undefined, apart: number): boolean {
  if (!a || !b) {
    const only = a ?? b
    return only === undefined || isExpiring(only, apart)
  }
  const expiry = a.expires === b.expires || Math.abs(a.expires - b.expires) <= apart
  const same =
    a.flags === b.flags ? counted(a.data) === counted(b.data) || samePickle(a, b) : onlyOneCompressed(a, b)
  return same && expiry
}

/** One server may have let the item go already where the other still has it. */
function isExpiring({ expires }: StoredItem, apart: number): boolean {
  return expires !== -1 && Math.abs(expires - Date.now() / 1000) <= apart
}

/** memcached pads a number that became shorter, unless somebody holds the item at that moment. */
function counted(data: string): string {
  return /^\d+ +$/.test(data) ? data.trimEnd() : data
}

/**
 * Equal texts that are one object in Python are written once, and JavaScript cannot tell (docs/compat.md): pickles are the same when
 * they are read as the same.
 */
function samePickle(a: Pick<StoredItem, 'flags' | 'data'>, b: Pick<StoredItem, 'flags' | 'data'>): boolean {
  const read = (item: Pick<StoredItem, 'flags' | 'data'>): string =>
    JSON.stringify(toTypedJson(unpickle(inflated(item), { preserve: true })))
  if ((a.flags & ~FLAG_ZLIB) !== FLAG_PICKLE) return false
  try {
    return read(a) === read(b)
  } catch {
    return false
  }
}

/** The same value, whose two pickles have different lengths, so that one of them is compressed and the other is not. */
function onlyOneCompressed(
  a: Pick<StoredItem, 'flags' | 'data'>,
  b: Pick<StoredItem, 'flags' | 'data'>,
): boolean {
  return (a.flags ^ b.flags) === FLAG_ZLIB && samePickle(a, b) && inflated(a).length !== inflated(b).length
}

function inflated({ flags, data }: Pick<StoredItem, 'flags' | 'data'>): Buffer {
  const bytes = Buffer.from(data, 'latin1')
  return flags & FLAG_ZLIB ? inflateSync(bytes) : bytes
}

function described(item: StoredItem | undefined): string {
  return item ? `flags ${item.flags}, expiry ${item.expires}, ${quoted(item.data)}` : 'nothing'
}

function shown(outcome: Outcome): string {
  if (!('raises' in outcome)) return `returns ${cut(JSON.stringify(outcome.result))}`
  const { class: name, retcode, message } = outcome.raises
  return `raises ${name} ${retcode ?? ''} (${cut(message ?? '')})`
}

function quoted(text: string): string {
  return cut(JSON.stringify(text))
}

function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
