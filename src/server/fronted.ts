/** The public methods that the embedded server and the fault proxy share: address, start, stop, faults. */
import type { FaultHere, Front } from './front.js'

export abstract class Fronted {
  protected abstract readonly front: Front

  /** The address for clients: `host:port`, `[v6]:port` or the path of the Unix socket. @throws Error before the first start */
  get address(): string {
    return this.front.address
  }

  get port(): number {
    return this.front.listeningPort
  }

  /** Begins to listen. It has no effect if the server already listens. @throws the system's error if the port is in use */
  async start(): Promise<this> {
    await this.front.start()
    return this
  }

  /** Closes every connection and stops listening. The items of an embedded server stay until `clear`. */
  async stop(): Promise<void> {
    await this.front.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Applies a fault of docs/formats.md. The promise is fulfilled when the fault is in effect. The items of an embedded server survive it, unlike those of a restarted server. @throws FaultError that names the field */
  async fault(fault: FaultHere): Promise<void> {
    await this.front.fault(fault)
  }
}
