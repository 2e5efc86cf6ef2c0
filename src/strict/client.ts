/** The strict client: pylibmc's `Client` (spec/pylibmc §2, §5, §9) over `Core`. */
import { applyBehaviors, constructorSettings, type PlacedServer } from '../hashing/index.js'
import { binaryProtocol } from '../protocol/binary/binary.js'
import { pylibmcDialect } from '../protocol/dialects.js'
import type { Protocol } from '../protocol/protocol.js'
import { autoProtocol, metaProtocol } from '../protocol/text/meta.js'
import { textProtocol } from '../protocol/text/text.js'
import { OverflowError, ValueError } from '../python/errors.js'
import { checkOptions } from '../python/options.js'
import { typeName } from '../python/type-name.js'
import { addressName } from '../transport/address.js'
import { Connection } from '../transport/connection.js'
import type { Tls } from '../transport/socket.js'
import { pylibmcEncoding } from '../values/index.js'
import type { ValueEncoding } from '../values/types.js'
import {
  type BehaviorChange,
  type BehaviorSettings,
  type Behaviors,
  behaviorChanges,
  defaultBehaviors,
  reconnecting,
} from './behaviors.js'
import { Commands } from './commands.js'
import { decodeFailure } from './decoding.js'
import { exptime, integer, type NegativeTimeout } from './exptime.js'
import { type KeyRule, pylibmcKey } from './keys.js'
import { HealthSelection, libmemcachedArrangement } from './selection.js'
import { parseServers, type ServerSpec, type ServerSpecInput } from './server-spec.js'
import type { Modes, Slots } from './slots.js'

export interface ClientOptions {
  /** pylibmc's behaviors, by their Python names. */
  readonly behaviors?: BehaviorSettings
  /** Speaks the binary protocol. Default false. */
  readonly binary?: boolean
  /** SASL PLAIN, binary protocol only; with `password`. */
  readonly username?: string
  readonly password?: string
  /**
   * Which commands the text protocol uses: `text` (default) those of libmemcached; `meta` memcached 1.6's meta commands; `auto`
   * meta gets once several are asked at a time and the server's version is 1.6 or later. The outcomes are the same.
   */
  readonly protocol?: 'text' | 'meta' | 'auto'
  /** Encrypts the connections (memcached `-Z`): `true`, or options of `node:tls`. Default: not. */
  readonly tls?: Tls
  /** Negative times act like zero (pylibmc's documentation, the default), or go out as 1.6.3 sends them. */
  readonly negativeTimeout?: NegativeTimeout
  /** Milliseconds for a whole operation: connecting, queueing, sending, waiting. Default: `_poll_timeout` (5000). */
  readonly timeout?: number
  /** Values read back keep what plain JavaScript would lose (1.0 stays a float, tuples stay tuples). Default false. */
  readonly preserve?: boolean
  /** Replaces pylibmc's value encoding. */
  readonly encoding?: ValueEncoding
  /**
   * After the server has closed an idle connection: `fail` (default) makes the next operation fail with ConnectionError, as
   * pylibmc does; `reopen` opens a new connection instead.
   */
  readonly staleConnection?: 'fail' | 'reopen'
  /** Clock in seconds, for tests and audits. Default: the system clock. */
  readonly now?: () => number
}

const optionNames = Object.keys({
  behaviors: true,
  binary: true,
  protocol: true,
  tls: true,
  username: true,
  password: true,
  negativeTimeout: true,
  timeout: true,
  preserve: true,
  encoding: true,
  staleConnection: true,
  now: true,
} satisfies Record<keyof ClientOptions, true>)

export class Client extends Commands {
  private readonly specs: readonly ServerSpec[]
  private readonly given: readonly ServerSpecInput[]
  private readonly options: ClientOptions
  private readonly state: State

