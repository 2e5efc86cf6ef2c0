/**
 * memshim/keyv: a storage adapter for Keyv (https://keyv.org), which cache-manager and NestJS use too. It passes Keyv's own
 * test suite (`@keyv/test-suite`).
 */

import { type CacheClient, checkClient, deleteKey } from '../frameworks/client.js'
import { checkArray, checkNumber, checkObject, checkText, checkTexts, named } from '../ground/arguments.js'
import { ListingError } from '../protocol/metadump.js'
import { ownOptions } from '../python/options.js'
import { listKeys } from './listing.js'
import { withObjects } from './objects.js'
import { timeOf } from './time.js'

export { ListingError }

/** The options of the adapter. */
export interface KeyvMemcachedOptions {
  /**
   * `keyv` (default) stores the text of Keyv's serializer, which contains the exact time of expiry. `python` stores the value itself, so that Python reads and
   * writes it; then Keyv must not serialize (see `keyvOptions`).
   */
  readonly values?: 'keyv' | 'python' | undefined
}

/** A client that can also remove everything. */
type KeyvClient = CacheClient & { flushAll?(): Promise<unknown>; disconnectAll?(): void }

/** The stored form of Keyv 5 and 6: the value and its time of expiry in milliseconds. */
interface Envelope {
  readonly value: unknown
  readonly expires?: number | null
}

/** One of several values to store. Keyv 5 passes a lifetime in milliseconds (`ttl`), Keyv 6 a time of expiry in milliseconds since 1970 (`expires`). */
interface KeyvEntry {
  readonly key: string
  readonly value: unknown
  readonly ttl?: number | undefined
  readonly expires?: number | undefined
}

const MODES = { keyv: true, python: true } as const

/** A storage adapter of Keyv 5 and 6. */
export class KeyvMemcached {
  /** The prefix of the keys. Keyv sets it. Keyv 5 puts it before the keys itself; for Keyv 6 the adapter does. */
  declare namespace?: string
  /** Keyv 5 recognises an adapter by these options. */
  readonly opts: Record<string, unknown> = { dialect: 'memcached', url: '' }
  private readonly python: boolean
  /** Whether Keyv 6 is the caller. It passes keys without their namespace, and times of expiry in place of lifetimes. */
  private isOfKeyv6 = false

  /** @throws TypeError for a client that lacks a method, and for unknown options; RangeError for unknown values */
  constructor(
    private readonly client: KeyvClient,
    options: KeyvMemcachedOptions = {},
  ) {
    checkClient(client)
    const { values = 'keyv' } = ownOptions(options, ['values'])
    named('values', MODES, values)
    this.python = values === 'python'
  }

  /** Only Keyv 6 reads this property. By this the adapter knows which version calls it. */
  get capabilities(): { readonly expires: true } {
    this.isOfKeyv6 = true
    return { expires: true }
  }

  /** @throws as the client's `get` */
  async get(key: string): Promise<unknown> {
    return this.read(await this.client.get(this.whole(key)))
  }

  /** @throws as the client's `getMulti` */
  async getMany(keys: string[]): Promise<unknown[]> {
    checkTexts('keys', keys)
    const whole = keys.map((key) => this.whole(key))
    const found = await this.client.getMulti(whole)
    return whole.map((key) => this.read(found.get(key)))
  }

  /**
   * @param value as Keyv passes it: text, or the value with its time of expiry
   * @param time lifetime in milliseconds, from Keyv 6 the time of expiry in milliseconds since 1970; it is rounded up to memcached's seconds
   * @throws as the client's `set`; TypeError for text from Keyv's serializer with `values: 'python'`
   */
  async set(key: string, value: unknown, time?: number): Promise<boolean> {
    const whole = this.whole(key)
    if (time !== undefined) checkNumber('time', time)
    const stored = this.python ? envelopeOf(value).value : value
    // Python has no value for undefined, so that the key is deleted.
    if (stored === undefined) {
      await this.client.delete(whole)
      return true
    }
    const milliseconds = time === undefined || !this.isOfKeyv6 ? time : time - Date.now()
    const seconds = milliseconds === undefined ? undefined : milliseconds / 1000
    return Boolean(await this.client.set(whole, stored, { time: timeOf(seconds) }))
  }

