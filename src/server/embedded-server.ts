/** A memcached 1.6.18 in this process, on a real socket. Differences from the real one: docs/server.md. */
import { checkObject, shown } from '../ground/arguments.js'
import { Front, type ListenOptions } from './front.js'
import { Fronted } from './fronted.js'
import { respond } from './respond.js'
import { type Exchange, serve } from './session.js'
import { largestItem } from './slabs.js'
import { Store } from './store.js'

/** Where the server listens, its clock and its memory. */
export interface EmbeddedServerOptions extends ListenOptions {
  /** Unix time in seconds, for expiry. Default: the system's. */
  readonly clock?: () => number
  /** Memory for items in MiB, as memcached's -m. Default 64. */
  readonly memory?: number
  /** false: storing fails when memory is full, as memcached's -M. Default true: old items are evicted. */
  readonly evict?: boolean
  /** Called with each request and what was sent back for it. */
  readonly record?: (exchange: Exchange) => void
}

/** MiB. */
const MOST_MEMORY = 1024 * 1024

/** A memcached 1.6.18 in this process, on a real socket (docs/server.md). */
export class EmbeddedServer extends Fronted {
  protected readonly front: Front
  private store: Store
  private connections = 0

  /** @throws RangeError when `memory` is no number of MiB from 1; TypeError when path and port are both given */
  constructor(private readonly options: EmbeddedServerOptions = {}) {
    super()
    checkObject('options', options)
    const { memory = 64, clock, record } = options
    if (clock !== undefined && typeof clock !== 'function')
      throw new TypeError(`clock is ${shown(clock)}, not a function`)
    if (record !== undefined && typeof record !== 'function')
      throw new TypeError(`record is ${shown(record)}, not a function`)
    if (!Number.isInteger(memory) || memory < 1 || memory > MOST_MEMORY) {
      throw new RangeError(`memory is ${shown(memory)}, not a whole number of MiB from 1 to ${MOST_MEMORY}`)
    }
    this.store = this.newStore()
    this.front = new Front(options, (socket) => {
      this.store.counters.total_connections++
      serve(socket, {
        number: this.connections++,
        longestKept: largestItem,
        answerer: { answer: (frame) => respond(this.store, frame, this.environment()) },
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

  /** As new: no items, counters and CAS uniques from the start. */
  clear(): void {
    this.store = this.newStore()
  }

  private newStore(): Store {
    const { clock = () => Date.now() / 1000, memory = 64, evict = true } = this.options
    return new Store({ clock, evict, memory: memory * 1024 * 1024 })
  }

  private environment() {
    return {
      connections: this.front.sockets.size,
      host: this.front.host,
      port: this.front.listeningPort,
      evict: this.options.evict ?? true,
      ...(this.options.path === undefined ? {} : { path: this.options.path }),
    }
  }
}

/** A server that listens already. @throws as the constructor and `start` */
export async function startServer(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  return new EmbeddedServer(options).start()
}
