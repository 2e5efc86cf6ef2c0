/** pymemcache's Client: one server, one connection. Source: docs/reference/pymemcache.md#6. */
import { checkIterable } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import { ownBlock } from '../protocol/data-block.js'
import { ownOptions } from '../python/options.js'
import { bytesRepr } from '../python/repr.js'
import { typeName } from '../python/type-name.js'
import { pythonInteger } from '../values/encodings/integers.js'
import {
  casToken,
  checkHashable,
  digits,
  encoded,
  entriesOf,
  flagsOf,
  integer,
  type Mapping,
  type NoreplyOptions,
  noreplyOptions,
  type StoreOptions,
  safeData,
  storeOptions,
  type Token,
  type TouchOptions,
  touchNames,
} from './arguments.js'
import { MemcacheUnexpectedCloseError, MemcacheUnknownError } from './errors.js'
import { bytesOf, checkKey, type Key, keyIdentity } from './keys.js'
import {
  type ClientOptions,
  parseServer,
  type ServerInput,
  type ServerSpec,
  type Settings,
  settingsOf,
} from './options.js'
import { FetchReading, LinesReading, type Reading, SegmentReading, StatsReading } from './readings.js'
import { Session } from './session.js'
import { type StatValue, statValue } from './stats.js'

type Verb = 'set' | 'add' | 'replace' | 'append' | 'prepend' | 'cas'
const results: Readonly<Record<Bytes, boolean | null>> = {
  STORED: true,
  NOT_STORED: false,
  EXISTS: false,
  NOT_FOUND: null,
}
const stored = ['STORED', 'NOT_STORED']
const swapped = ['STORED', 'EXISTS', 'NOT_FOUND']

/**
 * A client for one server. Concurrent calls share the connection in their order, as pymemcache's calls with a lock; an error closes the
 * connection after the pending calls have been answered.
 */
export class Client {
  readonly #session: Session
  readonly #settings: Settings
  /** The server's name: `host:port`, or the path of its socket. */
  readonly server: string

  /** Opens no connection. @throws ValueError for the server; TypeError, ValueError, UnicodeEncodeError for the options */
  constructor(server: ServerInput, options: ClientOptions = {}) {
    const settings = settingsOf(options)
    const spec: ServerSpec = parseServer(server, options.addresses)
    this.#settings = settings
    this.#session = new Session(spec, settings)
    this.server = spec.name
  }

  /** The value, or `missing` (null). @throws MemcacheError, SocketError unless `ignoreExc`; for the key always */
  async get<T = unknown, D = null>(key: Key, missing: D = null as D): Promise<T | D> {
    const [entry] = await this.#fetch('get', [key], false)
    return entry ? (entry[1] as T) : missing
  }

  /** Value and CAS unique as bytes, or the two defaults (null). @throws as get */
  async gets<T = unknown>(
    key: Key,
    missing: unknown = null,
    casMissing: unknown = null,
  ): Promise<[T, Buffer]> {
    const [entry] = await this.#fetch('gets', [key], true)
    return (entry ? [entry[1], entry[2]] : [missing, casMissing]) as [T, Buffer]
  }

  /** The values that are there, by the caller's keys. @throws as get */
  async getMany<K extends Key = string>(keys: Iterable<K>): Promise<Map<K, unknown>> {
    checkIterable('keys', keys)
    const entries = await this.#fetch('get', [...keys], false)
    return new Map(entries.map(([key, value]) => [key as K, value]))
  }

  /** Values with their CAS uniques. @throws as get */
  async getsMany<K extends Key = string>(keys: Iterable<K>): Promise<Map<K, [value: unknown, cas: Buffer]>> {
    checkIterable('keys', keys)
    const entries = await this.#fetch('gets', [...keys], true)
    return new Map(entries.map(([key, value, cas]) => [key as K, [value, cas]]))
  }

  /** True if the item was stored or the call does not wait. @throws MemcacheError, SocketError; the errors of the serde */
  async set(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#one('set', key, value, options)
  }

  /** False when the key is there. @throws as set */
  async add(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#one('add', key, value, options)
  }

  /** False when the key is missing. @throws as set */
  async replace(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#one('replace', key, value, options)
  }

  /** False when the key is missing. @throws as set */
  async append(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#one('append', key, value, options)
  }

  /** False when the key is missing. @throws as set */
  async prepend(key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    return this.#one('prepend', key, value, options)
  }