  /** @returns whether each was stored @throws as `set`; TypeError for entries that are not objects, before anything is sent */
  async setMany(entries: readonly KeyvEntry[]): Promise<boolean[]> {
    checkArray('entries', entries)
    for (const entry of entries) {
      checkObject('an entry', entry)
      checkText('key', entry.key)
    }
    return Promise.all(
      entries.map(({ key, value, ttl, expires }) => this.set(key, value, this.isOfKeyv6 ? expires : ttl)),
    )
  }

  /** @returns whether the key was there @throws as the client's `delete` */
  async delete(key: string): Promise<boolean> {
    return deleteKey(this.client, this.whole(key))
  }

  /** @returns whether all keys were there; for Keyv 6, an answer for each key @throws as the client's `delete` */
  async deleteMany(keys: string[]): Promise<boolean | boolean[]> {
    checkTexts('keys', keys)
    const deleted = await Promise.all(keys.map((key) => this.delete(key)))
    return this.isOfKeyv6 ? deleted : deleted.every(Boolean)
  }

  /**
   * Lists the keys of Keyv's namespace and deletes them. Without a namespace it deletes all items of the servers.
   * @throws ListingError if the keys cannot be listed; as the client's `delete`
   */
  async clear(): Promise<void> {
    const { namespace, client } = this
    if (namespace === undefined || namespace === '') {
      if (!client.flushAll) throw new TypeError('the client has no method flushAll: give Keyv a namespace')
      await client.flushAll()
      return
    }
    const keys = await listKeys(client, `${namespace}:`)
    await Promise.all(keys.map((key) => deleteKey(client, key)))
  }

  /** @throws as the client's `get` */
  async has(key: string): Promise<boolean> {
    const whole = this.whole(key)
    return this.client.has ? this.client.has(whole) : (await this.client.get(whole)) != null
  }

  /** @throws as the client's `get` */
  async hasMany(keys: string[]): Promise<boolean[]> {
    checkTexts('keys', keys)
    return Promise.all(keys.map((key) => this.has(key)))
  }

  /** Keys and values of a namespace; for Keyv 6 the keys without the namespace. @throws ListingError if the keys cannot be listed */
  async *iterator(
    namespace: string | undefined = this.namespace,
  ): AsyncGenerator<[key: string, value: unknown], void> {
    if (namespace !== undefined) checkText('namespace', namespace)
    const prefix = namespace ? `${namespace}:` : ''
    for (const key of await listKeys(this.client, prefix)) {
      const value = this.read(await this.client.get(key))
      if (value !== undefined) yield [this.isOfKeyv6 ? key.slice(prefix.length) : key, value]
    }
  }

  /** Closes the client's connections. */
  async disconnect(): Promise<void> {
    this.client.disconnectAll?.()
  }

  /** The stored key. */
  private whole(key: string): string {
    checkText('key', key)
    return this.isOfKeyv6 && this.namespace ? `${this.namespace}:${key}` : key
  }

  private read(stored: unknown): unknown {
    if (stored === undefined || (stored === null && !(this.python && this.client.has))) return undefined
    return this.python ? { value: withObjects(stored) } : stored
  }
}

function envelopeOf(value: unknown): Envelope {
  if (typeof value === 'object' && value !== null && 'value' in value) return value as Envelope
  throw new TypeError("with values: 'python' Keyv must not serialize: make its options with keyvOptions")
}

/**
 * Options of a Keyv whose values Python reads and writes: `new Keyv(keyvOptions(client, { namespace: 'shop:1' }))` uses the keys and values of
 * Django's cache with the `KEY_PREFIX` shop. Times are rounded up to seconds. The client's encoding writes the values: with pylibmc's encoding, which is
 * strict's default, booleans are read as 1 and 0, as in Python; `pymemcacheEncoding()` keeps them.
 * @param options further options of Keyv: `namespace`, `ttl` in milliseconds …
 * @throws TypeError for a client that lacks a method
 */
export function keyvOptions<O extends object>(
  client: CacheClient,
  options?: O,
): O & { store: KeyvMemcached; serialization: false } {
  const store = new KeyvMemcached(client, { values: 'python' })
  // The first two are options of Keyv 5, the third is an option of Keyv 6.
  return { ...(options as O), store, serialize: undefined, deserialize: undefined, serialization: false }
}
