/**
 * One side of an audit: the clients of the trace as one of our two clients, on separate servers. It replays calls in
 * the form of its library and keeps the CAS uniques of the replay.
 */
import { Client as CompatClient } from '../../compat/index.js'
import type { Bytes } from '../../ground/bytes.js'
import { pipelineOf } from '../../pipeline/pipeline.js'
import { KeyError } from '../../python/errors.js'
import { signatureOf } from '../../rules/signatures.js'
import { Client as StrictClient } from '../../strict/index.js'
import { fromTypedJson, PyTuple, type TypedJson } from '../../values/index.js'
import type { Announced, Reason } from '../compare/divergence.js'
import { type Outcome, raised } from '../compare/outcome.js'
import { type AuditedClient, invoke } from '../methods/calls.js'
import {
  type ConstructOptions,
  construct,
  pylibmcKwargs,
  pythonMemcachedKwargs,
} from '../methods/construct.js'
import { truthy } from '../methods/conversions.js'
import { type Gap, translate } from '../methods/intention.js'
import { OutOfStep } from '../methods/out-of-step.js'
import {
  type Bound,
  bind,
  type Library,
  type PythonCall,
  SignatureError,
} from '../methods/python-signatures.js'
import { surfaceReasons } from '../methods/surface.js'
import { keyBytes } from '../methods/touched-keys.js'
import { holdsSubclass, runUnchanged } from '../methods/unchanged.js'
import { unchangedConstruction } from '../methods/unchanged-constructor.js'
import { bindPymemcache, isItemCall } from '../pymemcache/calls.js'
import { CasUniques } from '../pymemcache/cas-uniques.js'
import { type ComparedCall, signatureReason } from '../pymemcache/explain.js'
import type { Construction, TracedServer } from '../traces/trace.js'
import type { Fleet } from './fleet.js'
import type { Placed } from './topology.js'

export interface Replayed {
  readonly outcome: Outcome
  readonly announced: readonly Announced[]
  readonly gaps: readonly Gap[]
  readonly reasons: readonly Reason[]
  /** The real outcome is not known, because it was not measured. */
  readonly uncertain: boolean
}

interface ReplayClient {
  readonly client: AuditedClient
  /** The last CAS unique seen in this replay, by key on the wire. */
  readonly tokens: Map<string, bigint>
  readonly uniques: CasUniques<number | bigint>
  readonly outOfStep: OutOfStep
  /** Server of a key by this side's placement, while every server is up. */
  readonly place: (key: Bytes) => number | undefined
  readonly text: boolean
}

/** The interface between a replay and a side. */
export interface ReplaySide {
  readonly library: Library
  readonly fleet: Fleet
  create(name: string, servers: readonly Placed[], made: Construction): readonly string[]
  has(name: string): boolean
  place(name: string, key: Bytes): number | undefined
  run(
    name: string,
    call: PythonCall,
    servers?: readonly Placed[],
    recorded?: Outcome,
  ): Replayed | Promise<Replayed>
  /** This side's reasons why the two outcomes differ. */
  explain?(compared: ComparedCall, other: ReplaySide): readonly Reason[]
  stop(): Promise<void>
}

export class Side implements ReplaySide {
  private readonly clients = new Map<string, ReplayClient>()
  private announced: Announced[] = []

  /**
   * @param library the library of this side: `pylibmc` is the strict client, `python-memcached` the compat client
   * @param source the library whose calls are replayed
   */
  constructor(
    readonly library: Library,
    private readonly source: Library,
    readonly fleet: Fleet,
    private readonly options: ConstructOptions,
    /** Calls of the other library are rewritten into this library's form first. */
    private readonly repairs: boolean,
  ) {}

  /**
   * A constructor call of the trace.
   * @param servers indexes of the fleet, with weights
   * @returns sentences about keywords without an effect @throws errors of the constructor
   */
  create(name: string, servers: readonly Placed[], made: Construction): readonly string[] {
    this.close(name)
    const spoken = this.inOwnKeywords(made, servers)
    const { client, ignored } = construct(this.library.name, this.specs(servers), spoken, {
      ...this.options,
      ...(this.fleet.connect ? { connect: this.fleet.connect } : {}),
    })
    if (client instanceof CompatClient)
      client.on('divergence', (event) => this.announced.push(summary(event)))
    const text = !truthy(this.options.strict?.binary ?? spoken.binary ?? false)
    this.clients.set(name, {
      client,
      tokens: new Map(),
      uniques: new CasUniques(),
      outOfStep: new OutOfStep(),
      place: this.placement(client, servers),
      text,
    })
    return ignored.map((keyword) => `constructor keyword ${keyword} cannot be replayed: the default is used`)
  }

