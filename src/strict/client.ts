/** The strict client: pylibmc's `Client` (docs/reference/pylibmc.md#2, #5, #9) over the pipeline. */

import type { Key } from '../pipeline/arguments.js'
import { Commands } from '../pipeline/commands.js'
import { decodeFailure } from '../pipeline/decoding.js'
import type { ServerSpec } from '../pipeline/slots.js'
import { KeyError } from '../python/errors.js'
import { addressName } from '../transport/address.js'
import { FLAG_ZLIB } from '../values/types.js'
import { type BehaviorSettings, type Behaviors, defaultBehaviors } from './behaviors.js'
import { type ClientOptions, checkedClientOptions, checkPlaintext } from './options.js'
import { parseServers, type ServerSpecInput, serverInputs } from './server-spec.js'
import { State } from './state.js'

/** No value of a caller is this one. */
const MISSING = Symbol('missing')

const keyText = (key: Key): string => (typeof key === 'string' ? key : Buffer.from(key).toString())

/** pylibmc's client (docs/reference/pylibmc.md#2, #5; docs/strict.md). Calls that are made at the same time share one connection per server. */
export class Client extends Commands {
  private readonly specs: readonly ServerSpec[]
  private readonly given: readonly ServerSpecInput[]
  /** Private to the language itself: `util.inspect` shows no password and no key. */
  readonly #options: ClientOptions
  private readonly state: State

  /**
   * Opens no connection.
   * @throws by docs/reference/pylibmc.md#2: ValueError, TypeError, AttributeError, MemcachedError, NotSupportedError
   */
  constructor(servers: Iterable<ServerSpecInput>, given: ClientOptions = {}) {
    const inputs = serverInputs(servers)
    const specs = parseServers(inputs)
    const options = checkedClientOptions(given)
    checkPlaintext(specs, options)
    const state = new State(specs, options)
    super(state.slots)
    this.specs = specs
    this.given = inputs
    this.#options = options
    this.state = state
    // Looked up once, on the class, as pylibmc does.
    const { serialize, deserialize } = new.target.prototype as Client
    state.hook({
      ...(serialize === Client.prototype.serialize ? {} : { serialize: serialize.bind(this) }),
      ...(deserialize === Client.prototype.deserialize ? {} : { deserialize: deserialize.bind(this) }),
    })
  }

  /**
   * A value as pylibmc stores it, uncompressed (docs/reference/pylibmc.md#4.4). A subclass may override it: then it decides for every value.
   * @throws ValueEncodeError
   */
  serialize(value: unknown): readonly [data: Uint8Array, flags: number] {
    const { data, flags } = this.state.plainEncoding().encode(value)
    return [data, flags]
  }

  /**
   * The value of an item that has been inflated; `flags` as stored, bit 8 (compressed) without effect. A subclass may override
   * it, and throw CacheMiss for an item that is to count as missing (docs/reference/pylibmc.md#4.4).
   * @throws MemcachedError for flags that say two types; ValueDecodeError
   */
  deserialize(data: Buffer, flags: number): unknown {
    try {
      return this.state.plainEncoding().decode(flags & ~FLAG_ZLIB, data)
    } catch (error) {
      throw decodeFailure(error, { key: '', flags, data }, 'gets')
    }
  }

  // ── as a mapping: Python's c[k], c[k] = v, del c[k], k in c (docs/reference/pylibmc.md#5.8) ────────────────

  /** `c[key]`, by `get`. A stored None is a hit. @throws KeyError on a miss; otherwise as `get` */
  async getItem<T = unknown>(key: Key): Promise<T> {
    const value = await this.get<unknown>(key, MISSING)
    if (value === MISSING) throw new KeyError(keyText(key))
    return value as T
  }

  /** `c[key] = value`, by `set`. @throws KeyError when it is not stored; otherwise as `set` */
  async setItem(key: Key, value: unknown): Promise<void> {
    if (!(await this.set(key, value))) throw new KeyError(`failed setting '${keyText(key)}'`)
  }

  /** `del c[key]`, by `delete`. @throws KeyError when it was not there; otherwise as `delete` */
  async deleteItem(key: Key): Promise<void> {
    if (!(await this.delete(key))) throw new KeyError(keyText(key))
  }

  /** `key in c`: fetches and decodes the value by `get`. @throws as `get` */
  async has(key: Key): Promise<boolean> {
    return (await this.get<unknown>(key, MISSING)) !== MISSING
  }

  /** `await using mc = new Client(…)`: closes every connection at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnectAll()
  }

  /** The server specifications as given. */
  get addresses(): ServerSpecInput[] {
    return [...this.given]
  }

  /** Current behaviors, as they read back in Python: `hash` and `distribution` by name, everything else as a number. */
  get behaviors(): Behaviors {
    return { ...this.state.behaviors }
  }

  set behaviors(settings: BehaviorSettings) {
    this.setBehaviors(settings)
  }

  /** The same as `behaviors` (docs/reference/pylibmc.md#9.1). */
  getBehaviors(): Behaviors {
    return this.behaviors
  }

  /**
   * Changes behaviors, in pylibmc's units (docs/reference/pylibmc.md#9.1, #9.2); some of them close the connections.
   * @throws ValueError, TypeError, KeyError, MemcachedError; settings before the bad one stay applied
   */
  setBehaviors(settings: BehaviorSettings): void {
    this.state.set(settings)
  }

  /** A client of the same class, servers, behaviors and options, with fresh connections and fresh failure state (docs/reference/pylibmc.md#5.7). */
  clone(): this {
    const Class = this.constructor as new (servers: Iterable<ServerSpecInput>, options: ClientOptions) => this
    const { namespace, behaviors } = this.state
    const changed = Object.fromEntries(
      Object.entries(behaviors).filter(
        ([name, value]) => value !== defaultBehaviors[name as keyof Behaviors],
      ),
    )
    const made = new Class(this.given, {
      ...this.#options,
      behaviors: { ...changed, ...(namespace ? { namespace } : {}) },
    })
    made.state.cloneOf(this.state)
    return made
  }

  override toString(): string {
    return `<Client for ${this.specs.map(({ address }) => addressName(address)).join(', ')}, binary=${this.#options.binary ? 'True' : 'False'}>`
  }
}
