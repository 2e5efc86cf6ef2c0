/** The servers of the traced application as servers of the audit: by position of first appearance (docs/formats.md). */
import { type TracedServer, TraceError } from '../traces/trace.js'

/** A server of the audit's fleets, with the weight the application gave it. */
export interface Placed {
  readonly index: number
  readonly weight?: number
  /** As the application wrote it; absent if the audit chose the servers. */
  readonly name?: string
}

export class Topology {
  private readonly seen = new Map<string, number>()

  /**
   * @param size servers of each fleet
   * @param replaced true when the size is the user's choice: then every client gets all of these servers
   */
  constructor(
    readonly size: number,
    private readonly replaced: boolean,
  ) {}

  all(): readonly Placed[] {
    return Array.from({ length: this.size }, (_, index) => ({ index }))
  }

  /** @throws TraceError when there are more servers than the header says */
  map(servers: readonly TracedServer[], line: number, source: string): readonly Placed[] {
    if (this.replaced) return this.all()
    return servers.map((spec) => {
      const [name, weight] = typeof spec === 'string' ? [spec, undefined] : spec
      let index = this.seen.get(name)
      if (index === undefined) {
        index = this.seen.size
        if (index >= this.size) {
          const problem = `"${name}" is server number ${index + 1}, but the header says "servers": ${this.size}`
          throw new TraceError(source, line, 'new.servers', problem)
        }
        this.seen.set(name, index)
      }
      return weight === undefined ? { index, name } : { index, weight, name }
    })
  }
}