  /** True, false when the item has changed, null when it is missing. @throws as set; MemcacheIllegalInputError for the token */
  async cas(key: Key, value: unknown, cas: Token, options?: StoreOptions | number): Promise<boolean | null> {
    const token = casToken(cas, this.#settings.encoding)
    checkHashable(key)
    const given = storeOptions(options)
    const [result] = await this.#store('cas', [[key, value]], given, given.noreply ?? false, token)
    return result![1]
  }

  /** The keys that were not stored; none without waiting. @throws as set, after others have been stored */
  async setMany<K extends Key = string>(values: Mapping, options?: StoreOptions | number): Promise<K[]> {
    const given = storeOptions(options)
    const pairs = await this.#store('set', entriesOf(values), given, this.#noreply(given))
    return pairs.filter(([, result]) => !result).map(([key]) => key as K)
  }

  /** True when deleted or not waited for, false when missing. @throws MemcacheError, SocketError */
  async delete(key: Key, options?: NoreplyOptions): Promise<boolean> {
    const noreply = this.#noreply(noreplyOptions(options))
    const line = await this.#line('delete', `delete ${this.#key(key)}`, noreply)
    return noreply || line === 'DELETED'
  }

  /** Always true. @throws as delete */
  async deleteMany(keys: Iterable<Key>, options?: NoreplyOptions): Promise<true> {
    checkIterable('keys', keys)
    const noreply = this.#noreply(noreplyOptions(options))
    const commands = [...keys].map((key) => `delete ${this.#key(key)}${noreply ? ' noreply' : ''}\r\n`)
    if (commands.length > 0)
      await this.#session.run(
        [commands.join('')],
        noreply ? undefined : new LinesReading('delete', commands.length),
      )
    return true
  }

  /** The new value, null when missing or not waited for. @throws MemcacheIllegalInputError, MemcacheClientError for the delta */
  async incr(key: Key, value: number | bigint, options?: NoreplyOptions): Promise<number | bigint | null> {
    return this.#count('incr', key, value, options)
  }

  /** Stops at 0. See incr. */
  async decr(key: Key, value: number | bigint, options?: NoreplyOptions): Promise<number | bigint | null> {
    return this.#count('decr', key, value, options)
  }

