/**
 * python-memcached's selection of a server: the bucket of the key's hash, and up to nine re-hashes when those servers are dead.
 * Sources: docs/reference/python-memcached.md#6.4, #7.
 */

import type { Bytes } from '../../ground/bytes.js'
import { type PythonMemcachedPlacement, SERVER_RETRIES } from '../../hashing/index.js'
import type { KeyHash } from '../../hashing/python-memcached.js'
import { ConnectionError, ServerDown } from '../../pipeline/failures/errors.js'
import { errorOf } from '../../pipeline/failures/transport-failures.js'
import type { Operation } from '../../pipeline/operations.js'
import type { Selection, Server } from '../../pipeline/slots.js'
import { connect, exchange } from '../../pipeline/tracing.js'
import * as requests from '../../protocol/requests.js'
import { OverflowError, ZeroDivisionError } from '../../python/errors.js'
import { closeWhenDropped } from '../../transport/dropped.js'
import { TransportError, type TransportErrorKind } from '../../transport/errors.js'
import { asIs } from '../../transport/types.js'
import { Raised } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import { SerialConnection } from '../serial/connection.js'
import { unpacked } from '../serial/unsafe-keys.js'
import { hostName, LoggedExchange, reason } from './debug-lines.js'
import { FlushedExchange } from './flushed-exchange.js'
import { socketError } from './outcomes.js'

const MAX_PORT = 65535

interface Host {
  /** Seconds; 0 = alive. */
  deadUntil: number
  flushNext: boolean
}

export class ProbingSelection implements Selection {
  private readonly hosts: Host[]
  private readonly probes: number
  private readonly flushes: boolean
  /** Keys may have been escaped for a command line. */
  private readonly unpacks: boolean

  constructor(
    readonly servers: readonly Server[],
    private readonly placement: PythonMemcachedPlacement,
    private readonly emulation: Emulation,
  ) {
    this.hosts = servers.map(() => ({ deadUntil: 0, flushNext: false }))
    this.probes = emulation.rules.probes === 'one' ? 1 : SERVER_RETRIES
    this.flushes = emulation.options.flushOnReconnect ?? false
    this.unpacks = emulation.rules.getsOutOfStep
    closeWhenDropped(
      this,
      servers.map((server) => ({ close: () => closeFor(server) })),
    )
  }

  place(key: Bytes): number {
    return this.placement.place(key) ?? 0
  }

  pick(key: Bytes, operation: Operation, hash?: KeyHash): Server | Promise<Server> {
    const { placement } = this
    const name = this.unpacks ? unpacked(key) : key
    const index = hash === undefined ? placement.place(name) : placement.index(BigInt(hash))
    if (index === undefined && this.emulation.rules.emptyPoolRaises)
      throw new ZeroDivisionError('integer division or modulo by zero')
    if (index === undefined)
      throw new ServerDown('no server has a weight', { operation, key, code: ServerDown.retcode })
    const server = this.servers[index]!
    return server.exchange.state === 'ready'
      ? server
      : this.probe(key, operation, hash ?? placement.hash(name))
  }

