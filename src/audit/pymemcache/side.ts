/** The side of an audit that is pymemcache: memshim's client of that name, on servers of its own. */
import type { Bytes } from '../../ground/bytes.js'
import { rendezvous } from '../../hashing/index.js'
import { HashClient } from '../../pymemcache/index.js'
import { checkKey } from '../../pymemcache/keys.js'
import { PyIterator, PythonObject, type TypedJson } from '../../values/index.js'
import { type Reason, reasonFor } from '../compare/divergence.js'
import { type Outcome, raised } from '../compare/outcome.js'
import { asBuiltin, builtinOf, withBuiltinItems } from '../methods/builtins.js'
import { type Bound, type Library, type PythonCall, SignatureError } from '../methods/python-signatures.js'
import { keyBytes, touchedKeys } from '../methods/touched-keys.js'
import type { Fleet } from '../replay/fleet.js'
import type { Replayed, ReplaySide } from '../replay/side.js'
import type { Placed } from '../replay/topology.js'
import { beforeBinding, bindPymemcache, invokePymemcache, type PymemcacheClient, truthy } from './calls.js'
import { type PymemcacheReplay, pymemcacheClient, serverName } from './construct.js'
import { type ComparedCall, reasonsBetween, signatureReason } from './explain.js'
import { type TargetOptions, targetSettings } from './options.js'
import { inPymemcacheWords, type Repaired } from './repair.js'

interface ReplayClient {
  readonly client: PymemcacheClient
  /** Index of the fleet's server by its name in the placement. */
  readonly servers: ReadonlyMap<string, number>
  /** The last CAS unique seen in this replay, by key on the wire. */
  readonly tokens: Map<string, Uint8Array>
  /** A call that did not wait was refused with a line that the server sends all the same: the next call that waits reads it. */
  unread: Outcome | undefined
  /** Keys whose stored text holds an address in memory. */
  readonly unknowable: Set<string>
}

const unknownCommand: Outcome = {
  raises: { class: 'pymemcache.exceptions.MemcacheUnknownCommandError', message: 'ERROR' },
}
const unknownReply: Outcome = {
  raises: { class: 'pymemcache.exceptions.MemcacheUnknownError', message: 'NOT_FOUND' },
}
const badCommandLine: Outcome = {
  raises: { class: 'pymemcache.exceptions.MemcacheClientError', message: 'bad command line format' },
}
const alwaysWaits = new Set(['get', 'gets', 'get_multi', 'get_many'])
/** Do not wait only where the call says so. */
const waitsByDefault = new Set(['incr', 'decr', 'cas'])

export class PymemcacheSide implements ReplaySide {
  private readonly clients = new Map<string, ReplayClient>()
  private readonly settings

  constructor(
    readonly library: Library,
    private readonly source: Library,
    readonly fleet: Fleet,
    private readonly target: TargetOptions,
    private readonly options: PymemcacheReplay,
    /** Calls of the other library are said in pymemcache's words first. */
    private readonly repairs: boolean,
  ) {
    this.settings = targetSettings(target)
  }

  create(name: string, servers: readonly Placed[], _kwargs: Readonly<Record<string, TypedJson>>) {
    this.close(name)
    const placed = servers.map(({ index, name: given }) => ({
      name: serverName(given ?? this.fleet.addresses[index]!),
      address: this.fleet.addresses[index]!,
      index,
    }))
    this.clients.set(name, {
      client: pymemcacheClient(placed, this.target, { ...this.options, connect: this.fleet.connect }),
      servers: new Map(placed.map(({ name, index }) => [name, index])),
      tokens: new Map(),
      unread: undefined,
      unknowable: new Set(),
    })
    return []
  }

  has(name: string): boolean {
    return this.clients.has(name)
  }

  place(name: string, key: Bytes): number | undefined {
    const servers = this.clients.get(name)?.servers
    if (!servers) return undefined
    const names = [...servers.keys()]
    const index = rendezvous(names, key)
    return index === undefined ? undefined : servers.get(names[index]!)
  }

  async run(name: string, call: PythonCall): Promise<Replayed> {
    const replay = this.clients.get(name)
    if (!replay) throw new RangeError(`client "${name}" was never created`)
    const hashed = replay.client instanceof HashClient
    let said: Repaired = { call, gaps: [] }
    let bound: Bound
    try {
      if (this.repairs) said = inPymemcacheWords(this.source, this.library, call, replay.tokens)
      bound = bindPymemcache(this.library, hashed, said.call)
    } catch (error) {
      const reasons = error instanceof SignatureError ? [signatureReason(call, error)] : []
      const earlier = hashed && error instanceof SignatureError ? beforeBinding(call, error) : undefined
      return { outcome: earlier ?? raised(error), announced: [], gaps: said.gaps, reasons, uncertain: false }
    }
    const reasons: Reason[] = []
    if (!this.repairs && (call.call === 'gets' || call.call === 'cas') && this.source.name !== 'pymemcache')
      reasons.push(reasonFor('gets-and-cas'))
    const { outcome, uncertain } = await this.make(replay, hashed, said.call.call, bound)
    return {
      outcome: this.repairs ? (said.result?.(outcome) ?? outcome) : outcome,
      announced: [],
      gaps: said.gaps,
      reasons,
      uncertain,
    }
  }

