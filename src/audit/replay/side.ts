/**
 * One side of an audit: the clients of the trace as one of our two clients, on separate servers. It replays calls in
 * the form of its library and keeps the CAS uniques of the replay.
 */
import { Client as CompatClient } from '../../compat/index.js'
import type { Bytes } from '../../ground/bytes.js'
import { pipelineOf } from '../../pipeline/pipeline.js'
import { signatureOf } from '../../rules/signatures.js'
import { Client as StrictClient } from '../../strict/index.js'
import { fromTypedJson } from '../../values/index.js'
import { type Announced, isRefusedForm, type Reason } from '../compare/divergence.js'
import { type Outcome, raised } from '../compare/outcome.js'
import { type AuditedClient, invoke } from '../methods/calls.js'
import {
  type ConstructOptions,
  construct,
  pylibmcKwargs,
  pythonMemcachedKwargs,
} from '../methods/constructor/construct.js'
import { unchangedConstruction } from '../methods/constructor/unchanged-constructor.js'
import { truthy } from '../methods/conversions.js'
import { type Gap, translate } from '../methods/intention.js'
import { OutOfStep } from '../methods/out-of-step.js'
import type { Library, PythonCall } from '../methods/python-signatures.js'
import { surfaceReasons } from '../methods/surface.js'
import { keyBytes } from '../methods/touched-keys.js'
import { holdsSubclass, runUnchanged } from '../methods/unchanged.js'
import type { ComparedCall } from '../pymemcache/explain.js'
import type { Construction, TracedServer } from '../traces/trace.js'
import type { Fleet } from './fleet.js'
import { lacksDefault, withDefault, withoutDefault } from './found-none.js'
import { type Source, sourceOf, type Uniques, uniqueOf } from './source.js'
import type { Placed } from './topology.js'

export interface Replayed {
  readonly outcome: Outcome
  readonly announced: readonly Announced[]
  readonly gaps: readonly Gap[]
  readonly reasons: readonly Reason[]
  /** The real outcome is not known, because it was not measured. */
  readonly uncertain: boolean
  /** The call was refused as it is. This is its outcome in this library's form, in which a framework's backend makes it. */
  readonly repaired?: Outcome | undefined
  /** A `get` of a framework found None. */
  readonly foundNone?: boolean
}

interface ReplayClient {
  readonly client: AuditedClient
  /** The last CAS unique seen in this replay, by key on the wire. */
  readonly tokens: Map<string, bigint>
  readonly uniques: Uniques
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
  private readonly source: Source

  /**
   * @param library the library of this side: `pylibmc` is the strict client, `python-memcached` the compat client
   * @param calling the library whose calls are replayed
   */
  constructor(
    readonly library: Library,
    calling: Library,
    readonly fleet: Fleet,
    private readonly options: ConstructOptions,
    /** Calls of the other library are rewritten into this library's form first. */
    private readonly repairs: boolean,
  ) {
    this.source = sourceOf(calling)
  }

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
      uniques: this.source.uniques(),
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
    const { library: calling, sharesConstructor } = this.source
    if (name === calling.name) {
      if (version !== calling.version && (made.positional?.length ?? 0) > 1) {
        const moved = this.unchanged(made, servers)
        if (moved) return moved
      }
      const { parameters } = signatureOf(name, version, '__init__')!
      return Object.fromEntries(Object.entries(kwargs).filter(([keyword]) => parameters.includes(keyword)))
    }
    if (name !== 'pylibmc') return pythonMemcachedKwargs(calling.name, kwargs)
    // A constructor that pylibmc accepts stays unchanged, so `cas` stays off.
    const asItIs = sharesConstructor && !this.repairs ? this.unchanged(made, servers) : undefined
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
    const { source, library } = this
    const rest = { announced: this.announced, gaps: nothing, reasons: nothing, uncertain: false }
    if (library.name === source.library.name) {
      const reasons = library.name === 'pylibmc' ? nothing : surfaceReasons(library, source.library, own)
      return { ...rest, outcome: await invoke(replay.client, library, own), reasons }
    }
    if (!this.repairs && replay.client instanceof StrictClient) {
      const unchecked = replay.text && !replay.client.behaviors.verify_keys
      const wire = { text: replay.text, unchecked }
      const passed = replay.uniques.ownUnique(own)
      if (call.byFramework && lacksDefault(passed)) {
        const { client, outOfStep } = replay
        const { outcome, ...found } = await runUnchanged(
          client,
          library,
          withDefault(passed),
          wire,
          outOfStep,
        )
        return { ...rest, ...found, ...withoutDefault(outcome) }
      }
      const unchanged = await runUnchanged(replay.client, library, passed, wire, replay.outOfStep)
      const { outcome, reasons, uncertain } = unchanged
      replay.uniques.keep(own, outcome, recorded)
      const repaired =
        call.byFramework && isRefusedForm(outcome, reasons)
          ? await this.asBackend(replay, own, recorded)
          : undefined
      return { ...rest, outcome, reasons, uncertain, repaired }
    }
    const asItIs = this.repairs ? undefined : source.asItIs?.(library, own)
    if (asItIs) {
      const outcome = asItIs.outcome ?? (await invoke(replay.client, library, own))
      const repaired =
        call.byFramework && asItIs.outcome ? await this.asBackend(replay, own, recorded) : undefined
      return { ...rest, outcome, reasons: asItIs.reasons, repaired }
    }
    try {
      return { ...rest, ...(await this.translated(replay, own, recorded)) }
    } catch (error) {
      return { ...rest, outcome: raised(error) }
    }
  }

  /** The outcome of the call in this library's form, in which a framework's backend makes it. */
  private async asBackend(
    replay: ReplayClient,
    own: PythonCall,
    recorded: Outcome | undefined,
  ): Promise<Outcome> {
    try {
      return (await this.translated(replay, own, recorded)).outcome
    } catch (error) {
      return raised(error)
    }
  }

  /** Makes the call in this library's form. @throws SignatureError for a call that the application's own library refuses */
  private async translated(
    replay: ReplayClient,
    own: PythonCall,
    recorded: Outcome | undefined,
  ): Promise<Pick<Replayed, 'outcome' | 'gaps' | 'reasons' | 'foundNone'>> {
    const { source, library } = this
    const { call } = own
    const bound = source.bind(own)
    const tokens = { get: (key: unknown) => replay.tokens.get(keyBytes(key)) }
    const { call: spoken, gaps } = translate(source.library, library, own, bound, tokens)
    if (own.byFramework && library.name === 'pylibmc' && lacksDefault(spoken)) {
      const found = withoutDefault(await invoke(replay.client, library, withDefault(spoken)))
      return { ...found, gaps, reasons: nothing }
    }
    let outcome = await invoke(replay.client, library, spoken)
    if (call === 'gets' && library.name === 'pylibmc' && 'result' in outcome) {
      const token = uniqueOf(outcome)
      if (typeof token === 'number' || typeof token === 'bigint')
        replay.tokens.set(keyBytes(bound.key), BigInt(token))
      outcome = source.resultOfGets(outcome)
    }
    outcome = source.resultOf(call, outcome, recorded)
    const reasons = library.name === 'pylibmc' && holdsSubclass(bound) ? [subclasses] : nothing
    return { outcome, gaps, reasons }
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

/** The part of an event that the report keeps; errors and values would keep the replay's memory alive. */
function summary(event: Announced): Announced {
  const { switch: name, operation, key, server, compat, strict, raises } = event
  return { switch: name, operation, key, server, compat, strict, raises }
}
