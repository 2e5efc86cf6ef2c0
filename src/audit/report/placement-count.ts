/** The servers of a trace's keys under both placements: the share that moves, and the load of each server. */
import type { AuditedOperation } from '../compare/differ.js'

/** Accesses of calls with one key, by server. */
export interface PlacementReport {
  /** Accesses by index of the server. */
  readonly before: readonly number[]
  readonly after: readonly number[]
  /** The accesses to keys that are on another server. */
  readonly moved: number
  readonly accesses: number
}

export class PlacementCount {
  private readonly before: number[] = []
  private readonly after: number[] = []
  private moved = 0
  private accesses = 0

  add({ keys, servers, sourceServer, moved }: AuditedOperation): void {
    const [server] = servers
    if (keys.length !== 1 || sourceServer === undefined || server === undefined) return
    this.accesses++
    if (moved) this.moved++
    this.before[sourceServer] = (this.before[sourceServer] ?? 0) + 1
    this.after[server] = (this.after[server] ?? 0) + 1
  }

  /** Undefined if there is only one server. */
  result(servers: number): PlacementReport | undefined {
    if (servers < 2 || this.accesses === 0) return undefined
    const whole = (counts: readonly number[]) =>
      Array.from({ length: servers }, (_, index) => counts[index] ?? 0)
    return {
      before: whole(this.before),
      after: whole(this.after),
      moved: this.moved,
      accesses: this.accesses,
    }
  }
}
