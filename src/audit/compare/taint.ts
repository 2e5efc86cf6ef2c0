/**
 * Effects of earlier differences: keys whose stored items may differ between the two sides, and servers that
 * one side avoids. Only these may explain a later difference without an announcement; agreement clears them.
 */

/** The cause of a difference: the switches, and the lines of the trace from the first cause on. */
export interface Cause {
  readonly switches: readonly string[]
  readonly lines: readonly number[]
}

/** Chains longer than this keep their beginning and their end. */
const longestChain = 12

export class Taint {
  private readonly keys = new Map<string, Cause>()
  private all: Cause | undefined
  /** Keys that agreed again after `all` was set. */
  private readonly agreed = new Set<string>()
  private readonly health = new Map<string, Cause>()
  private readonly faults = new Map<number, number>()
  private readonly calm = new Map<string, number>()

  key(key: string): Cause | undefined {
    return this.keys.get(key) ?? (this.agreed.has(key) ? undefined : this.all)
  }

  markKey(key: string, cause: Cause): void {
    this.keys.set(key, cause)
  }

  clearKey(key: string): void {
    this.keys.delete(key)
    if (this.all) this.agreed.add(key)
  }

  /** Every key of every server may differ (a flush that reached only some servers on one side). */
  markAll(cause: Cause): void {
    this.all = cause
    this.agreed.clear()
  }

  clearAll(): void {
    this.keys.clear()
    this.all = undefined
    this.agreed.clear()
  }

  /** The client's state of this server may differ between the sides (dead marks, retry waits, closed connections). */
  server(client: string, server: number): Cause | undefined {
    const known = this.health.get(place(client, server))
    if (known) return known
    const fault = this.faults.get(server)
    if (fault === undefined || fault <= (this.calm.get(place(client, server)) ?? 0)) return undefined
    return { switches: ['failover'], lines: [fault] }
  }

  markServer(client: string, server: number, cause: Cause): void {
    this.health.set(place(client, server), cause)
  }

  /** A fault of the trace, at this line: it may hit one side earlier than the other. */
  markFault(server: number, line: number): void {
    this.faults.set(server, line)
  }

  /** Both sides got the same successful answer from this server at this line. */
  clearServer(client: string, server: number, line: number): void {
    this.health.delete(place(client, server))
    this.calm.set(place(client, server), line)
  }
}

function place(client: string, server: number): string {
  return `${server}/${client}`
}

/** The causes together, continued at `line`. */
export function joinCauses(causes: readonly Cause[], line?: number): Cause {
  const switches = [...new Set(causes.flatMap((cause) => cause.switches))]
  const lines = [
    ...new Set([...causes.flatMap((cause) => cause.lines), ...(line === undefined ? [] : [line])]),
  ]
  lines.sort((a, b) => a - b)
  if (lines.length > longestChain) lines.splice(longestChain / 2, lines.length - longestChain)
  return { switches, lines }
}
