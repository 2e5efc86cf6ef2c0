/**
 * pylibmc's pools. Source: docs/reference/pylibmc.md#12.
 *
 * One client is enough for a Node process: it pipelines all calls that are made at the same time over one connection per server. Pools are
 * for code ported from Python, and for connections that must not wait behind others (docs/strict.md).
 */
import { brandAll } from '../ground/brand.js'
import { ValueError } from '../python/errors.js'
import { checkOptionNames } from '../python/options.js'
import { shownAsPython } from '../python/shown.js'
import type { Client } from './client.js'

/** A client that is reserved until it is given back. `using` gives it back at the end of the block. */
export interface Reservation<C> extends Disposable {
  readonly client: C
  release(): void
}

/** `queue.Empty`: no client is free. */
export class PoolEmpty extends Error {
  override readonly name = 'PoolEmpty'
  readonly python = '_queue.Empty'
}

/** The largest number of clients that can be added at once. Each has its own connections. */
const MOST_CLIENTS = 65_536

/** Whether a reservation waits for a client, and how long (seconds, as in Python's queues). */
export interface ReserveOptions {
  /** Wait until a client is free. Default false: PoolEmpty at once. */
  readonly block?: boolean | undefined
  /** Longest wait in seconds; default without limit. pylibmc does not have it. */
  readonly timeout?: number | undefined
}

/** A fixed number of clones, reserved first in, first out (docs/reference/pylibmc.md#12). */
export class ClientPool<C extends Client = Client> {
  private readonly free: C[] = []
  private readonly waiting: ((client: C) => void)[] = []

  /** @param mc cloned `slots` times; not in the pool itself @throws ValueError for a negative number */
  constructor(mc?: C, slots = 0) {
    if (mc) this.fill(mc, slots)
  }

  /** Clients that are free now. */
  get size(): number {
    return this.free.length
  }

  /** Adds clones of a client. @throws ValueError unless `count` is an integer from 0 to 65,536 */
  fill(mc: C, count: number): void {
    if (!Number.isInteger(count) || count < 0 || count > MOST_CLIENTS)
      throw new ValueError(`a pool of ${shownAsPython(count)} clients is not possible: 0 to ${MOST_CLIENTS}`)
    for (let i = 0; i < count; i++) this.put(mc.clone())
  }

  /** Reserves a client until it is released. @throws PoolEmpty when none is free (or becomes free in time); TypeError for unknown options */
  async reserve(options: ReserveOptions = {}): Promise<Reservation<C>> {
    checkOptionNames(options, ['block', 'timeout'])
    const { block = false, timeout } = options
    return reservation(this.free.shift() ?? (await this.next(block, timeout)), (client) => this.put(client))
  }

  /** Runs `work` with a reserved client, which is released also after an exception. @throws PoolEmpty; errors of `work` */
  async use<T>(work: (client: C) => Promise<T> | T, options?: ReserveOptions): Promise<T> {
    const { client, release } = await this.reserve(options)
    try {
      return await work(client)
    } finally {
      release()
    }
  }

  /** Closes the connections of all clients that are free. */
  disconnectAll(): void {
    for (const client of this.free) client.disconnectAll()
  }

  private put(client: C): void {
    const next = this.waiting.shift()
    if (next) next(client)
    else this.free.push(client)
  }

  private next(block: boolean, timeout: number | undefined): Promise<C> {
    if (!block) return Promise.reject(new PoolEmpty('no client is free'))
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const take = (client: C) => {
        clearTimeout(timer)
        resolve(client)
      }
      this.waiting.push(take)
      if (timeout === undefined) return
      timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(take), 1)
        reject(new PoolEmpty(`no client became free within ${timeout} s`))
      }, timeout * 1000)
    })
  }
}

/**
 * A client per thread: clones of `master`, made when needed. A second reservation before the first is given back gets a clone of
 * its own, and the last one given back is kept. Clients cannot go from one worker thread to another: give each its pool.
 */
export class ThreadMappedPool<C extends Client = Client> {
  private readonly clients = new Map<number, C>()

  constructor(readonly master: C) {}

  /** The id of the current thread. */
  get currentKey(): number {
    // Not an import: few programs have pools, and every program that starts would load the module.
    return process.getBuiltinModule('node:worker_threads').threadId
  }

  /** The client of this thread, or a clone of the master; ends with `release` or `using` (docs/reference/pylibmc.md#12). */
  reserve(): Reservation<C> {
    const key = this.currentKey
    const client = this.clients.get(key) ?? this.master.clone()
    this.clients.delete(key)
    return reservation(client, (given) => this.clients.set(key, given))
  }

  /** Takes this thread's client out of the pool. @returns it, or undefined when there is none */
  relinquish(): C | undefined {
    const client = this.clients.get(this.currentKey)
    this.clients.delete(this.currentKey)
    return client
  }
}

function reservation<C>(client: C, giveBack: (client: C) => void): Reservation<C> {
  let held = true
  const release = () => {
    if (!held) return
    held = false
    giveBack(client)
  }
  return { client, release, [Symbol.dispose]: release }
}

brandAll('strict', { ClientPool, PoolEmpty, ThreadMappedPool })
