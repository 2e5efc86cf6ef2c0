/** pymemcache's HashClient: several servers, keys by rendezvous hashing. Source: docs/reference/pymemcache.md#11. */
import { checkIterable } from '../ground/arguments.js'
import { rendezvous } from '../hashing/index.js'
import { KeyError, ValueError } from '../python/errors.js'
import { ownOptions } from '../python/options.js'
import {
  entriesOf,
  type Mapping,
  type NoreplyOptions,
  type StoreOptions,
  type Token,
  type TouchOptions,
} from './arguments.js'
import { Client } from './client.js'
import { MemcacheError, SocketError } from './errors.js'
import { checkKey, type Key, placementKey } from './keys.js'
import {
  type ClientOptions,
  clientOptionNames,
  compared,
  parseServer,
  type ServerInput,
  type Settings,
  settingsOf,
} from './options.js'
import { PooledClient } from './pooled-client.js'

/** HashClient's keywords in camelCase. */
export interface HashClientOptions extends ClientOptions {
  /** Number of attempts on a failed server before it is dead. Default 2. */
  readonly retryAttempts?: number | undefined
  /** Seconds between these. Default 1. */
  readonly retryTimeout?: number | undefined
  /** Seconds until a dead server comes back. Default 60. */
  readonly deadTimeout?: number | undefined
  /** A PooledClient for each server. Default false. */
  readonly usePooling?: boolean | undefined
  /** The limit of each pool. Default: no limit. */
  readonly maxPoolSize?: number | null | undefined
  /** Seconds. Default 0: no limit. */
  readonly poolIdleTimeout?: number | undefined
  /** Clock in seconds, for tests. Default: the system clock. */
  readonly now?: (() => number) | undefined
}

const hashNames = [
  'retryAttempts',
  'retryTimeout',
  'deadTimeout',
  'usePooling',
  'maxPoolSize',
  'poolIdleTimeout',
  'now',
]

type One = Client | PooledClient
interface Failed {
  at: number
  attempts: number
}

/** A client for several servers. A server that fails is not used for some time, tried again, and then removed from the placement for some time. */
export class HashClient {
  readonly #clients = new Map<string, One>()
  readonly #failed = new Map<string, Failed>()
  /** Seconds at which each dead server died. */
  readonly #dead = new Map<string, number>()
  #nodes: string[] = []
  #lastLook: number
  readonly #settings: Settings
  readonly #options: HashClientOptions
  readonly #now: () => number
  readonly #retryAttempts: number
  readonly #retryTimeout: number
  readonly #deadTimeout: number

  /** Opens no connection. @throws TypeError, ValueError for servers and options */
  constructor(servers: Iterable<ServerInput>, given: HashClientOptions = {}) {
    const options = ownOptions(given, [...clientOptionNames, ...hashNames])
    this.#options = options
    this.#settings = settingsOf(options, [...clientOptionNames, ...hashNames])
    this.#now = options.now ?? (() => Date.now() / 1000)
    this.#retryAttempts = compared('retryAttempts', options.retryAttempts, 2)
    this.#retryTimeout = compared('retryTimeout', options.retryTimeout, 1)
    this.#deadTimeout = compared('deadTimeout', options.deadTimeout, 60)
    this.#lastLook = this.#now()
    checkIterable('servers', servers)
    for (const server of servers) this.addServer(server)
  }

  /** Adds a server, or makes a new client for one that is there. @throws ValueError */
  addServer(server: ServerInput): void {
    const { name } = parseServer(server)
    const {
      retryAttempts,
      retryTimeout,
      deadTimeout,
      usePooling,
      maxPoolSize,
      poolIdleTimeout,
      now,
      ...shared
    } = this.#options
    const options = { ...shared, ignoreExc: false }
    this.#clients.get(name)?.close()
    this.#clients.set(
      name,
      usePooling
        ? new PooledClient(server, { ...options, maxPoolSize, poolIdleTimeout, now })
        : new Client(server, options),
    )
    if (!this.#nodes.includes(name)) this.#nodes.push(name)
  }

