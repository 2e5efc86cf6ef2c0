/** A memcached in this process, on a real socket. Differences from the real one: docs/server.md. */
import type { Socket } from 'node:net'
import { shown } from '../ground/arguments.js'
import type { DirectSession } from '../protocol/direct-session.js'
import type { Frame } from './commands/framing.js'
import { type Answer, respond } from './commands/respond.js'
import { directSession } from './direct-session.js'
import { checkOptions, Front, type ListenOptions, needs } from './front.js'
import { Fronted } from './fronted.js'
import { type LookAlikeName, lookAlike } from './look-alikes.js'
import { type RecordedExchange, serve } from './session.js'
import { largestItem } from './store/slabs.js'
import { Store } from './store/store.js'
import { defaultVersion, type ServerFacts, serverFacts } from './versions.js'

/** The options of the server: where it listens, its clock and its memory. */
export interface EmbeddedServerOptions extends ListenOptions {
  /** The clock for expiry: Unix time in seconds. Default: the system's. */
  readonly clock?: (() => number) | undefined
  /** Memory for items in MiB, as memcached's -m. Default 64. */
  readonly memory?: number | undefined
  /** Whether old items are evicted when memory is full. false: storing fails, as with memcached's -M. Default true. */
  readonly evict?: boolean | undefined
  /**
   * The version of memcached to emulate, from 1.4.0 on, e.g. `1.6.45`; or a proxy or server that refuses part of the protocol:
   * `twemproxy-0.4`, `mcrouter`, `dragonfly`, `elasticache-serverless`. Default 1.6.18. docs/server.md lists the differences.
   */
  readonly version?: LookAlikeName | (string & {}) | undefined
  /** Called with each request and its reply. */
  readonly record?: ((exchange: RecordedExchange) => void) | undefined
}

/** A memcached in this process, on a real socket (docs/server.md). */
export class EmbeddedServer extends Fronted {
  protected readonly front: Front
  private store: Store
  private readonly facts: ServerFacts
  private connections = 0
  private readonly sessions = new Set<DirectSession>()
  private readonly answer: (frame: Frame) => Answer

  private readonly options: EmbeddedServerOptions

  /**
   * @throws TypeError for an unknown option, one of another type, and for a path beside host or port; RangeError for `memory` and `port` out
   *   of range, and for an unknown version
   */
  constructor(given: EmbeddedServerOptions = {}) {
    super()
    const options = checked(given)
    this.options = options
    const { version = defaultVersion } = options
    const alike = lookAlike(version)
    const facts = serverFacts(alike?.base ?? version)
    this.facts = alike?.says === undefined ? facts : { ...facts, says: alike.says }
    this.store = this.newStore()
    this.answer = (frame) => alike?.refuse(frame) ?? respond(this.store, frame, this.environment())
    this.front = new Front(options, (socket) => {
      this.store.counters.total_connections++
      serve(socket, {
        number: this.connections++,
        longestKept: largestItem,
        facts: this.facts,
        answerer: { answer: this.answer },
        nextFault: () => this.front.nextFault(),
        nextUnread: () => this.front.nextUnread(),
        read: (bytes) => {
          this.store.counters.bytes_read += bytes
        },
        written: (bytes) => {
          this.store.counters.bytes_written += bytes
        },
        ...(options.record ? { record: options.record } : {}),
      })
    })
  }

  /**
   * Opens a connection inside this process, for the option `connect` of the clients. It needs no socket, and the server need not be
   * started. Faults have no effect on it.
   * @returns the client's end
   */
  connect(): Socket {
    return this.front.connect()
  }

  /**
   * Opens a connection without sockets that answers requests within the call.
   * @internal
   */
  session(): DirectSession {
    this.store.counters.total_connections++
    const session: DirectSession = directSession({
      longestKept: largestItem,
      facts: this.facts,
      answer: this.answer,
      read: (bytes) => {
        this.store.counters.bytes_read += bytes
      },
      written: (bytes) => {
        this.store.counters.bytes_written += bytes
      },
      closed: () => this.sessions.delete(session),
    })
    this.sessions.add(session)
    return session
  }

  /**
   * Frees the memory of expired items.
   * @internal
   */
  crawl(): void {
    this.store.crawl()
  }

  override async stop(): Promise<void> {
    for (const session of this.sessions) session.close()
    await super.stop()
  }

  /** Removes all items, and resets counters and CAS uniques. */
  clear(): void {
    this.store = this.newStore()
  }

  private newStore(): Store {
    const { clock = () => Date.now() / 1000, memory = 64, evict = true } = this.options
    return new Store({ clock, evict, memory: memory * 1024 * 1024, facts: this.facts })
  }

  private environment() {
    return {
      connections: this.front.sockets.size + this.sessions.size,
      host: this.front.host,
      port: this.front.listeningPort,
      evict: this.options.evict ?? true,
      facts: this.facts,
      ...(this.options.path === undefined ? {} : { path: this.options.path }),
    }
  }
}

/** MiB. */
const MOST_MEMORY = 1024 * 1024
const names = ['clock', 'memory', 'evict', 'version', 'record'] as const

function checked(given: EmbeddedServerOptions): EmbeddedServerOptions {
  checkOptions(given, names)
  const options = { ...given }
  const { memory = 64 } = options
  if (!Number.isInteger(memory) || memory < 1 || memory > MOST_MEMORY)
    throw new RangeError(`memory is ${shown(memory)}, not a whole number of MiB from 1 to ${MOST_MEMORY}`)
  needs(options, 'clock', 'function')
  needs(options, 'record', 'function')
  needs(options, 'evict', 'boolean')
  needs(options, 'version', 'string')
  return options
}

/** Makes and starts a server. @throws as the constructor and `start` */
export async function startServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  return new EmbeddedServer(options).start()
}
