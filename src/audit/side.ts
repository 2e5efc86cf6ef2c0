/**
 * One side of an audit: the clients of the trace as one of our two clients, on servers of their own. It replays calls in
 * the words of its library and remembers what only a replay can know (CAS uniques).
 */
import { Client as CompatClient } from '../compat/index.js'
import { fromTypedJson, type TypedJson } from '../values/index.js'
import { type AuditedClient, invoke } from './calls.js'
import { type ConstructOptions, construct, pylibmcKwargs, pythonMemcachedKwargs } from './construct.js'
import type { Announced } from './divergence.js'
import type { Fleet } from './fleet.js'
import { type Gap, translate } from './intention.js'
import { type Outcome, raised } from './outcome.js'
import { type Bound, bind, type Library, type PythonCall } from './python-signatures.js'
import type { Placed } from './topology.js'
import { keyBytes } from './touched-keys.js'
import type { TracedServer } from './trace.js'

export interface Replayed {
  readonly outcome: Outcome
  readonly announced: readonly Announced[]
  readonly gaps: readonly Gap[]
}

interface ReplayClient {
  readonly client: AuditedClient
  /** The last CAS unique seen in this replay, by key on the wire. */
  readonly tokens: Map<string, bigint>
}

export class Side {
  private readonly clients = new Map<string, ReplayClient>()
  private announced: Announced[] = []

  /**
   * @param library what this side is: `pylibmc` is the strict client, `python-memcached` the compat client
   * @param source the library whose calls are replayed
   */
  constructor(
    readonly library: Library,
    private readonly source: Library,
    readonly fleet: Fleet,
    private readonly options: ConstructOptions,
  ) {}

  /**
   * A constructor call of the trace.
   * @param servers indexes of the fleet, with weights
   * @returns keywords that could not be honoured @throws what the constructor throws
   */
  create(
    name: string,
    servers: readonly Placed[],
    kwargs: Readonly<Record<string, TypedJson>>,
  ): readonly string[] {
    this.close(name)
    const decoded = Object.fromEntries(
      Object.entries(kwargs).map(([key, value]) => [key, fromTypedJson(value)]),
    )
    const spoken = this.inOwnKeywords(decoded)
    const { client, ignored } = construct(this.library.name, this.specs(servers), spoken, this.options)
    if (client instanceof CompatClient)
      client.on('divergence', (event) => this.announced.push(summary(event)))
    this.clients.set(name, { client, tokens: new Map() })
    return ignored
  }

  private specs(servers: readonly Placed[]): TracedServer[] {
    return servers.map(({ index, weight }): TracedServer => {
      const address = this.fleet.addresses[index]!
      return weight === undefined ? address : [address, weight]
    })
  }

  private inOwnKeywords(kwargs: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    if (this.library.name === this.source.name) return kwargs
    return this.library.name === 'pylibmc' ? pylibmcKwargs(kwargs) : pythonMemcachedKwargs(kwargs)
  }

  has(name: string): boolean {
    return this.clients.has(name)
  }

  /** Index of the server that placement alone gives to a key; undefined when the key is not legal here. */
  place(name: string, key: unknown): number | undefined {
    const client = this.clients.get(name)?.client
    try {
      return client && 'hash' in client ? client.hash(key as string) : undefined
    } catch {
      return undefined
    }
  }

  /**
   * Replays one call of the source library. Never throws for what the call does.
   * @param servers the argument of set_servers
   */
  async run(name: string, call: PythonCall, servers?: readonly Placed[]): Promise<Replayed> {
    const replay = this.clients.get(name)
    if (!replay) throw new RangeError(`client "${name}" was never created`)
    this.announced = []
    let bound: Bound
    try {
      bound = bind(this.source, call)
    } catch (error) {
      return { outcome: raised(error), announced: [], gaps: [] }
    }
    const own =
      call.call === 'set_servers' ? { ...call, args: [this.specs(servers ?? [])], kwargs: {} } : call
    const tokens = { get: (key: unknown) => replay.tokens.get(keyBytes(key)) }
    const spoken = translate(this.source.name, this.library.name, own, bound, tokens)
    let outcome = await invoke(replay.client, this.library, spoken.call)
    if (call.call === 'gets' && this.library.name === 'pylibmc')
      outcome = this.keepToken(replay, bound.key, outcome)
    return { outcome, announced: this.announced, gaps: spoken.gaps }
  }

  /** pylibmc's gets gives value and unique; for a python-memcached program the value is the result. */
  private keepToken(replay: ReplayClient, key: unknown, outcome: Outcome): Outcome {
    if (!('result' in outcome)) return outcome
    const pair = outcome.result as { readonly $tuple: readonly TypedJson[] }
    const token = fromTypedJson(pair.$tuple[1] ?? null)
    if (typeof token === 'number' || typeof token === 'bigint')
      replay.tokens.set(keyBytes(key), BigInt(token))
    return this.source.name === 'pylibmc' ? outcome : { result: pair.$tuple[0] ?? null }
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

/** What the report keeps of an event; the rest (errors, values) would keep the replay's memory alive. */
function summary(event: Announced): Announced {
  const { switch: name, operation, key, server, compat, strict } = event
  return { switch: name, operation, key, server, compat, strict }
}
