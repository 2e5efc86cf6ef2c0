/**
 * Connections of pylibmc that are behind: every reply answers an earlier call. The server's second error line for a store
 * command that it refused leaves a connection like that (keys with blanks, a CAS unique of 0), and so does a reply that libmemcached
 * could not read to its end (keys with control characters). A store command that reads the reply to another kind of command ends
 * the process: libmemcached asserts that such a reply is a failure (storage.cc).
 * Source: docs/reference/pylibmc.md#3.4, #5.5, #7.1; measured (`fixtures/vectors/calling-forms-out-of-step.json.gz`,
 * `calling-forms.json`, `calling-forms-odd-keys.json.gz`).
 */
import { type TypedJson, toTypedJson } from '../../values/index.js'
import type { Outcome } from '../compare/outcome.js'

/** The first word of a reply. `items` are more than one, `fragment` is a part of an item that is not a reply. */
type Word =
  | 'ERROR'
  | 'CLIENT_ERROR'
  | 'STORED'
  | 'NOT_STORED'
  | 'EXISTS'
  | 'NOT_FOUND'
  | 'DELETED'
  | 'TOUCHED'
  | 'END'
  | 'VALUE'
  | 'items'
  | 'number'
  | 'fragment'
  | 'unknown'

/** A reply that waits on a connection, with the value of an item or a number. */
interface Reply {
  readonly word: Word
  readonly value?: TypedJson
}

/** The unread bytes that put a connection out of step: an error line, or a part of an item. */
export type Waiting = 'ERROR' | 'fragment' | 'unknown'

/** The outcome of a call with a key that pylibmc sends unchecked. */
export interface UncheckedKeyOutcome {
  readonly outcome: Outcome
  /** Servers whose connection has one more reply waiting afterwards. */
  readonly outOfStep: readonly (readonly [server: number, waiting: Waiting])[]
  /** Servers whose connection was closed, so that the next one is in step. */
  readonly closed?: readonly number[]
  /** The outcome is not known, because it was not measured. */
  readonly uncertain?: boolean
}

/** Longer lines make the server close the connection, once it has read so much of them. */
const LONGEST_LINE = 1024

/** The replies to the data of a refused store command: the server takes each line of the data for an unknown command. */
export function refusedData(value: unknown): Waiting {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return 'ERROR'
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
  // Pickles have line feeds among their bytes.
  if (typeof text !== 'string' || text.includes('\n') || text.length > LONGEST_LINE) return 'unknown'
  return 'ERROR'
}

export interface Shifted {
  readonly outcome: Outcome
  /** The real outcome is not known: it was not measured, or it depends on when the server answers. */
  readonly uncertain: boolean
}

export class OutOfStep {
  private readonly waiting = new Map<number, Reply[]>()

  get any(): boolean {
    return this.waiting.size > 0
  }

  mark(server: number, word: Waiting = 'ERROR'): void {
    this.waiting.set(server, [...(this.waiting.get(server) ?? []), { word }])
  }

  /** Keeps the replies that a call left on connections. */
  take({ outOfStep, closed = [] }: UncheckedKeyOutcome): void {
    for (const server of closed) this.waiting.delete(server)
    for (const [server, waiting] of outOfStep) this.mark(server, waiting)
  }

  /** The connections are closed, by disconnect_all or with the process; the next ones are in step. */
  clear(): void {
    this.waiting.clear()
  }

  /**
   * The outcome of a call that reads a waiting reply instead of its own; undefined for a call in step.
   * @param keys number of keys that are sent
   * @param own the outcome of the call on a connection in step
   * @param usual the reply of the server is one to a command of one line
   */
  shift(
    call: string,
    servers: readonly number[],
    keys: number,
    own: Outcome,
    usual = true,
  ): Shifted | undefined {
    // libmemcached refuses the call before it sends anything: the reply still waits.
    if ('raises' in own && own.raises.class === 'pylibmc.AllocationError') return undefined
    if (everywhere.has(call) && this.any) return this.undecided([...this.waiting.keys()], own)
    const behind = servers.filter((server) => this.waiting.has(server))
    // libmemcached looks for replies on all connections, and reads first what it has received already.
    if (behind.length === 0 && retrievals.has(call) && servers.length > 0 && this.any)
      return this.undecided([...this.waiting.keys(), ...servers], own)
    if (behind.length === 0) return undefined
    const [server] = behind as [number]
    const [reply, ...rest] = this.waiting.get(server)! as [Reply, ...Reply[]]
    if (servers.length !== 1) return this.undecided(behind, own)
    if (reply.word === 'fragment') {
      // libmemcached reads a waiting reply before it requests items, or as the answer to another command; then it closes the connection.
      this.waiting.delete(server)
      if (retrievals.has(call)) return undefined
      return { outcome: unreadable, uncertain: call.endsWith('_multi') }
    }
    const outcome = readAs(call, keys, reply, own)
    if (outcome === undefined) return this.undecided(behind, own)
    // The other items are replies of their own to commands that read one line.
    const whole = usual && (reply.word !== 'items' || call === 'get')
    if (outcome === ends) this.clear()
    else this.waiting.set(server, [...rest, whole ? ownReply(call, own) : { word: 'unknown' }])
    return { outcome, uncertain: false }
  }

  private undecided(servers: readonly number[], own: Outcome): Shifted {
    for (const server of servers) this.waiting.set(server, [{ word: 'unknown' }])
    return { outcome: own, uncertain: true }
  }
}

const raises = (name: string, retcode?: number, message = 'a reply to an earlier command'): Outcome => ({
  raises: { class: `pylibmc.${name}`, ...(retcode === undefined ? {} : { retcode }), message },
})
const result = (value: unknown): Outcome => ({ result: toTypedJson(value) })

