/** Announces each key that python-memcached's placement puts on another server than pylibmc would. */

import type { Bytes } from '../../ground/bytes.js'
import type { Placement, PythonMemcachedPlacement } from '../../hashing/index.js'
import type { KeyHash } from '../../hashing/python-memcached.js'
import type { Operation } from '../../pipeline/operations.js'
import type { Selection, Server } from '../../pipeline/slots.js'
import type { TransportError } from '../../transport/errors.js'
import type { Announcer } from '../divergence/divergence.js'

export class PlacementWatch implements Selection {
  constructor(
    readonly inner: Selection,
    private readonly buckets: PythonMemcachedPlacement,
    private readonly pylibmc: Placement,
    private readonly announcer: Announcer,
  ) {}

  get servers(): readonly Server[] {
    return this.inner.servers
  }

  pick(key: Bytes, operation: Operation, hash?: KeyHash): Server | Promise<Server> {
    if (this.announcer.active) this.compare(key, operation, hash)
    return this.inner.pick(key, operation, hash)
  }

  private compare(key: Bytes, operation: Operation, hash: KeyHash | undefined): void {
    const own = hash === undefined ? this.buckets.place(key) : this.buckets.index(BigInt(hash))
    const other = this.pylibmc.place(key)
    if (own === undefined || own === other) return
    this.announcer.announce('hashing', {
      operation,
      key,
      server: this.servers[own]!.name,
      compat: `on ${this.servers[own]!.name}`,
      strict: `on ${this.servers[other]!.name}`,
    })
  }

  admit(server: Server, operation: Operation, key?: Bytes): void | Promise<void> {
    return this.inner.admit(server, operation, key)
  }

  async connect(...how: Parameters<NonNullable<Selection['connect']>>): Promise<void> {
    await this.inner.connect?.(...how)
  }

  place(key: Bytes): number {
    return this.inner.place(key)
  }

  succeeded(server: Server): void {
    this.inner.succeeded(server)
  }

  failed(server: Server, error: TransportError, operation: Operation, key: Bytes | undefined): Error {
    return this.inner.failed(server, error, operation, key)
  }

  disconnectAll(): void {
    this.inner.disconnectAll()
  }
}
