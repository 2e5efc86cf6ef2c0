/** The state that behaviors change: the only mutable part of a strict client. Source: docs/reference/pylibmc.md#9. */
import { checkNumber } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import {
  applyBehaviors,
  cloneSettings,
  constructorSettings,
  type PlacedServer,
  type PlacementSettings,
} from '../hashing/index.js'
import { exptime } from '../pipeline/exptime.js'
import { decodeFailure, MAX_FLAGS, tooLargeFlags } from '../pipeline/failures/decoding.js'
import { closedTakes } from '../pipeline/failures/transport-failures.js'
import {
  HealthSelection,
  libmemcachedArrangement,
  type SelectionSettings,
} from '../pipeline/health-selection.js'
import { type KeyRule, pylibmcKey } from '../pipeline/keys.js'
import type { Modes, ServerSpec, Slots } from '../pipeline/slots.js'
import { binaryProtocol } from '../protocol/binary/binary.js'
import { pylibmcDialect } from '../protocol/dialects.js'
import type { Protocol } from '../protocol/protocol.js'
import { textProtocolOf } from '../protocol/text/text.js'
import { addressName, hostAndPort } from '../transport/address.js'
import { BusyPoll } from '../transport/busy-poll.js'
import { exchangeWith } from '../transport/direct.js'
import { CallerWatch } from '../transport/pending.js'
import type { Exchange } from '../transport/types.js'
import { pylibmcEncoding } from '../values/index.js'
import { FLAG_ZLIB, type ValueEncoding } from '../values/types.js'
import {
  type BehaviorChange,
  type BehaviorSettings,
  type Behaviors,
  behaviorChanges,
  defaultBehaviors,
  ownSettings,
  reconnecting,
} from './behaviors.js'
import { type ClientOptions, checkedClientOptions, checkPlaintext } from './options.js'
import { type Hooks, hooked } from './serializing.js'
import { parseServers, type ServerSpecInput, serverInputs } from './server-spec.js'

/** pylibmc's number of it. */
const MD5 = 1

export class State {
  readonly behaviors: Behaviors = { ...defaultBehaviors }
  namespace = ''
  readonly slots: Slots
  private readonly selection: HealthSelection
  private modes: Modes
  private selecting: SelectionSettings
  private encoding: ValueEncoding
  private placementSettings: PlacementSettings
  /** The server specifications as given. */
  readonly given: readonly ServerSpecInput[]
  /** A private field, so that `util.inspect` shows no password and no key. */
  readonly #options: ClientOptions
  private readonly placed: readonly PlacedServer[]
  private hooks: Hooks = {}
  private readonly callers = new CallerWatch()
  private readonly busyPoll: BusyPoll | undefined

  /** @throws by docs/reference/pylibmc.md#2: ValueError, TypeError, AttributeError, MemcachedError, NotSupportedError */
  constructor(servers: Iterable<ServerSpecInput>, unchecked: ClientOptions) {
    this.given = serverInputs(servers)
    const specs = parseServers(this.given)
    const options = checkedClientOptions(unchecked)
    checkPlaintext(specs, options)
    this.#options = options
    this.busyPoll = options.busyPoll ? new BusyPoll(options.busyPoll) : undefined
    const settings = ownSettings(options.behaviors ?? {})
    for (const change of behaviorChanges(settings, Boolean(options.binary))) this.apply(change)
    this.placed = specs.map(({ address, weight }) => ({ ...hostAndPort(address), weight }))
    this.placementSettings = constructorSettings(placementBehaviors(settings), this.placed)
    this.modes = this.currentModes()
    this.selecting = this.currentSelecting()
    this.encoding = this.plainEncoding()
    this.selection = new HealthSelection(
      specs,
      libmemcachedArrangement(this.placementSettings),
      this.behaviors._sort_hosts === 1,
      (spec) => this.connect(spec),
      () => this.selecting,
      options.now ?? (() => Date.now() / 1000),
    )
    const serverOf = (key: Bytes) => this.selection.servers[this.selection.place(key)]!.name
    this.slots = {
      textFlags: this.encoding.textFlags,
      key: (key, operation, prefix) => pylibmcKey(key, operation, prefix, this.keyRule(), serverOf),
      exptime: (time, operation) => exptime(time, operation, options.negativeTimeout ?? 'zero'),
      encode: (value, compression) =>
        this.encoding.write?.(value, compression) ?? this.encoding.encode(value, compression),
      decode: (item, operation) => {
        if (item.flags > MAX_FLAGS) throw tooLargeFlags(item, operation)
        try {
          return this.encoding.decode(item.flags, item.data)
        } catch (error) {
          throw decodeFailure(error, item, operation, Boolean(options.binary))
        }
      },
      selection: this.selection,
      wire: pylibmcDialect,
      modes: () => this.modes,
    }
  }