  private specs(servers: readonly Placed[]): TracedServer[] {
    return servers.map(({ index, weight }): TracedServer => {
      const address = this.fleet.addresses[index]!
      return weight === undefined ? address : [address, weight]
    })
  }

  private inOwnKeywords(made: Construction, servers: readonly Placed[]): Readonly<Record<string, unknown>> {
    const kwargs = Object.fromEntries(
      Object.entries(made.kwargs).map(([key, value]) => [key, fromTypedJson(value)]),
    )
    const { name, version } = this.library
    if (name === this.source.name) {
      if (version !== this.source.version && (made.positional?.length ?? 0) > 1) {
        const moved = this.unchanged(made, servers)
        if (moved) return moved
      }
      const { parameters } = signatureOf(name, version, '__init__')!
      return Object.fromEntries(Object.entries(kwargs).filter(([keyword]) => parameters.includes(keyword)))
    }
    if (name !== 'pylibmc') return pythonMemcachedKwargs(this.source.name, kwargs)
    // A constructor that pylibmc accepts stays unchanged, so `cas` stays off.
    const asItIs =
      this.source.name !== 'pymemcache' && !this.repairs ? this.unchanged(made, servers) : undefined
    return asItIs ?? pylibmcKwargs(kwargs)
  }

  /** The constructor as the application calls it; undefined where the library refuses it. */
  private unchanged(
    made: Construction,
    servers: readonly Placed[],
  ): Readonly<Record<string, unknown>> | undefined {
    try {
      return unchangedConstruction(this.library, { ...made, servers: this.specs(servers) })
    } catch {
      return undefined
    }
  }

  has(name: string): boolean {
    return this.clients.has(name)
  }

  /** Index of the server of a key by placement; undefined when the key is not legal. */
  place(name: string, key: Bytes): number | undefined {
    try {
      return this.clients.get(name)?.place(key)
    } catch {
      return undefined
    }
  }

  private placement(client: AuditedClient, servers: readonly Placed[]): (key: Bytes) => number | undefined {
    const index = (own: number | undefined) => (own === undefined ? undefined : servers[own]?.index)
    return (key) => index(pipelineOf(client).selection.place(key))
  }

  /**
   * Replays one call of the source library. Never throws the error of the call.
   * @param servers the argument of set_servers
   */
  run(
    name: string,
    call: PythonCall,
    servers?: readonly Placed[],
    recorded?: Outcome,
  ): Replayed | Promise<Replayed> {
    return this.replay(name, call, servers, recorded)
  }

  private async replay(
    name: string,
    call: PythonCall,
    servers?: readonly Placed[],
    recorded?: Outcome,
  ): Promise<Replayed> {
    const replay = this.clients.get(name)
    if (!replay) throw new RangeError(`client "${name}" was never created`)
    this.announced = []
    const own =
      call.call === 'set_servers' ? { ...call, args: [this.specs(servers ?? [])], kwargs: {} } : call
    if (this.library.name === this.source.name) {
      const reasons =
        this.library.name === 'pylibmc' ? nothing : surfaceReasons(this.library, this.source, own)
      const outcome = await invoke(replay.client, this.library, own)
      return { outcome, announced: this.announced, gaps: nothing, reasons, uncertain: false }
    }
    if (!this.repairs && replay.client instanceof StrictClient) {
      const unchecked = replay.text && !replay.client.behaviors.verify_keys
      const wire = { text: replay.text, unchecked }
      const passed = this.source.name === 'pymemcache' ? withOwnUnique(replay, own) : own
      const unchanged = await runUnchanged(replay.client, this.library, passed, wire, replay.outOfStep)
      const { outcome, reasons, uncertain } = unchanged
      if (this.source.name === 'pymemcache' && own.call === 'gets') keepUnique(replay, own, outcome, recorded)
      return { outcome, announced: this.announced, gaps: nothing, reasons, uncertain }
    }
    // Calls of pymemcache have their own names, and are rewritten only on request.
    if (!this.repairs && this.source.name === 'pymemcache') {
      const reasons = unboundReasons(this.library, own)
      const isItem = reasons.length > 0 && isItemCall(own.call)
      const outcome = isItem
        ? raised(new TypeError("'Client' object is not subscriptable"))
        : await invoke(replay.client, this.library, own)
      return { outcome, announced: this.announced, gaps: nothing, reasons, uncertain: false }
    }
    const rest = { gaps: nothing, reasons: nothing, uncertain: false }
    let bound: Bound
    try {
      bound =
        this.source.name === 'pymemcache'
          ? bindPymemcache(this.source, 'Client', call)
          : bind(this.source, call)
    } catch (error) {
      return { ...rest, announced: this.announced, outcome: raised(error) }
    }
    const tokens = { get: (key: unknown) => replay.tokens.get(keyBytes(key)) }
    const spoken = translate(this.source, this.library, own, bound, tokens)
    let outcome = await invoke(replay.client, this.library, spoken.call)
    if (call.call === 'gets' && this.library.name === 'pylibmc')
      outcome = this.keepToken(replay, bound.key, outcome)
    if (this.source.name === 'pymemcache') outcome = inPymemcacheResults(call.call, outcome, recorded)
    if (this.library.name === 'pylibmc' && holdsSubclass(bound))
      return { ...rest, reasons: [subclasses], outcome, announced: this.announced, gaps: spoken.gaps }
    return { ...rest, outcome, announced: this.announced, gaps: spoken.gaps }
  }