  /**
   * Opens no connection.
   * @throws by spec/pylibmc §2: ValueError, TypeError, AttributeError, MemcachedError, NotSupportedError
   */
  constructor(servers: Iterable<ServerSpecInput>, options: ClientOptions = {}) {
    const given = typeof servers === 'string' ? servers : [...(servers ?? [])]
    const specs = parseServers(servers === null || servers === undefined ? servers : given)
    checkOptions(options, optionNames)
    checkCredentials(options)
    checkChoices(options)
    const state = new State(specs, options)
    super(state.slots)
    this.specs = specs
    this.given = [...given]
    this.options = options
    this.state = state
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

  getBehaviors(): Behaviors {
    return this.behaviors
  }

  /** @throws ValueError, TypeError, KeyError, MemcachedError; settings before the bad one stay applied, as in pylibmc */
  setBehaviors(settings: BehaviorSettings): void {
    this.state.set(settings)
  }

  /** A client of the same class, servers, behaviors and options, with fresh connections and fresh failure state. */
  clone(): this {
    const Class = this.constructor as new (servers: Iterable<ServerSpecInput>, options: ClientOptions) => this
    const { namespace, behaviors } = this.state
    const changed = Object.fromEntries(
      Object.entries(behaviors).filter(
        ([name, value]) => value !== defaultBehaviors[name as keyof Behaviors],
      ),
    )
    return new Class(this.given, {
      ...this.options,
      behaviors: { ...changed, ...(namespace ? { namespace } : {}) },
    })
  }

  override toString(): string {
    return `<Client for ${this.specs.map(({ address }) => addressName(address)).join(', ')}, binary=${this.options.binary ? 'True' : 'False'}>`
  }
}

/** What behaviors change: the one mutable part of a client. */
class State {
  readonly behaviors: Behaviors = { ...defaultBehaviors }
  namespace = ''
  readonly slots: Slots
  private readonly selection: HealthSelection
  private modes: Modes
  private encoding: ValueEncoding
  private placementSettings

  constructor(
    specs: readonly ServerSpec[],
    private readonly options: ClientOptions,
  ) {
    const settings = options.behaviors ?? {}
    for (const change of behaviorChanges(settings, Boolean(options.binary))) this.apply(change)
    const placed: PlacedServer[] = specs.map(({ address, weight }) =>
      address.transport === 'unix'
        ? { host: address.path, port: 0, weight }
        : { host: address.host, port: address.port, weight },
    )
    this.placementSettings = constructorSettings(placementBehaviors(settings), placed)
    this.modes = this.currentModes()
    this.encoding = this.currentEncoding()
    this.selection = new HealthSelection(
      specs,
      libmemcachedArrangement(this.placementSettings),
      this.behaviors._sort_hosts === 1,
      (spec) => this.connect(spec),
      () => ({
        health: {
          retryTimeout: this.behaviors.retry_timeout,
          deadTimeout: this.behaviors.dead_timeout,
          failureLimit: this.behaviors.failure_limit,
          eject: this.behaviors.auto_eject === 1 || this.behaviors.remove_failed === 1,
        },
        hashPrefix: this.behaviors._hash_with_prefix_key ? this.namespace : '',
        binary: Boolean(options.binary),
      }),
      options.now ?? (() => Date.now() / 1000),
    )
    this.slots = {
      key: (key, operation, prefix) => pylibmcKey(key, operation, prefix, this.keyRule()),
      exptime: (time, operation) => exptime(time, operation, options.negativeTimeout ?? 'zero'),
      encode: (value, compression) => this.encoding.encode(value, compression),
      decode: (item, operation) => {
        try {
          return this.encoding.decode(item.flags, item.data)
        } catch (error) {
          throw decodeFailure(error, item, operation)
        }
      },
      selection: this.selection,
      wire: pylibmcDialect,
      modes: () => this.modes,
    }
  }