  /** Sets the hooks of a subclass. */
  hook(hooks: Hooks): void {
    this.hooks = hooks
    this.takeUpEncoding()
  }

  /** Makes this the state of a clone of that client. */
  cloneOf(source: State): void {
    this.placementSettings = cloneSettings(source.placementSettings, this.placed)
    this.selection.rearrange(libmemcachedArrangement(this.placementSettings), true)
  }

  /** The options for a clone of this client. */
  optionsNow(): ClientOptions {
    const changed = Object.fromEntries(
      Object.entries(this.behaviors).filter(
        ([name, value]) => value !== defaultBehaviors[name as keyof Behaviors],
      ),
    )
    const { namespace } = this
    return { ...this.#options, behaviors: { ...changed, ...(namespace ? { namespace } : {}) } }
  }

  /** As pylibmc stores a value without hooks, uncompressed. @throws ValueEncodeError */
  serialize(value: unknown): readonly [data: Uint8Array, flags: number] {
    const { data, flags } = this.plainEncoding().encode(value)
    return [data, flags]
  }

  /** As pylibmc reads an inflated item without hooks. @throws MemcachedError, ValueDecodeError */
  deserialize(data: Buffer, flags: number): unknown {
    checkNumber('flags', flags)
    try {
      return this.plainEncoding().decode(flags & ~FLAG_ZLIB, data)
    } catch (error) {
      throw decodeFailure(error, { key: '', flags, data }, 'gets')
    }
  }

  /** As pylibmc's repr() shows a client. */
  toString(): string {
    const names = parseServers(this.given).map(({ address }) => addressName(address))
    return `<Client for ${names.join(', ')}, binary=${this.#options.binary ? 'True' : 'False'}>`
  }

  /** The library's own encoding, without the hooks. */
  private plainEncoding(): ValueEncoding {
    const { preserve, encoding } = this.#options
    return encoding ?? pylibmcEncoding({ pickleProtocol: this.behaviors.pickle_protocol, preserve })
  }

  set(given: BehaviorSettings): void {
    // Behaviors before a refused one stay applied.
    const settings: Record<string, unknown> = {}
    let reconnect = false
    try {
      for (const change of behaviorChanges(ownSettings(given), Boolean(this.#options.binary))) {
        this.apply(change)
        const [name, value] = change
        settings[name] = value
        reconnect ||= name !== 'namespace' && reconnecting.has(name)
      }
    } finally {
      this.modes = this.currentModes()
      this.selecting = this.currentSelecting()
      this.takeUpEncoding()
      this.placementSettings = applyBehaviors(this.placementSettings, placementBehaviors(settings))
      const relay = relaying.some((name) => settings[name] !== undefined)
      this.selection.rearrange(libmemcachedArrangement(this.placementSettings), relay)
      if (settings._sort_hosts) this.selection.sort()
      if (reconnect) this.selection.disconnectAll()
    }
  }

  private apply([name, value]: BehaviorChange): void {
    if (name === 'namespace') {
      this.namespace = String(value)
      return
    }
    Object.assign(this.behaviors, { [name]: value })
    // Two of the names are one switch, and three decide hash and distribution together (docs/reference/pylibmc.md#9.2).
    if (name === 'auto_eject') this.behaviors.remove_failed = Number(value)
    if (name === 'remove_failed') this.behaviors.auto_eject = Number(value)
    if (name === 'ketama') this.behaviors.distribution = value ? 'consistent ketama' : 'modula'
    if (name === 'ketama_weighted')
      this.behaviors.distribution = value ? 'consistent weighted' : 'consistent ketama'
    if (name === 'ketama_weighted' && value) {
      this.behaviors.hash = 'md5'
      this.behaviors.ketama_hash = MD5
    }
    const { distribution } = this.behaviors
    this.behaviors.ketama_weighted = Number(distribution === 'consistent weighted')
    this.behaviors.ketama = Number(/^consistent (ketama|weighted)$/.test(distribution))
  }

  private currentModes(): Modes {
    const { cas, _noreply, _poll_timeout, num_replicas, buffer_requests, _io_key_prefetch } = this.behaviors
    return {
      cas: cas === 1,
      retrieval: cas === 1 ? 'gets' : 'get',
      noreply: _noreply === 1,
      namespace: this.namespace,
      timeout: this.#options.timeout ?? _poll_timeout,
      binary: Boolean(this.#options.binary),
      // Ignored in the text protocol (docs/reference/pylibmc.md#9.4).
      replicas: this.#options.binary ? num_replicas : 0,
      keyPrefetch: this.#options.binary ? _io_key_prefetch : 0,
      buffered: buffer_requests === 1,
    }
  }

  private currentSelecting(): SelectionSettings {
    const { retry_timeout, dead_timeout, failure_limit, auto_eject, remove_failed } = this.behaviors
    return {
      health: {
        retryTimeout: retry_timeout,
        deadTimeout: dead_timeout,
        failureLimit: failure_limit,
        eject: auto_eject === 1 || remove_failed === 1,
      },
      hashPrefix: this.behaviors._hash_with_prefix_key ? this.namespace : undefined,
      binary: Boolean(this.#options.binary),
      instant: this.behaviors.connect_timeout === 0,
    }
  }

  private keyRule(): KeyRule {
    if (this.#options.binary) return 'any'
    return this.behaviors.verify_keys === 1 ? 'graphic' : 'unbroken'
  }

  private takeUpEncoding(): void {
    this.encoding = hooked(this.plainEncoding(), this.hooks)
    this.slots.textFlags = this.encoding.textFlags
  }

  private connect(spec: ServerSpec): Exchange {
    const { connect_timeout, tcp_keepalive } = this.behaviors
    return exchangeWith(spec.address, {
      protocol: protocolOf(this.#options),
      tls: this.#options.tls,
      connect: this.#options.connect,
      connectTimeout: connect_timeout,
      keepAlive: tcp_keepalive === 1,
      stale: this.#options.staleConnection ?? 'fail',
      closedTakes: closedTakes.pylibmc,
      maxInFlight: this.#options.maxInFlight,
      whenFull: this.#options.whenFull,
      callers: this.callers,
      busyPoll: this.busyPoll,
    })
  }
}

/** The behaviors that decide placement, with 0 and 1 as booleans. */
function placementBehaviors(settings: BehaviorSettings) {
  const { hash, ketama, ketama_weighted, distribution } = settings
  return {
    hash,
    distribution,
    ketama: ketama === undefined ? undefined : Boolean(ketama),
    ketama_weighted: ketama_weighted === undefined ? undefined : Boolean(ketama_weighted),
  }
}

/** Setting one of these computes the continuum again. */
const relaying = ['ketama', 'ketama_weighted', 'distribution', '_sort_hosts'] as const

/** One per connection: the binary protocol numbers its requests. */
function protocolOf({ binary, maxCommandLine, username, password }: ClientOptions): Protocol {
  if (!binary) return textProtocolOf(maxCommandLine)
  return binaryProtocol(username === undefined || password === undefined ? undefined : { username, password })
}
