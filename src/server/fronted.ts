/** The public interface of embedded server and fault proxy: an address, starting and stopping, faults. */
import type { FaultHere, Front } from './front.js'

export abstract class Fronted {
  protected abstract readonly front: Front

  /** Where clients connect to: `host:port`, `[v6]:port` or the path of the Unix socket. @throws Error before the first start */
  get address(): string {
    return this.front.address
  }

  get port(): number {
    return this.front.listeningPort
  }

  /** Listens; has no effect when it already listens. @throws the system's error when the port is in use */
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

  /** A fault of docs/formats.md; done when it is in effect. An embedded server's items survive it, unlike a restarted server's. @throws FaultError naming the field */
  async fault(fault: FaultHere): Promise<void> {
    await this.front.fault(fault)
  }
}
