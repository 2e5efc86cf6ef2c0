/** One placement of a migration: a client, and its items as bytes, so that copying changes neither value nor flags. */
import { Client as CompatClient } from '../compat/index.js'
import type { Bytes } from '../ground/bytes.js'
import { MAX_RELATIVE_TIME } from '../ground/limits.js'
import { type Pipeline, pipelineOf } from '../pipeline/pipeline.js'
import { exchange } from '../pipeline/tracing.js'
import * as requests from '../protocol/requests.js'
import type { Item, StatsReply } from '../protocol/wire.js'
import { type Key, NotFound, type Client as StrictClient } from '../strict/index.js'
import { asIs } from '../transport/types.js'

/** Clients with pylibmc's outcomes. */
export type MigrationClient = StrictClient | CompatClient

export interface StoredItem {
  readonly item: Item
  /** Remaining seconds, 0 = does not expire; undefined when the server does not report it. */
  readonly remaining: number | undefined
}

export class PlacementClient {
  private readonly pipeline: Pipeline

  constructor(readonly client: MigrationClient) {
    this.pipeline = pipelineOf(client)
  }

  /** Milliseconds that the client gives to a call of its own. */
  get timeout(): number {
    return this.pipeline.slots.modes().timeout
  }

  /** The item as it is stored, undefined on a miss. @throws errors of the client's get */
  async read(key: Key): Promise<StoredItem | undefined> {
    const wire = this.pipeline.slots.key(key, 'get', '')
    if (wire === '') return undefined
    const modes = this.pipeline.slots.modes()
    const item = await this.pipeline.fetch('get', wire, 'get', modes)
    if (!item) return undefined
    return { item, remaining: await this.remaining(wire) }
  }

  /**
   * `mg key t`, which memcached 1.6 answers in one line; older servers answer ERROR. It is sent as a stats command: over the
   * binary protocol that is a harmless request with another answer.
   */
  private async remaining(wire: Bytes): Promise<number | undefined> {
    const { selection, slots } = this.pipeline
    const modes = slots.modes()
    try {
      const server = await selection.pick(wire, 'get')
      const request = requests.stats({ ...slots.wire, stats: `mg ${modes.namespace}${wire} t` })
      const { end } = (await exchange(server, request, 'get', modes, asIs)) as StatsReply
      const [, seconds] = /^HD t(-?\d+)/.exec(end.line) ?? []
      if (seconds === undefined) return undefined
      return seconds === '-1' ? 0 : Math.max(1, Number(seconds))
    } catch {
      return undefined
    }
  }

  /** Stores the bytes unless the key exists. @param time seconds, 0 = does not expire */
  async addItem(key: Key, { flags, data }: Item, time: number): Promise<boolean> {
    const wire = this.pipeline.slots.key(key, 'add', '')
    const prepared = { verb: 'add', key: wire, encoded: { flags, data }, exptime: absolute(time) } as const
    return this.pipeline.store(prepared, 'add', this.pipeline.slots.modes())
  }

  /** The server of a key and its name there, without I/O. @throws for invalid keys */
  place(key: Key): string {
    const { selection, slots } = this.pipeline
    const wire = slots.key(key, 'get', '')
    return `${selection.servers[selection.place(wire)]?.name} ${slots.modes().namespace}${wire}`
  }

  async getMulti(keys: readonly string[]): Promise<Map<string, unknown>> {
    const { client } = this
    return client instanceof CompatClient ? client.getMulti(keys) : client.getMulti(keys)
  }

  /** Value and CAS unique; undefined on a miss. */
  async gets(key: Key): Promise<{ readonly value: unknown; readonly unique: bigint } | undefined> {
    const seen = (await this.client.gets(key)) as [unknown, bigint | undefined] | null
    return seen?.[1] === undefined ? undefined : { value: seen[0], unique: seen[1] }
  }

  /** New value, undefined for a missing counter. */
  async count(verb: 'incr' | 'decr', key: Key, delta: number): Promise<number | bigint | undefined> {
    try {
      return (await this.client[verb](key, delta)) ?? undefined
    } catch (error) {
      if (error instanceof NotFound) return undefined
      throw error
    }
  }
}

function absolute(time: number): number {
  return time > MAX_RELATIVE_TIME ? Math.floor(Date.now() / 1000) + time : time
}
