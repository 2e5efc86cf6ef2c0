/** Django's cache API over a client: the same keys, versions and times. Source: fixtures/vectors/framework-values.json, Django 3.2 to 6.1 live. */
import { checkFunction, checkIterable, checkNumber, checkObject } from '../../ground/arguments.js'
import { ValueError } from '../../python/errors.js'
import { ownOptions } from '../../python/options.js'
import { type CacheClient, checkClient, deleteKey, sentTime } from '../client.js'
import {
  DJANGO_KEY_NAMES,
  type DjangoKeySettings,
  type DjangoVersion,
  djangoKey,
  djangoTime,
} from './keys.js'

/** Django's CACHES entry. */
export interface DjangoCacheSettings extends DjangoKeySettings {
  /** `TIMEOUT` in seconds; null = values never expire. Default 300, as in Django. */
  readonly timeout?: number | null
}

/** The argument `version` of Django's methods. */
export interface VersionOption {
  /** Default: the version of the settings. */
  readonly version?: DjangoVersion | undefined
}

/** The arguments `timeout` and `version` of Django's methods. */
export interface TimeoutOption extends VersionOption {
  /** Seconds; null = never expires, 0 or less = at once. Default: the timeout of the settings. */
  readonly timeout?: number | null
}

/** `django.core.cache.cache`, over a client whose servers, placement and encoding are those of the backend (docs/moving/sharing.md). */
export class DjangoCache {
  /** Seconds; null = values never expire. */
  private readonly timeout: number | null
  private readonly keys: DjangoKeySettings

  /** @throws TypeError for a client that lacks a method, and for unknown settings and settings of other types */
  constructor(
    /** The client that stores the items. */
    readonly client: CacheClient,
    settings: DjangoCacheSettings = {},
  ) {
    checkClient(client)
    const { timeout = 300, ...keys } = ownOptions(settings, [...DJANGO_KEY_NAMES, 'timeout'])
    djangoKey('key', keys)
    djangoTime(timeout)
    this.timeout = timeout
    this.keys = keys
  }

  /** The key as it is sent. @throws TypeError, also for unknown options; InvalidCacheKey */
  makeKey(key: string, options: VersionOption = {}): string {
    return this.key(key, ownOptions(options, ['version']))
  }

  private key(key: string, { version = this.keys.version }: VersionOption): string {
    return djangoKey(key, { ...this.keys, version })
  }

  /** The key and the time to send for a call that stores. */
  private stored(key: string, options: TimeoutOption): { readonly sent: string; readonly time: number } {
    const known = ownOptions(options, ['timeout', 'version'])
    return { sent: this.key(key, known), time: this.time(known) }
  }

  /** The value, or the client's result for a miss: undefined (strict) or null (compat). @throws InvalidCacheKey; as the client's `get` */
  async get<T = unknown>(key: string, options?: VersionOption): Promise<T | null | undefined> {
    return (await this.client.get(this.makeKey(key, options))) as T | null | undefined
  }

  /** Stores a value. If it cannot be stored, the key is deleted. @throws InvalidCacheKey, TypeError; as the client's `set` */
  async set(key: string, value: unknown, options: TimeoutOption = {}): Promise<void> {
    const { sent, time } = this.stored(key, options)
    if (!(await this.client.set(sent, value, { time }))) await this.client.delete(sent)
  }

  /** Stores a value unless the key has one. @returns whether it was stored @throws as `set` */
  async add(key: string, value: unknown, options: TimeoutOption = {}): Promise<boolean> {
    const { sent, time } = this.stored(key, options)
    return Boolean(await this.client.add(sent, value, { time }))
  }

  /** Returns the value, or makes, stores and returns a new one. @throws as `get`, `add`, and errors of `make` */
  async getOrSet<T>(key: string, make: () => T | Promise<T>, options: TimeoutOption = {}): Promise<T> {
    checkFunction('make', make)
    const { sent } = this.stored(key, options)
    const found = await this.find(sent)
    if (found !== undefined) return found.value as T
    const made = await make()
    await this.add(key, made, options)
    // Another process may have stored a value meanwhile.
    const stored = await this.find(sent)
    return stored === undefined ? made : (stored.value as T)
  }

