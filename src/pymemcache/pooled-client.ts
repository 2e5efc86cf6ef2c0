/** pymemcache's PooledClient: one server, a connection for each concurrent call. Source: docs/reference/pymemcache.md#10. */

import { shown } from '../ground/arguments.js'
import { ValueError } from '../python/errors.js'
import { ownOptions } from '../python/options.js'
import type { Mapping, NoreplyOptions, StoreOptions, Token, TouchOptions } from './arguments.js'
import { Client } from './client.js'
import type { Key } from './keys.js'
import {
  type ClientOptions,
  clientOptionNames,
  compared,
  parseServer,
  type ServerInput,
  settingsOf,
} from './options.js'
import type { StatValue } from './stats.js'

/** PooledClient's keywords in camelCase. */
export interface PooledClientOptions extends ClientOptions {
  /** The largest number of concurrent calls; 0 or null (default) = no limit. */
  readonly maxPoolSize?: number | null | undefined
  /** Seconds after which an idle connection is not used any more; 0 (default) = no limit, below 0 = each call opens a connection. */
  readonly poolIdleTimeout?: number | undefined
  /** Clock in seconds, for tests. Default: the system clock. */
  readonly now?: (() => number) | undefined
}

const poolNames = ['maxPoolSize', 'poolIdleTimeout', 'now']
const UNLIMITED = 2 ** 31

/** There are more concurrent calls than `maxPoolSize`. */
export class TooManyObjects extends Error {
  override readonly name = 'RuntimeError'
  readonly python = 'builtins.RuntimeError'
}

/** A client for one server. An error closes the connection of its call; `ignoreExc` hides every failure of reading calls. */
export class PooledClient {
  readonly #free: { client: Client; idleSince: number }[] = []
  readonly #used = new Set<Client>()
  readonly #make: () => Client
  readonly #ignoreExc: boolean
  readonly #size: number
  readonly #idle: number
  readonly #now: () => number
  /** The server's name: `host:port`, or the path of its socket. */
  readonly server: string

  /** Opens no connection. @throws as Client; ValueError for maxPoolSize, TypeError for poolIdleTimeout */
  constructor(server: ServerInput, given: PooledClientOptions = {}) {
    const {
      maxPoolSize: size,
      poolIdleTimeout: idle,
      now,
      ...shared
    } = ownOptions(given, [...clientOptionNames, ...poolNames])
    const maxPoolSize = size ?? 0
    if (!Number.isInteger(maxPoolSize) || maxPoolSize < 0)
      throw new ValueError(`maxPoolSize ${shown(maxPoolSize)} is not a whole number from 0 on`)
    this.#ignoreExc = settingsOf(shared).ignoreExc
    this.server = parseServer(server, shared.addresses).name
    this.#size = maxPoolSize || UNLIMITED
    this.#idle = compared('poolIdleTimeout', idle, 0)
    this.#now = now ?? (() => Date.now() / 1000)
    this.#make = () => new Client(server, { ...shared, ignoreExc: false })
  }

