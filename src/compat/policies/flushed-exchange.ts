/** The connection of a client with flush_on_reconnect. Source: docs/reference/python-memcached.md#7. */
import type { Request } from '../../protocol/requests.js'
import type { Reply } from '../../protocol/wire.js'
import { AttributeError } from '../../python/errors.js'
import type { TransportError } from '../../transport/errors.js'
import { asIs, type Exchange, type ExchangeOptions, type Peer, type Receiver } from '../../transport/types.js'

/** Notes that the flush of a new connection has closed it: python-memcached takes the server for connected until it sends to it. */
export class FlushedExchange implements Exchange {
  /** The failure of the flush, until the server is connected again. */
  private lost: TransportError | undefined

  constructor(readonly inner: Exchange) {}

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

  lose(error: TransportError): void {
    this.lost = error
  }

  exchange(request: Request, options?: ExchangeOptions): Promise<Reply>
  exchange<T>(request: Request, options: ExchangeOptions | undefined, receiver: Receiver<T>): Promise<T>
  exchange<T>(request: Request, options?: ExchangeOptions, receiver?: Receiver<T>): Promise<T | Reply> {
    const { lost: cause } = this
    if (cause)
      return Promise.reject(new AttributeError("'NoneType' object has no attribute 'sendall'", { cause }))
    return this.inner.exchange<T | Reply>(request, options, (receiver ?? asIs) as Receiver<T | Reply>)
  }

  connect(options?: ExchangeOptions): Promise<void> {
    this.lost = undefined
    return this.inner.connect(options)
  }

  close(quit?: boolean): void {
    this.inner.close(quit)
  }
}