  /** Takes a server that has failed out of the placement. @throws KeyError for one that has not failed */
  removeServer(server: ServerInput): void {
    const { name } = parseServer(server)
    if (!this.#failed.has(name)) throw new KeyError(name)
    this.#remove(name)
  }

  /** @throws ValueError for a server that was removed from the placement already, which only flushAll, quit and close can use */
  #remove(name: string): void {
    this.#failed.delete(name)
    this.#dead.set(name, this.#now())
    if (!this.#nodes.includes(name)) throw new ValueError(`No such node ${name} to remove`)
    this.#nodes = this.#nodes.filter((node) => node !== name)
  }

  /** The name of the server of a key at present, without a request. @throws MemcacheIllegalInputError; MemcacheError without servers */
  serverOf(key: Key): string {
    const name = this.#nodeOf(key)
    if (name === undefined) throw noServers()
    return name
  }

  /** Names of the servers that have failed: not used at present, to be tried again, or dead. */
  get failedServers(): readonly string[] {
    return [...new Set([...this.#failed.keys(), ...this.#dead.keys()])]
  }

  #nodeOf(key: Key): string | undefined {
    checkKey(key, this.#settings)
    if (this.#dead.size > 0) this.#revive()
    const index = rendezvous(this.#nodes, placementKey(key))
    return index === undefined ? undefined : this.#nodes[index]
  }

  #revive(): void {
    const now = this.#now()
    if (now - this.#lastLook <= this.#deadTimeout) return
    for (const [name, at] of [...this.#dead])
      if (now - at > this.#deadTimeout) {
        this.addServer(name)
        this.#dead.delete(name)
      }
    this.#lastLook = now
  }

  #clientOf(key: Key): One | undefined {
    const name = this.#nodeOf(key)
    if (name === undefined && !this.#settings.ignoreExc) throw noServers()
    return name === undefined ? undefined : this.#clients.get(name)
  }

  /** The treatment of a call by the rules of docs/reference/pymemcache.md#11.2. @throws ValueError as #remove */
  #turn(server: string): 'waits' | 'retries' | 'asks' {
    const failed = this.#failed.get(server)
    if (!failed) return 'asks'
    if (failed.attempts < this.#retryAttempts)
      return this.#now() - failed.at <= this.#retryTimeout ? 'waits' : 'retries'
    this.#remove(server)
    return 'asks'
  }

  async #safely<T>(client: One, ask: () => Promise<T>, otherwise: T): Promise<T> {
    const { server } = client
    try {
      const turn = this.#turn(server)
      if (turn === 'waits') return otherwise
      const result = await ask()
      if (turn === 'retries') this.#failed.delete(server)
      return result
    } catch (error) {
      if (error instanceof SocketError) this.#markFailed(server)
      if (!this.#settings.ignoreExc) throw error
      return otherwise
    }
  }

  #markFailed(server: string): void {
    const failed = this.#failed.get(server)
    if (failed) {
      failed.attempts++
      failed.at = this.#now()
      return
    }
    const isDead = this.#retryAttempts <= 0
    this.#failed.set(server, { at: this.#now(), attempts: 0 })
    if (isDead) this.#remove(server)
  }

  async #run<T>(key: Key, otherwise: T, ask: (client: One) => Promise<T>): Promise<T> {
    const client = this.#clientOf(key)
    return client ? this.#safely(client, () => ask(client), otherwise) : otherwise
  }

  /**
   * A call that fails with `error` when it reaches the client of the key's server.
   * @internal
   */
  async failing(key: Key, error: Error): Promise<void> {
    await this.#run<void>(key, undefined, () => Promise.reject(error))
  }

  /** The value, or `missing` (null): also while a failed server is left alone. @throws MemcacheError, SocketError */
  async get<T = unknown, D = null>(key: Key, missing: D = null as D): Promise<T | D> {
    return this.#run<T | D>(key, missing, (client) => client.get<T, D>(key, missing))
  }

  /** Value and CAS unique; null while a failed server is left alone. @throws as get */
  async gets<T = unknown>(key: Key, ...missing: [unknown?, unknown?]): Promise<[T, Buffer] | null> {
    return this.#run<[T, Buffer] | null>(key, null, (client) => (client as Client).gets<T>(key, ...missing))
  }

  /** @throws as get */
  async set(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#run(key, false, (client) => client.set(key, value, options))
  }

  /** @throws as get */
  async add(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#run(key, false, (client) => client.add(key, value, options))
  }

  /** @throws as get */
  async replace(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#run(key, false, (client) => client.replace(key, value, options))
  }

  /** @throws as get */
  async append(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#run(key, false, (client) => client.append(key, value, options))
  }

  /** @throws as get */
  async prepend(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#run(key, false, (client) => client.prepend(key, value, options))
  }

  /** @throws as get */
  async cas(key: Key, value: unknown, cas: Token, options?: StoreOptions | number): Promise<boolean | null> {
    return this.#run<boolean | null>(key, false, (client) => client.cas(key, value, cas, options))
  }

  /** False while a failed server is left alone. @throws as get */
  async incr(
    key: Key,
    value: number | bigint,
    options?: NoreplyOptions,
  ): Promise<number | bigint | null | false> {
    return this.#run<number | bigint | null | false>(key, false, (client) => client.incr(key, value, options))
  }

  /** See incr. */
  async decr(
    key: Key,
    value: number | bigint,
    options?: NoreplyOptions,
  ): Promise<number | bigint | null | false> {
    return this.#run<number | bigint | null | false>(key, false, (client) => client.decr(key, value, options))
  }

  /** @throws as get */
  async delete(key: Key, options?: NoreplyOptions): Promise<boolean> {
    return this.#run(key, false, (client) => client.delete(key, options))
  }

  /** @throws as get */
  async touch(key: Key, options?: TouchOptions | number): Promise<boolean> {
    return this.#run(key, false, (client) => client.touch(key, options))
  }

  /** Key by key, in order. @throws as get */
  async deleteMany(keys: Iterable<Key>, options?: NoreplyOptions): Promise<true> {
    checkIterable('keys', keys)
    for (const key of keys) await this.delete(key, options)
    return true
  }

  /** The values that exist. @throws as get: the values of other servers are lost */
  async getMany<K extends Key = string>(keys: Iterable<K>): Promise<Map<K, unknown>> {
    return this.#many(keys, (client, some) => client.getMany(some))
  }

  /** See getMany. */
  async getsMany<K extends Key = string>(keys: Iterable<K>): Promise<Map<K, [value: unknown, cas: Buffer]>> {
    return this.#many(keys, (client, some) => client.getsMany(some))
  }

  async #many<K extends Key, V>(
    keys: Iterable<K>,
    ask: (client: One, keys: K[]) => Promise<Map<K, V>>,
  ): Promise<Map<K, V>> {
    checkIterable('keys', keys)
    const batches = new Map<One, K[]>()
    for (const key of keys) {
      const client = this.#clientOf(key)
      if (!client) continue
      const batch = batches.get(client)
      if (batch) batch.push(key)
      else batches.set(client, [key])
    }
    const found = new Map<K, V>()
    for (const [client, batch] of batches)
      for (const [key, value] of await this.#safely(client, () => ask(client, batch), new Map<K, V>()))
        found.set(key, value)
    return found
  }

  /** The keys that were not stored, or wait for a failed server. @throws as get */
  async setMany<K extends Key = string>(values: Mapping, options?: StoreOptions | number): Promise<K[]> {
    const batches = new Map<One, Map<Key, unknown>>()
    const failed: K[] = []
    for (const [key, value] of entriesOf(values)) {
      const client = this.#clientOf(key)
      if (!client) failed.push(key as K)
      else batches.set(client, (batches.get(client) ?? new Map<Key, unknown>()).set(key, value))
    }
    for (const [client, batch] of batches) {
      const ask = async (): Promise<K[]> => {
        try {
          return await client.setMany<K>(batch, options)
        } catch (error) {
          // pymemcache drops the failure of a server here, and its keys.
          if (this.#settings.ignoreExc) return []
          throw error
        }
      }
      failed.push(...(await this.#safely(client, ask, [...batch.keys()] as K[])))
    }
    return failed
  }

  /** Every server, one after the other. @throws the first failure: the others are not reached */
  async flushAll(options?: NoreplyOptions & { readonly delay?: number | bigint }): Promise<void> {
    for (const client of [...this.#clients.values()])
      await this.#safely<unknown>(client, () => client.flushAll(options), false)
  }

  /** @throws as flushAll */
  async quit(): Promise<void> {
    for (const client of [...this.#clients.values()])
      await this.#safely<unknown>(client, () => client.quit(), false)
  }

  /**
   * Closes every connection. The client stays usable. As in pymemcache it counts as a successful call: the mark of a failed server is removed,
   * or makes the server dead.
   * @throws ValueError for a dead server that failed again
   */
  close(): void {
    for (const client of this.#clients.values()) client.close()
    for (const name of this.#clients.keys()) {
      try {
        if (this.#turn(name) === 'retries') this.#failed.delete(name)
      } catch (error) {
        if (!this.#settings.ignoreExc) throw error
      }
    }
  }

  /** The same. */
  disconnectAll(): void {
    this.close()
  }
}

function noServers(): MemcacheError {
  return new MemcacheError('All servers seem to be down right now')
}