  #take(): Client {
    const now = this.#now()
    for (let next = this.#free.shift(); next; next = this.#free.shift()) {
      if (this.#idle === 0 || now - next.idleSince <= this.#idle) return next.client
      next.client.close()
    }
    if (this.#used.size >= this.#size)
      throw new TooManyObjects(`Too many objects, ${this.#used.size} >= ${this.#size}`)
    return this.#make()
  }

  async #with<T>(ask: (client: Client) => Promise<T>, otherwise?: { readonly value: T }): Promise<T> {
    const client = this.#take()
    this.#used.add(client)
    let failed = false
    try {
      return await ask(client)
    } catch (error) {
      if (this.#ignoreExc && otherwise) return otherwise.value
      failed = true
      throw error
    } finally {
      // A client that `close` has removed is not returned to the pool.
      const ours = this.#used.delete(client)
      if (failed) client.close()
      else if (ours) this.#free.push({ client, idleSince: this.#now() })
    }
  }

  /** See Client.get. */
  async get<T = unknown, D = null>(key: Key, missing: D = null as D): Promise<T | D> {
    return this.#with<T | D>((client) => client.get<T, D>(key, missing), { value: missing })
  }
  /** See Client.gets; there are no defaults. */
  async gets<T = unknown>(key: Key): Promise<[T, Buffer]> {
    return this.#with((client) => client.gets<T>(key), { value: [null, null] as never })
  }
  /** See Client.getMany. */
  async getMany<K extends Key = string>(keys: Iterable<K>): Promise<Map<K, unknown>> {
    return this.#with((client) => client.getMany(keys), { value: new Map() })
  }
  /** See Client.getsMany. */
  async getsMany<K extends Key = string>(keys: Iterable<K>): Promise<Map<K, [value: unknown, cas: Buffer]>> {
    return this.#with((client) => client.getsMany(keys), { value: new Map() })
  }
  /** See Client.set. */
  async set(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#with((client) => client.set(key, value, options))
  }
  /** See Client.add. */
  async add(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#with((client) => client.add(key, value, options))
  }
  /** See Client.replace. */
  async replace(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#with((client) => client.replace(key, value, options))
  }
  /** See Client.append. */
  async append(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#with((client) => client.append(key, value, options))
  }
  /** See Client.prepend. */
  async prepend(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#with((client) => client.prepend(key, value, options))
  }
  /** See Client.cas. */
  async cas(key: Key, value: unknown, cas: Token, options?: StoreOptions | number): Promise<boolean | null> {
    return this.#with((client) => client.cas(key, value, cas, options))
  }
  /** See Client.setMany. */
  async setMany<K extends Key = string>(values: Mapping, options?: StoreOptions | number): Promise<K[]> {
    return this.#with((client) => client.setMany<K>(values, options))
  }
  /** See Client.delete. */
  async delete(key: Key, options?: NoreplyOptions): Promise<boolean> {
    return this.#with((client) => client.delete(key, options))
  }
  /** See Client.deleteMany. */
  async deleteMany(keys: Iterable<Key>, options?: NoreplyOptions): Promise<true> {
    return this.#with((client) => client.deleteMany(keys, options))
  }
  /** See Client.incr. */
  async incr(key: Key, value: number | bigint, options?: NoreplyOptions): Promise<number | bigint | null> {
    return this.#with((client) => client.incr(key, value, options))
  }
  /** See Client.decr. */
  async decr(key: Key, value: number | bigint, options?: NoreplyOptions): Promise<number | bigint | null> {
    return this.#with((client) => client.decr(key, value, options))
  }
  /** See Client.touch. */
  async touch(key: Key, options?: TouchOptions | number): Promise<boolean> {
    return this.#with((client) => client.touch(key, options))
  }
  /** See Client.stats. */
  async stats(...args: readonly Key[]): Promise<Map<string, StatValue>> {
    return this.#with((client) => client.stats(...args), { value: new Map() })
  }
  /** See Client.version. */
  async version(): Promise<Buffer> {
    return this.#with((client) => client.version())
  }
  /** See Client.flushAll. */
  async flushAll(options?: NoreplyOptions & { readonly delay?: number | bigint }): Promise<boolean> {
    return this.#with((client) => client.flushAll(options))
  }
  /** See Client.rawCommand. */
  async rawCommand(command: string | Uint8Array, endTokens?: string | Uint8Array): Promise<Buffer> {
    return this.#with((client) => client.rawCommand(command, endTokens))
  }
  /** See Client.shutdown. */
  async shutdown(graceful = false): Promise<void> {
    return this.#with((client) => client.shutdown(graceful))
  }
  /** Says quit on one connection, and throws it away. @throws SocketError */
  async quit(): Promise<void> {
    return this.#with(async (client) => {
      await client.quit()
      this.#used.delete(client)
    })
  }
  /** Closes every connection. The client stays usable. */
  close(): void {
    for (const { client } of this.#free.splice(0)) client.close()
    for (const client of this.#used) client.close()
    this.#used.clear()
  }
  /** The same. */
  disconnectAll(): void {
    this.close()
  }
}
