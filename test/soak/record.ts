/** What came of a soak: counts, and everything that must not be. */
export interface SoakReport {
  readonly seed: number
  readonly seconds: number
  readonly operations: number
  readonly failed: number
  readonly faults: { readonly [kind: string]: number }
  readonly parties: { readonly [name: string]: { readonly done: number; readonly failed: number } }
  readonly errors: { readonly [name: string]: number }
  /** MiB after a garbage collection, along the way. */
  readonly heap: readonly number[]
  readonly violations: readonly string[]
  readonly violationsInAll: number
}

const violationsKept = 20

export class Record {
  private readonly parties = new Map<string, { done: number; failed: number }>()
  private readonly errors = new Map<string, number>()
  private readonly faults = new Map<string, number>()
  private readonly violations: string[] = []
  private violated = 0
  readonly heap: number[] = []

  done(party: string, _operation: string): void {
    this.of(party).done++
  }

  failed(party: string, error: unknown): void {
    this.of(party).failed++
    const name = error instanceof Error ? error.name : String(error)
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1)
  }

  fault(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1)
  }

  violation(party: string, problem: string): void {
    this.violated++
    if (this.violations.length < violationsKept) this.violations.push(`${party}: ${problem}`)
  }

  report(seed: number, seconds: number): SoakReport {
    const rows = [...this.parties.values()]
    return {
      seed,
      seconds,
      operations: rows.reduce((sum, row) => sum + row.done + row.failed, 0),
      failed: rows.reduce((sum, row) => sum + row.failed, 0),
      faults: Object.fromEntries(this.faults),
      parties: Object.fromEntries(this.parties),
      errors: Object.fromEntries(this.errors),
      heap: this.heap,
      violations: this.violations,
      violationsInAll: this.violated,
    }
  }

  private of(party: string): { done: number; failed: number } {
    const row = this.parties.get(party) ?? { done: 0, failed: 0 }
    this.parties.set(party, row)
    return row
  }
}
