/**
 * python-memcached's way to a server: the bucket of the key's hash, and up to nine re-hashes when servers there are dead.
 * Sources: spec/python-memcached §6.4, §7.
 */
import { type PythonMemcachedPlacement, SERVER_RETRIES } from '../hashing/index.js'
import { pythonMemcachedDialect } from '../protocol/dialects.js'
import * as requests from '../protocol/requests.js'
import type { Bytes } from '../protocol/wire.js'
import { ConnectionError, type Operation, type Selection, type Server, ServerDown } from '../strict/index.js'
import { errorOf } from '../strict/selection.js'
import { TransportError } from '../transport/errors.js'
import type { Announcer } from './divergence.js'

export interface ProbingSettings {
  /** Seconds that a failed server is left alone. */
  readonly deadRetry: number
  /** Send flush_all on the first connection after a server was dead. */
  readonly flushOnReconnect: boolean
  /** Milliseconds for one connection attempt. */
  readonly timeout: number
}

interface Host {
  /** Seconds; 0 = alive. */
  deadUntil: number
  flushNext: boolean
}

export class ProbingSelection implements Selection {
  private readonly hosts: Host[]

  constructor(
    readonly servers: readonly Server[],
    private readonly placement: PythonMemcachedPlacement,
    private readonly settings: ProbingSettings,
    /** Seconds. */
    private readonly now: () => number,
    private readonly announcer: Announcer,
    private readonly log: (line: string) => void,
  ) {
    this.hosts = servers.map(() => ({ deadUntil: 0, flushNext: false }))
  }

  place(key: Bytes): number {
    return this.placement.index(this.placement.hash(key)) ?? 0
  }

  pick(key: Bytes, operation: Operation, hash?: bigint): Server | Promise<Server> {
    const first = hash ?? this.placement.hash(key)
    const index = this.placement.index(first)
    if (index === undefined)
      throw new ServerDown('no server has a weight', { operation, key, code: ServerDown.retcode })
    const server = this.servers[index]!
    return server.exchange.state === 'ready' ? server : this.probe(key, operation, first)
  }

  private async probe(key: Bytes, operation: Operation, first: bigint): Promise<Server> {
    let hash = first
    let failure: { server: Server; error: TransportError } | undefined
    for (let probe = 0; probe < SERVER_RETRIES; probe++) {
      const server = this.servers[this.placement.index(hash)!]!
      try {
        if (await this.usable(server)) {
          if (probe > 0) this.wentOn(key, operation, first, server, failure?.error)
          return server
        }
      } catch (error) {
        if (!(error instanceof TransportError)) throw error
        failure ??= { server, error }
      }
      hash = this.placement.rehash(hash, probe)
    }
    if (failure) throw errorOf(failure.error, failure.server, operation, key)
    const server = this.servers[this.placement.index(first)!]!
    this.announcer.announce('failover', {
      operation,
      key,
      server: server.name,
      compat: `${server.name} counts as dead`,
      strict: 'asks it again when retry_timeout is over',
    })
    throw new ServerDown(`no server: ${server.name} and the others are dead`, {
      operation,
      key,
      server: server.name,
    })
  }

  private wentOn(
    key: Bytes,
    operation: Operation,
    first: bigint,
    server: Server,
    error: TransportError | undefined,
  ): void {
    if (!this.announcer.active) return
    const dead = this.servers[this.placement.index(first)!]!
    this.announcer.announce('failover', {
      operation,
      key,
      server: dead.name,
      compat: `goes on to ${server.name}`,
      strict: error ? `raises ${ConnectionError.name} (3)` : `raises ${ServerDown.name} (47)`,
      error,
    })
  }

  /** Connects when needed. @throws TransportError when that fails; the server is then dead */
  private async usable(server: Server): Promise<boolean> {
    const host = this.hosts[server.index]!
    if (server.exchange.state === 'ready') return true
    if (host.deadUntil > 0) {
      if (host.deadUntil > this.now()) return false
      host.deadUntil = 0
    }
    try {
      await server.exchange.connect({ timeout: this.settings.timeout })
      if (host.flushNext) {
        await server.exchange.exchange(requests.flushAll(pythonMemcachedDialect), {
          timeout: this.settings.timeout,
        })
        host.flushNext = false
      }
    } catch (error) {
      this.markDead(server, error as Error)
      throw error
    }
    return true
  }

  private markDead(server: Server, error: Error): void {
    const host = this.hosts[server.index]!
    host.deadUntil = this.now() + this.settings.deadRetry
    if (this.settings.flushOnReconnect) host.flushNext = true
    this.log(`MemCache: ${server.name}: ${error.message}.  Marking dead.`)
  }

  async admit(server: Server, operation: Operation): Promise<void> {
    let failure: unknown
    try {
      if (await this.usable(server)) return
    } catch (error) {
      failure = error
    }
    if (failure instanceof TransportError) throw errorOf(failure, server, operation, undefined)
    throw new ServerDown(`${server.name} is dead`, { operation, server: server.name })
  }

  succeeded(): void {}

  failed(server: Server, error: TransportError, operation: Operation, key: Bytes | undefined): Error {
    // Statistics and flush_all let timeouts and resets out without marking the server.
    const spares = (operation === 'flushAll' || operation === 'getStats') && error.kind !== 'closed'
    if (error.kind !== 'aborted' && !spares) this.markDead(server, error)
    return errorOf(error, server, operation, key)
  }

  disconnectAll(): void {
    for (const { exchange } of this.servers) exchange.close()
  }

  /** Seconds; 0 = alive. */
  deadUntil(server: Server): number {
    return this.hosts[server.index]!.deadUntil
  }

  /** Clears all dead marks; a pending flush stays pending. */
  forgetDeadHosts(): void {
    for (const host of this.hosts) host.deadUntil = 0
  }
}