  private async probe(key: Bytes, operation: Operation, first: KeyHash): Promise<Server> {
    let hash = first
    let failure: { server: Server; error: TransportError } | undefined
    for (let probe = 0; probe < this.probes; probe++) {
      const server = this.servers[this.placement.index(BigInt(hash))!]!
      try {
        if (await this.usable(server, operation)) {
          if (probe > 0) this.wentOn(key, operation, first, server, failure?.error)
          return server
        }
      } catch (error) {
        if (!(error instanceof TransportError)) throw error
        failure ??= { server, error }
      }
      this.mixedUp(key, operation, server)
      hash = this.placement.rehash(hash, probe)
    }
    const other = await this.unprobed(key, operation)
    if (other) return other
    if (failure) throw errorOf(failure.error, failure.server, operation, key)
    const server = this.servers[this.placement.index(BigInt(first))!]!
    this.emulation.announcer.heard?.announce('failover', {
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

  /** 1.55 to 1.57 hash text, and Python 3 needs bytes. @throws TypeError */
  private mixedUp(key: Bytes, operation: Operation, server: Server): void {
    const { announcer, rules } = this.emulation
    if (!rules.mixesText) return
    announcer.heard?.announce('bytes-and-text', {
      operation,
      key,
      server: server.name,
      compat: new Raised('TypeError'),
      strict: 'raises, or asks another server',
    })
    throw new TypeError("a bytes-like object is required, not 'str'")
  }

  /** A server that is up although no probe found it; `probes` says whether it is used. */
  private async unprobed(key: Bytes, operation: Operation): Promise<Server | undefined> {
    const { probes } = this.emulation.rules
    if (probes === 'one') return undefined
    for (const index of this.placement.selectable) {
      const server = this.servers[index]!
      if (this.isDead(server)) continue
      if (probes === 'all') {
        if (await this.usable(server, operation).catch(() => false)) return server
        continue
      }
      this.emulation.announcer.heard?.announce('probe-limit', {
        operation,
        key,
        server: server.name,
        compat: 'finds no server within ten probes',
        strict: 'asks the key’s own server',
      })
      return undefined
    }
    return undefined
  }

  private wentOn(
    key: Bytes,
    operation: Operation,
    first: KeyHash,
    server: Server,
    error: TransportError | undefined,
  ): void {
    const { announcer } = this.emulation
    if (!announcer.active) return
    const dead = this.servers[this.placement.index(BigInt(first))!]!
    announcer.announce('failover', {
      operation,
      key,
      server: dead.name,
      compat: `goes on to ${server.name}`,
      strict: error ? `raises ${ConnectionError.name} (3)` : `raises ${ServerDown.name} (47)`,
      error,
    })
  }

  private isDead({ index }: Server): boolean {
    return this.hosts[index]!.deadUntil > this.emulation.now()
  }

  /** Connects when needed. @throws TransportError when that fails; the server is then dead */
  private async usable(server: Server, operation: Operation): Promise<boolean> {
    if (server.exchange.state === 'ready') return true
    if (this.isDead(server)) return false
    const host = this.hosts[server.index]!
    host.deadUntil = 0
    const { address } = server
    if (address.transport === 'tcp' && address.port > MAX_PORT)
      throw new OverflowError(`${server.name}: port must be 0-65535.`)
    try {
      await connect(server, operation, { timeout: this.emulation.timeout })
    } catch (error) {
      this.markDead(server, error as Error)
      throw error
    }
    if (host.flushNext) await this.flush(server, host)
    return true
  }

  /**
   * After a flush that was answered by the end of the connection the server counts as usable, and what is sent to it raises AttributeError.
   * @throws PythonSocketError (no answer, or a reset)
   */
  private async flush(server: Server, host: Host): Promise<void> {
    const { timeout, rules } = this.emulation
    try {
      await exchange(server, requests.flushAll(rules.dialect), 'flushAll', { timeout }, asIs)
      host.flushNext = false
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      const escaped = socketError(this.emulation, new Error('flush_all', { cause: error }))
      if (escaped) throw escaped
      this.markDead(server, error)
      host.flushNext = false
      const { exchange: flushed } = server
      if (flushed instanceof FlushedExchange) flushed.lose(error)
    }
  }

  private markDead(server: Server, error: Error): void {
    const host = this.hosts[server.index]!
    // The line is written before the mark is set, so that it shows the mark of an earlier failure.
    this.emulation.debug(`MemCache: ${hostName(server, host.deadUntil)}: ${reason(error)}.  Marking dead.`)
    host.deadUntil = this.emulation.now() + this.emulation.deadRetry
    if (this.flushes) host.flushNext = true
    serial(server)?.drop(ending(error))
  }

  async admit(server: Server, operation: Operation): Promise<void> {
    let failure: unknown
    try {
      if (await this.usable(server, operation)) return
    } catch (error) {
      failure = error
    }
    if (failure instanceof TransportError) throw errorOf(failure, server, operation, undefined)
    if (failure !== undefined) throw failure
    throw new ServerDown(`${server.name} is dead`, { operation, server: server.name })
  }

  succeeded(): void {}

  failed(server: Server, error: TransportError, operation: Operation, key: Bytes | undefined): Error {
    // Statistics and flush_all raise timeouts and resets without marking the server.
    const spares = (operation === 'flushAll' || operation === 'getStats') && error.kind !== 'closed'
    // For python-memcached a server with an invalid reply is alive.
    const unmarked = error.kind === 'closed' && this.emulation.rules.closedIsUnmarked
    const alive = unmarked || blameless.has(error.kind)
    if (!alive && !spares && !this.isRepetition(server, error, operation)) this.markDead(server, error)
    else if (unmarked) serial(server)?.drop()
    return errorOf(error, server, operation, key)
  }

  /**
   * One failure ends all requests on a connection, and python-memcached stops at the first. Only in a loop over a closed
   * connection it marks the server once for each missing line, unless its log line raises.
   */
  private isRepetition(server: Server, { kind }: TransportError, operation: Operation): boolean {
    const { debugging, rules } = this.emulation
    const raises = operation === 'deleteMulti' && debugging && rules.debugRaises
    return this.isDead(server) && (kind !== 'closed' || raises)
  }

  disconnectAll(): void {
    for (const server of this.servers) closeFor(server)
  }

  /** Seconds; 0 = alive. */
  deadUntil({ index }: Server): number {
    return this.hosts[index]!.deadUntil
  }

  /** Clears all dead marks; a pending flush stays pending. */
  forgetDeadHosts(): void {
    for (const host of this.hosts) host.deadUntil = 0
  }
}

/** Failures that do not show whether the server is alive. */
const blameless: ReadonlySet<TransportErrorKind> = new Set([
  'aborted', 'overload', 'unintelligible', 'internal',
]) // biome-ignore format: one list

function closeFor(server: Server): void {
  server.exchange.close()
  serial(server)?.drop()
}

/** A connection that has to be closed explicitly when its server is dead, since no event on it closes it. */
function serial({ exchange }: Server): SerialConnection | undefined {
  let inner = exchange
  while (inner instanceof LoggedExchange || inner instanceof FlushedExchange) inner = inner.inner
  return inner instanceof SerialConnection ? inner : undefined
}

function ending(error: Error): 'closed' | 'reset' | 'timeout' {
  const kind = error instanceof TransportError ? error.kind : undefined
  return kind === 'reset' || kind === 'timeout' ? kind : 'closed'
}