  private async make(
    replay: ReplayClient,
    hashed: boolean,
    call: string,
    bound: Bound,
  ): Promise<{ outcome: Outcome; uncertain: boolean }> {
    const { plain } = this.settings
    const waits = this.waits(call, bound)
    const refusal = this.refusal(hashed, call, bound)
    let uncertain = false
    let outcome: Outcome
    if (refusal) {
      outcome = waits ? refusal : { result: call.endsWith('_multi') && call.startsWith('set') ? [] : true }
      if (!waits) replay.unread = unreadAfter(call, refusal)
      return { outcome, uncertain: !waits && hashed }
    }
    const legal = withoutEmptyKeys(call, bound)
    outcome = await invokePymemcache(replay.client, call, legal, plain)
    if (legal !== bound && call !== 'get_multi' && 'result' in outcome) {
      if (waits) outcome = unknownCommand
      else replay.unread = call === 'delete_multi' ? unknownReply : unknownCommand
      uncertain = hashed
    }
    const asked = touched(bound)
    if (plain && 'value' in bound && isUnknowable(bound.value))
      for (const key of asked) replay.unknowable.add(key)
    else if (alwaysWaits.has(call)) uncertain = asked.some((key) => replay.unknowable.has(key))
    if (replay.unread && waits && !isArgumentError(outcome)) {
      if (hashed) uncertain = true
      else outcome = replay.unread
      replay.unread = undefined
    }
    if (call === 'disconnect_all') replay.unread = undefined
    return { outcome, uncertain }
  }

  private waits(call: string, { noreply }: Bound): boolean {
    if (alwaysWaits.has(call) || call === 'check_key' || call === 'disconnect_all')
      return alwaysWaits.has(call)
    if (noreply !== undefined && noreply !== null) return !truthy(asBuiltin(noreply))
    return waitsByDefault.has(call) || !this.settings.noreply
  }

  /** What pymemcache sends and no server takes; our client refuses it. Source: docs/reference/pymemcache.md#4, #5. */
  private refusal(hashed: boolean, call: string, bound: Bound): Outcome | undefined {
    const key = asBuiltin(bound.key)
    const isEmpty = (given: unknown) => given === '' || (given instanceof Uint8Array && given.length === 0)
    if (!hashed && call === 'get_multi' && bound.keys instanceof PyIterator && bound.keys.items.length === 0)
      return unknownCommand
    if ('key' in bound && isEmpty(key) && call !== 'check_key') return unknownCommand
    if (!isSent(bound)) return undefined
    const flags = asBuiltin(bound.flags)
    if (
      flags === undefined ||
      flags === null ||
      typeof flags === 'number' ||
      typeof flags === 'bigint' ||
      (typeof flags === 'string' && /^\d{1,15}$/.test(flags))
    )
      return undefined
    // Its text has blanks: the line has too many words.
    return flags instanceof PythonObject ? unknownCommand : badCommandLine
  }

  /** Why the two sides differ, in the rows and words of the table. */
  explain(compared: ComparedCall): readonly Reason[] {
    return reasonsBetween(compared, this.settings, this.repairs)
  }

  close(name: string): void {
    this.clients.get(name)?.client.close()
    this.clients.delete(name)
  }

  async stop(): Promise<void> {
    for (const name of [...this.clients.keys()]) this.close(name)
    await this.fleet.stop()
  }
}

/** The server reads over an empty key among others: a get does without it, and another command answers an error. */
function withoutEmptyKeys(call: string, bound: Bound): Bound {
  const isEmpty = (key: unknown) => key === '' || (key instanceof Uint8Array && key.length === 0)
  if (call === 'set_multi' && bound.values instanceof Map && [...bound.values.keys()].some(isEmpty))
    return { ...bound, values: new Map([...bound.values].filter(([key]) => !isEmpty(key))) }
  const { keys } = bound
  if (!Array.isArray(keys) || !keys.some(isEmpty) || keys.every(isEmpty)) return bound
  return { ...bound, keys: keys.filter((key) => !isEmpty(key)) }
}

/** What the server says behind a command with an empty key or flags that are no number, although it was asked not to answer. */
function unreadAfter(call: string, refusal: Outcome): Outcome | undefined {
  if (refusal === badCommandLine) return unknownCommand
  if (call === 'touch') return undefined
  return call === 'delete' ? unknownReply : unknownCommand
}

/** pymemcache checks key and time before the flags are written. */
function isSent({ key, expire }: Bound): boolean {
  const time = asBuiltin(expire)
  if (time !== undefined && typeof time !== 'number' && typeof time !== 'bigint' && typeof time !== 'boolean')
    return false
  try {
    if (key !== undefined) checkKey(asBuiltin(key), { keyPrefix: '', allowUnicodeKeys: false })
    return true
  } catch {
    return false
  }
}

function touched(bound: Bound): readonly string[] {
  try {
    return 'key' in bound ? [keyBytes(withBuiltinItems(bound.key))] : touchedKeys(bound)
  } catch {
    return []
  }
}

function isArgumentError(outcome: Outcome): boolean {
  return 'raises' in outcome && /IllegalInput|^builtins\.(Type|Attribute)Error/.test(outcome.raises.class)
}

/** Its `str()` names where it lies in memory. */
function isUnknowable(value: unknown): boolean {
  return value instanceof PyIterator || (value instanceof PythonObject && builtinOf(value) === undefined)
}