const unreadable = raises('UnknownReadFailure', 7, 'a part of an item as a reply')

/** The process ends, with all of its requests. */
const ends: Outcome = {
  raises: {
    class: 'process.abort',
    message: 'the reply to another command as the reply to a store command: the process ends',
  },
}

const stores = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas', 'set_multi', 'add_multi'])
export const retrievals = new Set(['get', 'gets', 'get_multi'])
/** Calls that talk to every server. */
const everywhere = new Set(['flush_all', 'get_stats'])

type Read = Readonly<Partial<Record<Word, Outcome | 'value'>>>

/** How each command reads the first word of a reply. */
const failures: Read = { ERROR: raises('SocketCreateError', 11), CLIENT_ERROR: raises('ClientError', 9) }
const refusals: Read = { ...failures, EXISTS: raises('DataExists', 12), NOT_STORED: raises('Error') }
const accepted = ['TOUCHED', 'VALUE', 'items', 'number'] as const
const all = <T>(words: readonly Word[], value: T) =>
  Object.fromEntries(words.map((word) => [word, value])) as Partial<Record<Word, T>>

const store: Read = {
  ...failures,
  ...all([...accepted, 'END', 'DELETED'], ends),
  STORED: result(true),
  NOT_STORED: result(false),
  EXISTS: result(false),
  NOT_FOUND: raises('NotFound', 16),
}
const removal: Read = {
  ...refusals,
  ...all(['STORED', 'END'], raises('Error')),
  ...all(accepted, result(true)),
  DELETED: result(true),
  NOT_FOUND: result(false),
}
const counting: Read = {
  ...refusals,
  ...all(['STORED', 'END', 'DELETED'], raises('Error')),
  ...all(accepted, result(2n ** 64n - 1n)),
  NOT_FOUND: raises('NotFound', 16),
  number: 'value',
}
/** An end or NOT_FOUND is not here: libmemcached goes on when the next reply is there already, so that the outcome depends on the moment. */
const miss = ['ERROR', 'CLIENT_ERROR', 'STORED', 'NOT_STORED', 'EXISTS', 'DELETED'] as const
const empty = result(Buffer.alloc(0))
const reads: Readonly<Record<string, Read>> = {
  ...Object.fromEntries(['set', 'add', 'replace', 'append', 'prepend'].map((name) => [name, store])),
  cas: { ...store, NOT_STORED: raises('Error') },
  delete: removal,
  delete_multi: removal,
  touch: { ...removal, STORED: result(true), DELETED: raises('Error') },
  incr: counting,
  decr: counting,
  get: { ...all(miss, result(null)), ...all(['TOUCHED', 'number'], empty), VALUE: 'value', items: 'value' },
  gets: all(miss, { result: { $tuple: [null, null] } } as Outcome),
  get_multi: all(miss, { result: {} } as Outcome),
}

/** undefined: the outcome cannot be predicted. */
function readAs(call: string, keys: number, reply: Reply, own: Outcome): Outcome | undefined {
  if (call === 'set_multi' || call === 'add_multi') {
    const first = store[reply.word]
    if (first === undefined || first === 'value') return undefined
    // The first failure ends the call, and the replies to the other keys follow each other.
    if ('raises' in first) return first
    const stored = 'result' in own && JSON.stringify(own.result) === '[]'
    return reply.word === 'STORED' && stored ? own : undefined
  }
  if (call === 'delete_multi' && keys !== 1) return undefined
  const found = reads[call]?.[reply.word]
  return found === 'value' ? { result: reply.value! } : found
}

const storing: Readonly<Record<string, readonly [done: Word, other: Word]>> = {
  cas: ['STORED', 'EXISTS'],
  delete: ['DELETED', 'NOT_FOUND'],
  delete_multi: ['DELETED', 'NOT_FOUND'],
  touch: ['TOUCHED', 'NOT_FOUND'],
}

/** The reply to a call, from its outcome on a connection in step. */
function ownReply(call: string, own: Outcome): Reply {
  if ('raises' in own) {
    if (own.raises.class === 'pylibmc.NotFound') return { word: 'NOT_FOUND' }
    if (own.raises.class === 'pylibmc.ClientError') return { word: 'CLIENT_ERROR' }
    return { word: own.raises.class === 'pylibmc.SocketCreateError' ? 'ERROR' : 'unknown' }
  }
  const value = own.result
  if (call === 'get') return value === null ? { word: 'END' } : { word: 'VALUE', value }
  if (call === 'gets') return retrieved(value as { readonly $tuple: readonly TypedJson[] })
  if (call === 'get_multi') {
    const values = Object.values(value as Readonly<Record<string, TypedJson>>)
    if ('$dict' in (value as object)) return { word: 'unknown' }
    if (values.length === 0) return { word: 'END' }
    return { word: values.length === 1 ? 'VALUE' : 'items', value: values[0]! }
  }
  if (call === 'incr' || call === 'decr') return { word: 'number', value }
  if (call === 'set_multi' || call === 'add_multi')
    return { word: JSON.stringify(value) === '[]' ? 'STORED' : 'unknown' }
  if (typeof value !== 'boolean') return { word: 'unknown' }
  const [done, other] =
    storing[call] ?? (stores.has(call) ? ['STORED', 'NOT_STORED'] : ['unknown', 'unknown'])
  return { word: value ? done : other }
}

function retrieved({ $tuple: [value, unique] }: { readonly $tuple: readonly TypedJson[] }): Reply {
  return unique === null ? { word: 'END' } : { word: 'VALUE', value: value! }
}
