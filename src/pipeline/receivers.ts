/** Handlers of replies: each one reports the result of the exchange to the selection, and turns the reply into the outcome of the operation. */

import type { Bytes } from '../ground/bytes.js'
import type { ItemTaker } from '../protocol/requests.js'
import type { ItemsReply, LineReply, LineStatus, Reply } from '../protocol/wire.js'
import type { TransportError } from '../transport/errors.js'
import type { Receiver } from '../transport/types.js'
import { CacheMiss } from './failures/errors.js'
import type { Operation } from './operations.js'
import { isExpected, softOutcome } from './replies.js'
import type { Modes, Selection, Server, Slots } from './slots.js'

export abstract class ReplyHandler<T> implements Receiver<T> {
  constructor(
    private readonly selection: Selection,
    protected readonly server: Server,
    readonly operation: Operation,
    readonly key: Bytes | undefined,
    /** Turns an error into a result; without it the error is thrown. */
    public failure?: Modes['failed'],
  ) {}

  reply(reply: Reply): T {
    const { selection, server } = this
    selection.succeeded(server)
    const line = reply.type === 'line' ? reply : reply.end
    if (line.status !== this.usual && !isExpected(line, this.operation)) server.exchange.close(false)
    if (this.failure === undefined) return this.outcome(reply)
    try {
      return this.outcome(reply)
    } catch (error) {
      return this.failure(error, this.operation, this.key) as T
    }
  }

  /** The most frequent status of the reply. */
  protected abstract get usual(): LineStatus | undefined

  protected abstract outcome(reply: Reply): T

  failed(error: TransportError): T {
    const raised = this.selection.failed(this.server, error, this.operation, this.key)
    if (this.failure === undefined) throw raised
    return this.failure(raised, this.operation, this.key) as T
  }
}

/** A function turns the reply into the outcome. */
export class AnyReplyHandler<T> extends ReplyHandler<T> {
  constructor(
    selection: Selection,
    server: Server,
    operation: Operation,
    key: Bytes | undefined,
    private readonly take: (reply: Reply, server: Server) => T,
  ) {
    super(selection, server, operation, key)
  }

  protected get usual(): undefined {
    return undefined
  }

  protected outcome(reply: Reply): T {
    return this.take(reply, this.server)
  }
}

/** The value of one key, decoded while the reply is being read. */
export class ValueHandler extends ReplyHandler<unknown> implements ItemTaker {
  readonly textFlags: number
  private error: { readonly thrown: unknown } | undefined

  /**
   * @param wire the key with its namespace
   * @param value the result of a miss
   */
  constructor(
    private readonly slots: Slots,
    server: Server,
    operation: Operation,
    key: Bytes,
    private readonly wire: Bytes,
    private value: unknown,
    failure: Modes['failed'],
  ) {
    super(slots.selection, server, operation, key, failure)
    this.textFlags = slots.textFlags ?? -1
  }

  item(_: number, flags: number, cas: bigint | undefined, data: Buffer | string): void {
    if (typeof data === 'string') {
      this.value = data
      return
    }
    try {
      this.value = this.slots.decode({ key: this.wire, flags, cas, data }, this.operation)
    } catch (error) {
      if (!(error instanceof CacheMiss)) this.error = { thrown: error }
    }
  }

  protected get usual(): 'END' {
    return 'END'
  }

  protected outcome(): unknown {
    if (this.error) throw this.error.thrown
    const { value } = this
    // The reply may be one of many in a frame that is still being read.
    this.value = undefined
    return value
  }
}

/** The values of many keys of one server, decoded while the reply is being read. */
export class ValuesHandler extends ReplyHandler<ItemsReply> implements ItemTaker {
  readonly textFlags: number

  /** @param failures collects errors of decoding */
  constructor(
    private readonly slots: Slots,
    server: Server,
    private readonly wires: readonly Bytes[],
    private readonly found: (index: number, value: unknown) => void,
    private readonly failures: unknown[],
  ) {
    super(slots.selection, server, 'getMulti', undefined)
    this.textFlags = slots.textFlags ?? -1
  }

  item(index: number, flags: number, cas: bigint | undefined, data: Buffer | string): void {
    if (typeof data === 'string') return this.found(index, data)
    let value: unknown
    try {
      value = this.slots.decode({ key: this.wires[index]!, flags, cas, data }, this.operation)
    } catch (error) {
      if (!(error instanceof CacheMiss)) this.failures.push(error)
      return
    }
    this.found(index, value)
  }

  protected get usual(): 'END' {
    return 'END'
  }

  protected outcome(reply: Reply): ItemsReply {
    return reply as ItemsReply
  }
}

/** A store command: stored or refused. */
export class StoreHandler extends ReplyHandler<boolean> {
  constructor(
    selection: Selection,
    server: Server,
    operation: Operation,
    key: Bytes,
    private readonly noreply: boolean,
    failure: Modes['failed'],
  ) {
    super(selection, server, operation, key, failure)
  }

  protected get usual(): 'STORED' {
    return 'STORED'
  }

  protected outcome(reply: Reply): boolean {
    if (this.noreply || (reply as LineReply).status === 'STORED') return true
    return softOutcome(reply as LineReply, this.operation, { key: this.key, server: this.server.name })
  }
}