  /** Gives an item a new time: false when it is missing. @throws as delete */
  async touch(key: Key, options?: TouchOptions | number): Promise<boolean> {
    const given = storeOptions(options, touchNames)
    const noreply = this.#noreply(given)
    const line = await this.#line(
      'touch',
      `touch ${this.#key(key)} ${integer(given.expire, 'expire', this.#settings.encoding)}`,
      noreply,
    )
    return noreply || line === 'TOUCHED'
  }

  /** Statistics by name. @throws as get, TypeError for arguments that are neither text nor bytes */
  async stats(...args: readonly Key[]): Promise<Map<string, StatValue>> {
    const reading = new StatsReading()
    const words = args.map((word) => this.#word(word))
    if (await this.#reads([['stats', ...words].join(' '), '\r\n'], reading))
      return new Map(reading.stats.map(([name, value]) => [name, statValue(name, value)]))
    return new Map()
  }

  /** The server's version, as bytes. @throws MemcacheUnknownError for another answer */
  async version(): Promise<Buffer> {
    const line = await this.#line('version', 'version', false)
    const blank = line.indexOf(' ')
    if ((blank < 0 ? line : line.slice(0, blank)) !== 'VERSION')
      throw new MemcacheUnknownError(`Received unexpected response: ${bytesRepr(line)}`)
    return Buffer.from(blank < 0 ? '' : line.slice(blank + 1), 'latin1')
  }

  /** Invalidates every item, now or after `delay` seconds. @throws as delete */
  async flushAll(options: NoreplyOptions & { readonly delay?: number | bigint } = {}): Promise<boolean> {
    const given = ownOptions(options, ['delay', 'noreply'])
    const noreply = this.#noreply(given)
    const line = await this.#line(
      'flush_all',
      `flush_all ${integer(given.delay, 'delay', this.#settings.encoding)}`,
      noreply,
    )
    return noreply || line === 'OK'
  }

  /** @param megabytes of the server's memory @throws as stats */
  async cacheMemlimit(megabytes: number | bigint): Promise<true> {
    await this.#reads(
      [`cache_memlimit ${integer(megabytes, 'memlimit', this.#settings.encoding)}\r\n`],
      new FetchReading('cache_memlimit', [], false, () => {}),
    )
    return true
  }

  /**
   * Sends a command unchanged, and CRLF. @returns the reply before the end tokens
   * @throws as delete; MemcacheUnknownError after 32 MiB without the end tokens, where pymemcache continues to read; UnicodeEncodeError for text that is not ASCII without `allowUnicodeKeys`
   */
  async rawCommand(command: string | Uint8Array, endTokens: string | Uint8Array = '\r\n'): Promise<Buffer> {
    const bytes = this.#raw(command)
    const end = this.#raw(endTokens)
    if (end === '') return Buffer.from(await this.#line(bytes, bytes, false), 'latin1')
    const reading = new SegmentReading(bytes, end)
    await this.#session.run([bytes, '\r\n'], reading)
    return Buffer.from(reading.segment, 'latin1')
  }

  /** Says quit, and closes. @throws SocketError */
  async quit(): Promise<void> {
    await this.#session.run(['quit\r\n'])
    this.close()
  }

  /** Ends the server, where it allows it. @throws MemcacheUnknownCommandError where it does not */
  async shutdown(graceful = false): Promise<void> {
    try {
      await this.#line('shutdown', graceful ? 'shutdown graceful' : 'shutdown', false)
    } catch (error) {
      if (!(error instanceof MemcacheUnexpectedCloseError)) throw error
    }
  }

  /** Closes the connection. The next call opens another. */
  close(): void {
    this.#session.close()
  }

  /** The same. */
  disconnectAll(): void {
    this.close()
  }

  #key(key: unknown): Bytes {
    return checkKey(key, this.#settings)
  }

  #word(word: unknown): Bytes {
    return checkKey(word, { ...this.#settings, keyPrefix: '' })
  }

  #noreply(options: NoreplyOptions): boolean {
    return options.noreply ?? this.#settings.defaultNoreply
  }

  #raw(text: unknown): Bytes {
    if (text instanceof Uint8Array) return bytesOf(text)
    if (typeof text !== 'string')
      throw new TypeError(`a command is text or bytes, not a value of type ${typeName(text)}`)
    return encoded(text, this.#settings.allowUnicodeKeys ? 'utf-8' : 'ascii')
  }

  async #fetch(name: 'get' | 'gets', keys: readonly Key[], cas: boolean): Promise<[Key, unknown, Buffer][]> {
    if (keys.length === 0) return []
    const wire = keys.map((key) => this.#key(key))
    const found = new Map<string, [Key, unknown, Buffer]>()
    const { serde } = this.#settings
    const reading = new FetchReading(name, wire, cas, (index, flags, data, unique) => {
      const key = keys[index]!
      found.set(keyIdentity(key), [key, serde.deserialize(key, data, flags), Buffer.from(unique, 'latin1')])
    })
    return (await this.#reads([`${name} ${wire.join(' ')}\r\n`], reading)) ? [...found.values()] : []
  }

  /** With `ignoreExc` a failure is a miss. */
  async #reads(pieces: readonly Bytes[], reading: Reading): Promise<boolean> {
    try {
      await this.#session.run(pieces, reading)
      return true
    } catch (error) {
      if (this.#settings.ignoreExc) return false
      throw error
    }
  }

  async #one(verb: Verb, key: Key, value: unknown, options?: StoreOptions | number): Promise<boolean> {
    checkHashable(key)
    const given = storeOptions(options)
    const [result] = await this.#store(verb, [[key, value]], given, this.#noreply(given))
    return result![1] as boolean
  }

  async #store(
    verb: Verb,
    values: readonly (readonly [Key, unknown])[],
    options: StoreOptions,
    noreply: boolean,
    cas?: Bytes,
  ): Promise<[Key, boolean | null][]> {
    const tail = `${cas === undefined ? '' : ` ${cas}`}${noreply ? ' noreply' : ''}\r\n`
    const { serde, encoding } = this.#settings
    const expire = integer(options.expire, 'expire', encoding)
    const pieces: (Bytes | Uint8Array)[] = []
    for (const [key, value] of values) {
      const wire = this.#key(key)
      const [written, own] = serde.serialize(key, value)
      const flags = flagsOf(options.flags ?? own, encoding)
      const data = written instanceof Uint8Array ? ownBlock(written) : safeData(written, encoding)
      const length = digits(String(data.length), encoding)
      pieces.push(`${verb} ${wire} ${flags} ${expire} ${length}${tail}`, data, '\r\n')
    }
    if (pieces.length === 0) {
      await this.#session.connect()
      return []
    }
    const reading = noreply
      ? undefined
      : new LinesReading(verb, values.length, verb === 'cas' ? swapped : stored)
    await this.#session.run(pieces, reading)
    return values.map(([key], i) => [key, reading ? results[reading.lines[i]!]! : true])
  }

  async #line(name: Bytes, line: Bytes, noreply: boolean): Promise<Bytes> {
    if (noreply) {
      await this.#session.run([`${line} noreply\r\n`])
      return ''
    }
    const reading = new LinesReading(name, 1)
    await this.#session.run([line, '\r\n'], reading)
    return reading.lines[0]!
  }

  async #count(
    verb: 'incr' | 'decr',
    key: Key,
    value: unknown,
    options?: NoreplyOptions,
  ): Promise<number | bigint | null> {
    const noreply = noreplyOptions(options).noreply ?? false
    const line = await this.#line(
      verb,
      `${verb} ${this.#key(key)} ${integer(value, 'value', this.#settings.encoding)}`,
      noreply,
    )
    return noreply || line === 'NOT_FOUND' ? null : pythonInteger(Buffer.from(line, 'latin1'), bytesRepr)
  }
}
