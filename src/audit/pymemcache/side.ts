/** The side of an audit that emulates pymemcache, on its own servers. */
import type { Bytes } from '../../ground/bytes.js'
import { rendezvous } from '../../hashing/index.js'
import { HashClient, type Key, retryingClient } from '../../pymemcache/index.js'
import { PyByteArray } from '../../values/index.js'
import { isRefusedForm, type Reason, reasonFor } from '../compare/divergence.js'
import { type Outcome, raised } from '../compare/outcome.js'
import { asBuiltin, withBuiltinItems } from '../methods/builtins.js'
import { itemsOf } from '../methods/conversions.js'
import { type Bound, type Library, type PythonCall, SignatureError } from '../methods/python-signatures.js'
import type { Fleet } from '../replay/fleet.js'
import { noItem, withoutDefault } from '../replay/found-none.js'
import type { Replayed, ReplaySide } from '../replay/side.js'
import type { Placed } from '../replay/topology.js'
import type { Construction } from '../traces/trace.js'
import {
  alwaysWaits,
  isArgumentError,
  placedKeys,
  refusalOf,
  touched,
  unknownCommand,
  unknownReply,
  unreadAfter,
  waitsForAnswer,
  withOwnRule,
  withoutEmptyKeys,
  withUsualName,
} from './bound-calls.js'
import {
  beforeBinding,
  bindPymemcache,
  type ClientClass,
  classOf,
  hiddenBy,
  invokePymemcache,
  isEmptyKey,
  type PymemcacheClient,
} from './calls.js'
import { CasUniques, withOwnUnique, withTheirUniques } from './cas-uniques.js'
import { type PymemcacheReplay, pymemcacheClient, serverName } from './construct.js'
import { comparisonError } from './constructor/limits.js'
import { checkPlacedKey, type Refusal } from './constructor/refusals.js'
import { errorOfDelay, type TracedRetry } from './constructor/retried.js'
import { type TracedClient, tracedClient } from './constructor/traced.js'
import { type ComparedCall, reasonsBetween, signatureReason } from './explain.js'
import { reasonsOfOptions } from './explain-options.js'
import { type TargetOptions, type TargetSettings, targetSettings } from './options.js'
import { inPymemcacheWords, type Repaired } from './repair.js'
import { Switched } from './switched.js'
import { isUnknowable } from './unknowable.js'

interface ReplayClient {
  readonly client: PymemcacheClient
  readonly kind: ClientClass
  readonly settings: TargetSettings
  readonly refusals: readonly Refusal[]
  /** The part of a call that a RetryingClient adds. */
  readonly retry: TracedRetry | undefined
  /** Its timeout is 0. */
  readonly mayBlock: boolean
  /** Arguments of its constructor let calls raise. */
  readonly raises: boolean
  /** Index of the fleet's server by its name in the placement. */
  readonly servers: ReadonlyMap<string, number>
  /** The last CAS unique seen in this replay, by key on the wire. */
  readonly tokens: Map<string, Uint8Array>
  readonly uniques: CasUniques<Uint8Array>
  /** A call that did not wait was refused with a line that the server sends nevertheless: the next call that waits reads it. */
  unread: Outcome | undefined
  /** Every second call of the pool raises it: its limit of idle time cannot be compared. */
  readonly poolError: Error | undefined
  /** Which of the calls raise it is not known any more. */
  poolIsUnknown: boolean
  /** Keys whose stored text contains an address in memory. */
  readonly unknowable: Set<string>
}

/** A client of another library has no arguments of pymemcache. */
const usual: TracedClient = {
  options: {},
  sockets: [],
  limits: {},
  refusals: [],
  isTextPrefix: false,
  notes: [],
}

/** The first parameter of HashClient's methods, if it is not `key`. */
const firstParameter: Readonly<Record<string, string>> = {
  get_multi: 'keys',
  delete_multi: 'keys',
  set_multi: 'values',
}

export class PymemcacheSide implements ReplaySide {
  private readonly clients = new Map<string, ReplayClient>()
  private readonly switched: Switched | undefined

  constructor(
    readonly library: Library,
    private readonly source: Library,
    readonly fleet: Fleet,
    private readonly target: TargetOptions,
    private readonly options: PymemcacheReplay,
    /** Calls of the other library are rewritten into pymemcache's form first. */
    private readonly repairs: boolean,
    /** Findings whose behaviour is that of `other`. */
    switches: readonly string[] = [],
    /** The library that it is compared with. */
    private readonly other: Library = source,
  ) {
    this.switched = switches.length > 0 ? new Switched(new Set(switches), other) : undefined
  }

