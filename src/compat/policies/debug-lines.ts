/** python-memcached's log lines. Source: docs/reference/python-memcached.md#4, #16.2. */

import type { Modes, Server } from '../../pipeline/slots.js'
import type { Request } from '../../protocol/requests.js'
import type { Reply } from '../../protocol/wire.js'
import { bytesRepr, byteTextRepr } from '../../python/repr.js'
import { TransportError } from '../../transport/errors.js'
import type { Exchange, ExchangeOptions, Peer, Receiver } from '../../transport/types.js'
import type { Emulation } from '../emulation/emulation.js'

/** `inet:host:port`, `inet6:[addr]:port`, `unix:path`, and the time until which it counts as dead: seconds, 0 for a server that is up. */
export function hostName({ address }: Pick<Server, 'address'>, deadUntil: number): string {
  const dead = deadUntil === 0 ? '' : ` (dead until ${Math.trunc(deadUntil)})`
  if (address.transport === 'unix') return `unix:${address.path}${dead}`
  const host = address.family === 6 ? `inet6:[${address.host}]` : `inet:${address.host}`
  return `${host}:${address.port}${dead}`
}

/** The reason why a server counts as dead. */
export function reason(error: Error): string {
  if (!(error instanceof TransportError)) return error.message
  if (error.kind === 'closed') return 'connection closed in readline()'
  if (error.kind === 'timeout') return 'timed out'
  if (error.kind === 'reset') return '[Errno 104] Connection reset by peer'
  const connecting = error.kind === 'connect-timeout' ? 'timed out' : error.message
  return `connect: ${error.code === 'ECONNREFUSED' ? '[Errno 111] Connection refused' : connecting}`
}

/** Modes of operations whose replies python-memcached does not log. */
export interface QuietModes extends Modes {
  readonly quiet: true
}

/** Writes a line for each reply that the command did not expect. */
export class LoggedExchange implements Exchange {
  constructor(
    readonly inner: Exchange,
    private readonly emulation: Emulation,
  ) {}

  get state(): Exchange['state'] {
    return this.inner.state
  }

  get ended(): boolean | undefined {
    return this.inner.ended
  }

  get wasReset(): boolean | undefined {
    return this.inner.wasReset
  }

  get peer(): Peer | undefined {
    return this.inner.peer
  }

  exchange(request: Request, options?: ExchangeOptions): Promise<Reply>
  exchange<T>(request: Request, options: ExchangeOptions | undefined, receiver: Receiver<T>): Promise<T>
  exchange<T>(request: Request, options?: ExchangeOptions, receiver?: Receiver<T>): Promise<T | Reply> {
    return this.inner.exchange<T | Reply>(request, options, {
      reply: (reply) => {
        if (reply.type === 'line' && !request.noreply && !(options && 'quiet' in options))
          this.judge(request, reply.line)
        return receiver ? receiver.reply(reply) : reply
      },
      failed: (error) => {
        if (receiver) return receiver.failed(error)
        throw error
      },
    })
  }

  private judge(request: Request, line: string): void {
    const { debug, rules } = this.emulation
    const unexpected = (hoped: string): void => {
      if (line !== hoped)
        debug(`while expecting ${byteTextRepr(hoped)}, got unexpected response ${byteTextRepr(line)}`)
    }
    if (request.kind === 'store') unexpected('STORED')
    else if (request.kind === 'flush_all') unexpected('OK')
    // delete_multi, by the blank before its line end.
    else if (request.kind === 'delete' && request.tail !== '') unexpected('DELETED')
    else if (request.kind === 'delete' || request.kind === 'touch') {
      const deletes = rules.missingDelete === 1 ? 'DELETED or NOT_FOUND' : 'DELETED'
      const expected = request.kind === 'touch' ? 'TOUCHED' : deletes
      if (expected.split(' or ').includes(line.trim())) return
      const shown = rules.debugNamesText ? expected : bytesRepr(expected)
      debug(`${request.kind} expected ${shown}, got: ${bytesRepr(line.trim())}`)
    }
  }

  connect(options?: ExchangeOptions): Promise<void> {
    return this.inner.connect(options)
  }

  close(quit?: boolean): void {
    this.inner.close(quit)
  }
}