  /** pylibmc's gets gives value and unique; for a python-memcached program the value is the result. */
  private keepToken(replay: ReplayClient, key: unknown, outcome: Outcome): Outcome {
    if (!('result' in outcome)) return outcome
    const pair = outcome.result as { readonly $tuple: readonly TypedJson[] }
    const token = fromTypedJson(pair.$tuple[1] ?? null)
    if (typeof token === 'number' || typeof token === 'bigint')
      replay.tokens.set(keyBytes(key), BigInt(token))
    return this.source.name === 'python-memcached' ? { result: pair.$tuple[0] ?? null } : outcome
  }

  close(name: string): void {
    const replay = this.clients.get(name)
    replay?.client.disconnectAll()
    this.clients.delete(name)
  }

  async stop(): Promise<void> {
    for (const name of [...this.clients.keys()]) this.close(name)
    await this.fleet.stop()
  }
}

const nothing: readonly never[] = []
const subclasses: Reason = { switch: 'subclasses', how: 'signature' }

/** Replaces the unique that the application got from `gets` by the unique of this replay. */
function withOwnUnique({ uniques }: ReplayClient, call: PythonCall): PythonCall {
  const [key, value, token, ...rest] = call.args
  if (call.call !== 'cas' || !(token instanceof Uint8Array)) return call
  const own = uniques.inPlaceOf(key, token)
  return own === undefined ? call : { ...call, args: [key, value, own, ...rest] }
}

function keepUnique(
  { uniques }: ReplayClient,
  { args: [key] }: PythonCall,
  outcome: Outcome,
  recorded: Outcome | undefined,
): void {
  if (!recorded || 'raises' in recorded || 'raises' in outcome) return
  const [theirs, ours] = [fromTypedJson(recorded.result), fromTypedJson(outcome.result)]
  if (!(theirs instanceof PyTuple && ours instanceof PyTuple)) return
  const [token, own] = [theirs.items[1], ours.items[1]]
  if (token instanceof Uint8Array && (typeof own === 'number' || typeof own === 'bigint'))
    uniques.keep(key, token, own)
}

/** Converts the result of a rewritten call into pymemcache's form. The replay keeps its own CAS uniques. */
function inPymemcacheResults(call: string, outcome: Outcome, recorded: Outcome | undefined): Outcome {
  if ('raises' in outcome) return outcome
  if (call === '__setitem__' || call === '__delitem__') return { result: null }
  if (call === '__getitem__' && outcome.result === null) return raised(new KeyError(''))
  if (call !== 'gets') return outcome
  const { result } = outcome
  const isPair = typeof result === 'object' && result !== null && '$tuple' in result
  const value = isPair ? ((result.$tuple as readonly TypedJson[])[0] ?? null) : result
  const token =
    recorded && 'result' in recorded && typeof recorded.result === 'object' && recorded.result !== null
      ? (Object.values(recorded.result)[0] as readonly TypedJson[] | undefined)?.[1]
      : undefined
  return { result: { $tuple: [value, value === null ? null : (token ?? null)] } }
}

/** The reasons why a call of pymemcache does not fit this library's signature. */
function unboundReasons(library: Library, call: PythonCall): readonly Reason[] {
  try {
    bind(library, call)
    return nothing
  } catch (error) {
    return error instanceof SignatureError ? [signatureReason(call, error)] : nothing
  }
}

/** The part of an event that the report keeps; errors and values would keep the replay's memory alive. */
function summary(event: Announced): Announced {
  const { switch: name, operation, key, server, compat, strict, raises } = event
  return { switch: name, operation, key, server, compat, strict, raises }
}