  set(settings: BehaviorSettings): void {
    let reconnect = false
    try {
      for (const change of behaviorChanges(settings, Boolean(this.options.binary))) {
        this.apply(change)
        const [name] = change
        reconnect ||= name !== 'namespace' && reconnecting.has(name)
      }
    } finally {
      this.modes = this.currentModes()
      this.encoding = this.currentEncoding()
      this.placementSettings = applyBehaviors(this.placementSettings, placementBehaviors(settings))
      this.selection.rearrange(libmemcachedArrangement(this.placementSettings))
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
    // Two of the names are one switch, and three decide hash and distribution together (spec/pylibmc §9.2).
    if (name === 'auto_eject') this.behaviors.remove_failed = Number(value)
    if (name === 'remove_failed') this.behaviors.auto_eject = Number(value)
    if (name === 'ketama') this.behaviors.distribution = value ? 'consistent ketama' : 'modula'
    if (name === 'ketama_weighted')
      this.behaviors.distribution = value ? 'consistent weighted' : 'consistent ketama'
    if (name === 'ketama_weighted' && value) this.behaviors.hash = 'md5'
  }

  private currentModes(): Modes {
    const { cas, _noreply, _poll_timeout } = this.behaviors
    return {
      cas: cas === 1,
      retrieval: cas === 1 ? 'gets' : 'get',
      noreply: _noreply === 1,
      namespace: this.namespace,
      timeout: this.options.timeout ?? _poll_timeout,
      binary: Boolean(this.options.binary),
    }
  }

  private keyRule(): KeyRule {
    if (this.options.binary) return 'any'
    return this.behaviors.verify_keys === 1 ? 'graphic' : 'unbroken'
  }

  private currentEncoding(): ValueEncoding {
    const { preserve, encoding } = this.options
    return encoding ?? pylibmcEncoding({ pickleProtocol: this.behaviors.pickle_protocol, preserve })
  }

  private connect(spec: ServerSpec): Connection {
    const { connect_timeout, tcp_keepalive } = this.behaviors
    return new Connection(spec.address, {
      protocol: protocolOf(this.options),
      tls: this.options.tls,
      connectTimeout: connect_timeout,
      keepAlive: tcp_keepalive === 1,
      stale: this.options.staleConnection ?? 'fail',
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

/** @throws TypeError, OverflowError as the C constructor does (spec/pylibmc §2.2) */
function checkCredentials({ binary = false, username, password }: ClientOptions): void {
  if (typeof binary !== 'boolean' && typeof binary !== 'number')
    throw new TypeError(`'${typeName(binary)}' object cannot be interpreted as an integer`)
  const byte = integer(binary, 'binary')
  if (byte < 0 || byte > 255) throw new OverflowError(`binary ${byte} does not fit an unsigned byte`)
  for (const credential of [username, password]) {
    if (credential !== undefined && credential !== null && typeof credential !== 'string')
      throw new TypeError(`username and password must be text, not ${typeName(credential)}`)
  }
  if ((username === undefined) !== (password === undefined)) {
    throw new TypeError('SASL requires both username and password')
  }
  if (username !== undefined && !binary) throw new TypeError('SASL requires the memcached binary protocol')
}

const textProtocols = { text: textProtocol, meta: metaProtocol, auto: autoProtocol } as const

/** One per connection: the binary protocol numbers its requests. */
function protocolOf({ binary, protocol = 'text', username, password }: ClientOptions): Protocol {
  if (!binary) return textProtocols[protocol]
  return binaryProtocol(username === undefined || password === undefined ? undefined : { username, password })
}

/** @throws ValueError naming the option and what it may be */
function checkChoices({ timeout, negativeTimeout, staleConnection, protocol, binary }: ClientOptions): void {
  if (protocol !== undefined && !(protocol in textProtocols))
    throw new ValueError(`protocol '${protocol}' is not one of ${Object.keys(textProtocols).join(', ')}`)
  if (protocol !== undefined && binary) throw new ValueError(`protocol '${protocol}' is not binary`)
  if (timeout !== undefined && !(timeout > 0 && timeout < 2 ** 31))
    throw new ValueError(`timeout ${timeout} is not a number of milliseconds above 0`)
  if (negativeTimeout !== undefined && !['zero', 'send'].includes(negativeTimeout))
    throw new ValueError(`negativeTimeout '${negativeTimeout}' is not one of zero, send`)
  if (staleConnection !== undefined && !['fail', 'reopen'].includes(staleConnection))
    throw new ValueError(`staleConnection '${staleConnection}' is not one of fail, reopen`)
}
