/** Command lines of the text and meta protocols. Source: memcached's doc/protocol.txt. */
import type { Command, ReplyShape } from './command.js'
import { type Part, plain } from './parts.js'

/** A known command line, and the length of its data block. */
export interface CommandLine {
  readonly command: Command
  readonly data: { readonly flags: number; readonly length: number } | undefined
}

interface Verb {
  /** Which words are keys: the first after the verb, all from there on, or all but the first. */
  readonly keys: 'one' | 'all' | 'later' | 'none'
  readonly shape: ReplyShape
  /** May end in `noreply`. */
  readonly noreply?: boolean
  readonly stores?: boolean
  readonly unrecorded?: boolean
}

const store: Verb = { keys: 'one', shape: 'line', noreply: true, stores: true }
const change: Verb = { keys: 'one', shape: 'line', noreply: true }
const meta: Verb = { keys: 'one', shape: 'meta' }
const administration: Verb = { keys: 'none', shape: 'line', unrecorded: true }
const ends: Verb = { keys: 'none', shape: 'none', unrecorded: true }

const verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['get', { keys: 'all', shape: 'items' }],
  ['gets', { keys: 'all', shape: 'items' }],
  ['gat', { keys: 'later', shape: 'items' }],
  ['gats', { keys: 'later', shape: 'items' }],
  ...['set', 'add', 'replace', 'append', 'prepend', 'cas'].map((verb): [string, Verb] => [verb, store]),
  ...['delete', 'incr', 'decr', 'touch'].map((verb): [string, Verb] => [verb, change]),
  ['flush_all', { keys: 'none', shape: 'line', noreply: true }],
  ['stats', { keys: 'none', shape: 'lines' }],
  ['version', { ...administration }],
  ['verbosity', { ...administration, noreply: true }],
  ...['cache_memlimit', 'slabs', 'lru', 'extstore', 'refresh_certs'].map((verb): [string, Verb] => [
    verb,
    administration,
  ]),
  ['config', { keys: 'none', shape: 'lines', unrecorded: true }],
  ['lru_crawler', { keys: 'none', shape: 'endless', unrecorded: true }],
  ['watch', { keys: 'none', shape: 'endless', unrecorded: true }],
  ['quit', ends],
  ['shutdown', ends],
  ['mg', meta],
  ['ms', { ...meta, stores: true }],
  ['md', meta],
  ['ma', meta],
  ['me', meta],
  ['mn', { keys: 'none', shape: 'meta', unrecorded: true }],
])

/** @param line with its line break @returns undefined when no client sends such a line */
export function commandLine(line: Buffer): CommandLine | undefined {
  const end = line.length - (line.at(-2) === 0x0d ? 2 : 1)
  const words = wordsOf(line, end)
  const verb = words[0] ? line.toString('latin1', words[0].start, words[0].end) : ''
  const known = verbs.get(verb)
  if (!known) return undefined
  const texts = words.map(({ start, end: stop }) => line.toString('latin1', start, stop))
  const silent = known.noreply === true && words.length > 2 && texts.at(-1) === 'noreply'
  const keys = keyWords(known.keys, words.length)
  const parts = cut(
    line,
    keys.flatMap((index) => words[index] ?? []),
  )
  if (known.keys !== 'none' && keys.length === 0)
    return { command: base(verb, known, parts, false), data: undefined }
  if (known.shape === 'meta') return metaLine(verb, known, texts, parts)
  const length = known.stores ? Number(texts[4]) : undefined
  const data =
    length !== undefined && Number.isSafeInteger(length) && length >= 0
      ? { flags: Number(texts[2]) >>> 0, length }
      : undefined
  return { command: base(verb, known, parts, silent), data }
}

function base(verb: string, known: Verb, parts: readonly Part[], silent: boolean): Command {
  return {
    protocol: 'text',
    verb,
    parts,
    shape: silent ? 'none' : known.shape,
    quiet: false,
    ...(known.unrecorded ? { unrecorded: true } : {}),
  }
}

function metaLine(verb: string, known: Verb, texts: readonly string[], parts: readonly Part[]): CommandLine {
  // Drafts of 1.6.0 to 1.6.9 name the length S<length>.
  const plainLength = verb === 'ms' && /^\d+$/.test(texts[2] ?? '')
  const flags = texts.slice(plainLength ? 3 : 2)
  const flag = (letter: string) => flags.find((word) => word[0] === letter)?.slice(1)
  const length = verb === 'ms' ? Number(plainLength ? texts[2] : (flag('S') ?? Number.NaN)) : undefined
  const token = flag('O')
  const command: Command = {
    protocol: 'meta',
    verb,
    parts,
    shape: known.shape,
    quiet: flags.includes('q'),
    ...(token === undefined ? {} : { token }),
    ...(flags.includes('k') ? { returnedKey: texts[1] ?? '' } : {}),
    ...(known.unrecorded ? { unrecorded: true } : {}),
  }
  const stored = length !== undefined && Number.isSafeInteger(length) && length >= 0
  return { command, data: stored ? { flags: Number(flag('F') ?? 0) >>> 0, length } : undefined }
}

interface Word {
  readonly start: number
  readonly end: number
}

function wordsOf(line: Buffer, end: number): readonly Word[] {
  const words: Word[] = []
  for (let at = 0; at < end; ) {
    while (at < end && line[at] === 0x20) at++
    const start = at
    while (at < end && line[at] !== 0x20) at++
    if (at > start) words.push({ start, end: at })
  }
  return words
}

function keyWords(rule: Verb['keys'], count: number): readonly number[] {
  if (rule === 'none' || count < 2) return []
  if (rule === 'one') return [1]
  const first = rule === 'all' ? 1 : 2
  return Array.from({ length: Math.max(0, count - first) }, (_, i) => first + i)
}

/** The line with the keys as parts of their own. */
function cut(line: Buffer, keys: readonly Word[]): readonly Part[] {
  const parts: Part[] = []
  let at = 0
  for (const { start, end } of keys) {
    parts.push(plain(line.subarray(at, start)), { kind: 'key', bytes: line.subarray(start, end) })
    at = end
  }
  parts.push(plain(line.subarray(at)))
  return parts
}

const beginnings: ReadonlySet<string> = new Set(verbs.keys())

/** Whether a packet that begins like this probably begins with a command. */
export function beginsLikeCommand(bytes: Buffer): boolean {
  const verb = /^([a-z_]{2,14})(?: |\r?\n)/.exec(bytes.toString('latin1', 0, 16))
  return verb !== null && beginnings.has(verb[1]!)
}