  /** An application of pymemcache has its own class and options; those of the audit override them. */
  create(name: string, servers: readonly Placed[], made: Construction) {
    this.close(name)
    const { options, retry, serde, sockets, limits, refusals, isTextPrefix, notes }: TracedClient =
      this.source.name === 'pymemcache' ? tracedClient(made, new Set(Object.keys(this.target))) : usual
    const chosen = { ...options, ...this.target }
    const placed = servers.map(({ index, name: given }) => ({
      name: serverName(given ?? this.fleet.addresses[index]!),
      address: this.fleet.addresses[index]!,
      index,
    }))
    const client = pymemcacheClient(placed, chosen, {
      ...this.options,
      connect: this.fleet.connect,
      serde: this.switched?.serde ?? serde,
      sockets,
      limits,
    })
    this.clients.set(name, {
      client: retry ? retryingClient(client, retry.options) : client,
      kind: classOf(client),
      settings: targetSettings(chosen, isTextPrefix && client instanceof HashClient),
      refusals,
      retry,
      mayBlock: sockets.some(({ reading }) => reading),
      // No server understands numbers in UTF-16 or UTF-32.
      raises: sockets.length > 0 || refusals.length > 0 || /^utf-(16|32)/.test(String(options.encoding)),
      servers: new Map(placed.map(({ name, index }) => [name, index])),
      tokens: new Map(),
      uniques: new CasUniques(),
      unread: undefined,
      poolError: comparisonError(limits.pool_idle_timeout),
      poolIsUnknown: false,
      unknowable: new Set(),
    })
    return notes
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

  async run(
    name: string,
    application: PythonCall,
    _servers?: readonly Placed[],
    recorded?: Outcome,
  ): Promise<Replayed> {
    const replay = this.clients.get(name)
    if (!replay) throw new RangeError(`client "${name}" was never created`)
    const call = withUsualName(application)
    const done = await this.replay(name, replay, call, recorded, this.repairs)
    if (!this.isBackends(call) || this.repairs || !isRefusedForm(done.outcome, done.reasons)) return done
    const { outcome: repaired } = await this.replay(name, replay, call, recorded, true)
    return { ...done, repaired }
  }

  /** Whether a framework's backend for pymemcache makes the call in pymemcache's form. */
  private isBackends({ byFramework }: PythonCall): boolean {
    return byFramework === true && this.library.name !== this.source.name
  }

  /** @param repairs the call is rewritten into pymemcache's form first */
  private async replay(
    name: string,
    replay: ReplayClient,
    call: PythonCall,
    recorded: Outcome | undefined,
    repairs: boolean,
  ): Promise<Replayed> {
    const { kind } = replay
    let said: Repaired = { call, gaps: [] }
    let bound: Bound
    try {
      if (repairs) said = inPymemcacheWords(this.source, this.library, call, replay.tokens)
      bound = bindPymemcache(this.library, kind, said.call)
    } catch (error) {
      const reasons = error instanceof SignatureError ? [signatureReason(call, error)] : []
      const outcome =
        error instanceof SignatureError ? await this.unbound(replay, call, error) : raised(error)
      return { outcome, announced: [], gaps: said.gaps, reasons, uncertain: false }
    }
    const addsDefault = said.call.call === 'get' && !('default' in bound) && this.isBackends(call)
    if (addsDefault) bound = { ...bound, default: noItem }
    const reasons: Reason[] = []
    const isOther = this.library.name !== this.other.name || this.library.name !== this.source.name
    if (!repairs && isOther && (call.call === 'gets' || call.call === 'cas'))
      reasons.push(reasonFor('gets-and-cas'))
    const trouble = new Set(failedServers(replay.client))
    const method = said.call.call
    const given = this.source.name === 'pymemcache' ? withOwnUnique(replay.uniques, method, bound) : bound
    const asked = this.switched?.arguments(given) ?? given
    const refused = this.switched?.refused(method, asked)
    const made = refused
      ? { outcome: refused, uncertain: false }
      : this.switched?.deletesEach(method)
        ? await this.deleteEach(replay, asked)
        : await this.make(replay, method, asked)
    const own = afterDelay(replay.retry, made.outcome)
    const outcome = this.switched?.result(call.call, own) ?? own
    let answer = repairs ? (said.result?.(outcome) ?? outcome) : outcome
    if (this.source.name === 'pymemcache' && recorded)
      answer = inTheirOrder(
        method,
        recorded,
        withTheirUniques(replay.uniques, method, bound, recorded, answer),
      )
    // A reply that is there at once is read in spite of a timeout of 0.
    const uncertain = made.uncertain || replay.poolIsUnknown || (replay.mayBlock && !isArgumentError(answer))
    for (const server of failedServers(replay.client)) trouble.add(server)
    const hides = (replay.settings.ignoreExc || replay.retry !== undefined) && replay.raises
    if (hides || (trouble.size > 0 && this.asks(name, bound, trouble)))
      reasons.push(reasonFor('pymemcache-failures'))
    return {
      ...(addsDefault ? withoutDefault(answer) : { outcome: answer }),
      announced: [],
      gaps: said.gaps,
      reasons,
      uncertain,
    }
  }

  /** A call that the signature refuses. HashClient passes the arguments after the key on, and fails when it calls a server's client. */
  private async unbound(replay: ReplayClient, call: PythonCall, error: SignatureError): Promise<Outcome> {
    const { client, kind, settings, retry } = replay
    if (retry?.each) return raised(retry.each)
    if (error.problem === 'method') return raised(error)
    if (!(client instanceof HashClient)) return afterDelay(retry, raised(error))
    const earlier = beforeBinding(call, error, settings)
    if (earlier) return afterDelay(retry, earlier)
    const { args, kwargs } = call
    const first = firstParameter[call.call] ?? 'key'
    // Exactly one of the two is given: none and both are refused at once.
    const handedOn = call.call === 'flush_all' || args.length > 0 !== first in kwargs
    const hidden = hiddenBy(kind, call.call, { default: args[1] ?? kwargs.default })
    if (!hidden || !handedOn) return afterDelay(retry, raised(error))
    const given = asBuiltin(args[0] ?? kwargs.key)
    const key = (given instanceof PyByteArray ? given.bytes : given) as Key
    if (first !== 'key' || call.call === 'flush_all' || isEmptyKey(key, settings))
      return settings.ignoreExc ? hidden : afterDelay(retry, raised(error))
    try {
      await client.failing(key, error)
      return hidden
    } catch (failure) {
      return afterDelay(retry, raised(failure))
    }
  }

  /** Whether a key of the call belongs to one of these servers; a call without keys goes to all of them. */
  private asks(name: string, bound: Bound, servers: ReadonlySet<string>): boolean {
    const keys = touched(bound)
    const names = [...this.clients.get(name)!.servers.keys()]
    return (
      keys.length === 0 ||
      keys.some((key) => {
        const index = rendezvous(names, key)
        return index !== undefined && servers.has(names[index]!)
      })
    )
  }

  /** The exception, or the result that hides it. */
  private seen(
    { kind, settings }: Pick<ReplayClient, 'kind' | 'settings'>,
    call: string,
    bound: Bound,
    outcome: Outcome,
  ): Outcome {
    return settings.ignoreExc ? (hiddenBy(kind, call, bound) ?? outcome) : outcome
  }

  /** The outcome of a call that the arguments of the constructor let raise. */
  private refused({ kind, settings, refusals, retry }: ReplayClient, call: string, bound: Bound) {
    if (retry?.each) return raised(retry.each)
    const refusal = refusals.find((one) => one.concerns(call, bound, settings))
    if (!refusal && !settings.isTextPrefix) return undefined
    if (kind === 'HashClient' && !withoutKeys.has(call)) {
      const keys = 'key' in bound ? [bound.key] : placedKeys(bound)
      if (!keys || keys.length === 0) return undefined
      try {
        for (const key of keys) checkPlacedKey(asBuiltin(key), settings)
      } catch (error) {
        return raised(error)
      }
    }
    if (!refusal) return undefined
    const outcome = raised(refusal.error)
    return kind === 'HashClient' ? this.seen({ kind, settings }, call, bound, outcome) : outcome
  }

  private async deleteEach(replay: ReplayClient, { keys }: Bound) {
    let each = { outcome: { result: true } as Outcome, uncertain: false }
    for (const key of itemsOf(withBuiltinItems(keys)) ?? []) {
      const made = await this.make(replay, 'delete', { key, noreply: false })
      if (!('result' in made.outcome && made.outcome.result === true)) each = made
    }
    return each
  }

  private async make(
    replay: ReplayClient,
    call: string,
    bound: Bound,
  ): Promise<{ outcome: Outcome; uncertain: boolean }> {
    const { kind, settings } = replay
    const refused = this.refused(replay, call, bound)
    if (refused) return { outcome: refused, uncertain: false }
    const plain = settings.plain && !this.switched?.serde
    const hashed = kind === 'HashClient'
    const waits = waitsForAnswer(settings, call, bound)
    const refusal = refusalOf(settings, hashed, call, bound)
    let uncertain = false
    let outcome: Outcome
    if (refusal) {
      replay.poolIsUnknown = replay.poolError !== undefined
      outcome = waits
        ? this.seen(replay, call, bound, refusal)
        : { result: call.endsWith('_multi') && call.startsWith('set') ? [] : true }
      if (!waits) replay.unread = unreadAfter(call, refusal)
      return { outcome, uncertain: !waits && hashed }
    }
    const legal = withoutEmptyKeys(call, bound, settings)
    outcome = await invokePymemcache(replay.client, call, withOwnRule(call, legal, settings), plain)
    if (legal !== bound && call !== 'get_multi' && 'result' in outcome) {
      if (waits) outcome = this.seen(replay, call, bound, unknownCommand)
      else replay.unread = call === 'delete_multi' ? unknownReply : unknownCommand
      uncertain = hashed
    }
    // A bytearray passes the check of the key, and fails after it; a pool hides every error of reading.
    if (
      'raises' in outcome &&
      outcome.raises.message !== replay.poolError?.message &&
      ((hashed && asBuiltin(bound.key) instanceof PyByteArray) || kind === 'PooledClient')
    )
      outcome = this.seen(replay, call, bound, outcome)
    const asked = touched(bound)
    const many = bound.values instanceof Map ? [...bound.values.values()] : []
    if (plain && [bound.value, ...many].some(isUnknowable))
      for (const key of asked) replay.unknowable.add(key)
    else if (alwaysWaits.has(call)) uncertain = asked.some((key) => replay.unknowable.has(key))
    if (replay.unread && waits && !isArgumentError(outcome)) {
      if (hashed) uncertain = true
      else outcome = this.seen(replay, call, bound, replay.unread)
      replay.unread = undefined
    }
    // A pool closes the connection of every call that raises.
    if (call === 'disconnect_all' || (kind === 'PooledClient' && 'raises' in outcome))
      replay.unread = undefined
    return { outcome, uncertain }
  }

  /** The reasons why the two sides differ, by the rows of the table. */
  explain(compared: ComparedCall, other: ReplaySide): readonly Reason[] {
    const { settings, kind } = this.clients.get(compared.client)!
    const second = other instanceof PymemcacheSide ? other.clients.get(compared.client) : undefined
    if (second)
      return reasonsOfOptions(
        { ...compared, call: withUsualName(compared.call) },
        { settings, kind },
        { settings: second.settings, kind: second.kind },
      )
    return reasonsBetween({ ...compared, call: withUsualName(compared.call) }, settings, this.repairs)
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

const withoutKeys = new Set(['flush_all', 'quit', 'close', 'disconnect_all'])

/** The keys that a failed server did not store are a set in Python, whose order means nothing. */
function inTheirOrder(call: string, recorded: Outcome, outcome: Outcome): Outcome {
  if (!/^set_m(ulti|any)$/.test(call) || !('result' in recorded) || !('result' in outcome)) return outcome
  const { result: theirs } = recorded
  const { result: ours } = outcome
  if (!Array.isArray(theirs) || !Array.isArray(ours) || theirs.length !== ours.length) return outcome
  const names = new Set(ours.map((key) => JSON.stringify(key)))
  return theirs.every((key) => names.has(JSON.stringify(key))) ? recorded : outcome
}

/** The outcome of a RetryingClient that cannot wait between two attempts. */
function afterDelay(retry: TracedRetry | undefined, outcome: Outcome): Outcome {
  const error = retry && 'raises' in outcome ? errorOfDelay(retry, outcome.raises) : undefined
  return error ? raised(error) : outcome
}

function failedServers(client: PymemcacheClient): readonly string[] {
  return client instanceof HashClient ? client.failedServers : []
}