  /** Changes the time at which a value expires. @returns whether the key has a value @throws as `set` */
  async touch(key: string, options: TimeoutOption = {}): Promise<boolean> {
    const { sent, time } = this.stored(key, options)
    return Boolean(await this.client.touch(sent, time))
  }

  /** @returns whether the key had a value @throws InvalidCacheKey; as the client's `delete` */
  async delete(key: string, options?: VersionOption): Promise<boolean> {
    return deleteKey(this.client, this.makeKey(key, options))
  }

  /** `key in cache`. @throws as `get` */
  async has(key: string, options?: VersionOption): Promise<boolean> {
    return (await this.find(this.makeKey(key, options))) !== undefined
  }

  /** The values of the keys that have one. @throws as `get` */
  async getMany<T = unknown>(keys: Iterable<string>, options?: VersionOption): Promise<Map<string, T>> {
    checkIterable('keys', keys)
    const names = new Map(Array.from(keys, (key) => [this.makeKey(key, options), key]))
    const found = await this.client.getMulti([...names.keys()])
    return new Map(Array.from(found, ([sent, value]) => [names.get(sent)!, value as T]))
  }

  /** @returns the keys that could not be stored @throws as `set` */
  async setMany(
    entries: ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>,
    options: TimeoutOption = {},
  ): Promise<string[]> {
    checkObject('entries', entries)
    const known = ownOptions(options, ['timeout', 'version'])
    const all = entries instanceof Map ? [...entries] : Object.entries(entries)
    const names = new Map(all.map(([key]) => [this.key(key, known), key]))
    const values = new Map(all.map(([key, value]) => [this.key(key, known), value]))
    const failed = await this.client.setMulti(values, { time: this.time(known) })
    return Array.from(failed, (sent) => names.get(sent)!)
  }

  /** @throws InvalidCacheKey; as the client's `deleteMulti` */
  async deleteMany(keys: Iterable<string>, options?: VersionOption): Promise<void> {
    checkIterable('keys', keys)
    await this.client.deleteMulti(Array.from(keys, (key) => this.makeKey(key, options)))
  }

  /** Adds to a stored number; a negative `delta` subtracts. @throws ValueError if the key has no value; as the client's `incr` */
  async incr(key: string, delta = 1, options?: VersionOption): Promise<number | bigint> {
    checkNumber('delta', delta)
    const sent = this.makeKey(key, options)
    const counted = await (delta < 0 ? this.client.decr(sent, -delta) : this.client.incr(sent, delta)).catch(
      (error: unknown) => {
        if ((error as Error | null)?.name === 'NotFound') return null
        throw error
      },
    )
    if (counted === null || counted === undefined) throw new ValueError(`Key '${sent}' not found`)
    return counted as number | bigint
  }

  /** Subtracts from a stored number. @throws as `incr` */
  async decr(key: string, delta = 1, options?: VersionOption): Promise<number | bigint> {
    checkNumber('delta', delta)
    return this.incr(key, -delta, options)
  }

  /**
   * Moves a value to a later version, with the settings' timeout.
   * @returns the new version @throws ValueError when there is none; TypeError for a version that is not a number; as `set`
   */
  async incrVersion(key: string, delta = 1, options: VersionOption = {}): Promise<number> {
    checkNumber('delta', delta)
    const { version = this.keys.version ?? 1 } = ownOptions(options, ['version'])
    checkNumber('version', version)
    const sent = this.key(key, { version })
    const found = await this.find(sent)
    if (found === undefined) throw new ValueError(`Key '${sent}' not found`)
    await this.set(key, found.value, { version: version + delta })
    await this.delete(key, { version })
    return version + delta
  }

  /** Moves a value to an earlier version. @throws as `incrVersion` */
  async decrVersion(key: string, delta = 1, options?: VersionOption): Promise<number> {
    checkNumber('delta', delta)
    return this.incrVersion(key, -delta, options)
  }

  /** The value, which may be None; undefined if there is none. */
  private async find(sent: string): Promise<{ readonly value: unknown } | undefined> {
    const value = await this.client.get(sent)
    if (value !== null) return value === undefined ? undefined : { value }
    // The compat client returns null for a miss too, like Django's MemcachedCache, which returns None.
    return (await this.client.has?.(sent)) ? { value } : undefined
  }

  private time({ timeout = this.timeout }: TimeoutOption): number {
    return sentTime(djangoTime(timeout))
  }
}
