/**
 * Shadow mode: every operation of a compat client is made by a strict client as well, later and aside, and outcomes that differ
 * are published. The caller gets the primary's outcome and waits for nothing else; in its own turn there is only a copy of what it
 * may change (snapshot.ts).
 */
import { channel } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import { notify } from '../../ground/observers.js'
import type { Client as StrictClient } from '../../strict/index.js'
import { describe } from '../../values/index.js'
import { raises } from './divergence.js'
import { type Snapshot, snapshotOf, TooLarge } from './snapshot.js'

/** Which calls are repeated on the shadow, and what becomes of mismatches. */
export interface ShadowOptions {
  /**
   * Also repeat writes. Only when the strict client writes elsewhere: to servers of its own, or under the behavior `namespace`.
   * Default false: reads only.
   */
  readonly writes?: boolean
  /** Share of operations that are repeated, 0 to 1. Default 1. */
  readonly sampleRate?: number
  /** Most operations that wait to be repeated; further ones are left out and counted. Default 1000. */
  readonly maxQueue?: number
  /**
   * Largest value that is compared, or written again: elements, keys and values of everything inside, and kilobytes of bytes. It is
   * copied while the caller waits; an operation with a larger one is left out and counted. Text of any length is one part and is
   * not copied. Default 2000, whose copy takes about a millisecond at most.
   */
  readonly maxParts?: number
  /** Most operations repeated at the same time. Default 8. */
  readonly concurrency?: number
  /** From 0 up to 1, for tests. Default Math.random. */
  readonly random?: () => number
}

/** What differs: one raised, one is true and the other is not, values, or only how the same is spelled (1 and true). */
export type MismatchKind = 'raises' | 'truth' | 'value' | 'spelling'

/** A call whose outcome in the shadow was another one. */
export interface Mismatch {
  readonly kind: MismatchKind
  /** The method. */
  readonly operation: string
  /** The key or keys, as given. */
  readonly key: unknown
  /** Short descriptions of both outcomes. */
  readonly compat: string
  readonly strict: string
}

/** How many calls were compared, and how many differed. */
export interface ShadowCounts {
  readonly compared: number
  readonly mismatches: number
  /** Left out because too many were waiting, or because the value cannot be compared. */
  readonly dropped: number
  /** Left out because of a value over `maxParts`. */
  readonly large: number
}

/** Channel `memshim:mismatch` of node:diagnostics_channel: the mismatches of every shadowed client. */
export const mismatchChannel = channel('memshim:mismatch')

/** Methods that change nothing. */
const READS: ReadonlySet<string> = new Set(['get', 'getMulti'])

type Outcome = { readonly value: Snapshot } | { readonly error: unknown }

/** Makes the call on the strict client. */
export type Repeat = (client: StrictClient) => Promise<unknown>

interface Task {
  readonly operation: string
  readonly key: unknown
  readonly primary: Outcome
  readonly repeat: Repeat
}

export class Shadow {
  private readonly queue: Task[] = []
  private running = 0
  private readonly counted = { compared: 0, mismatches: 0, dropped: 0, large: 0 }
  private readonly options: Required<ShadowOptions>

  /** @throws RangeError for numbers out of range */
  constructor(
    private readonly client: StrictClient,
    private readonly emitter: EventEmitter<{ mismatch: [Mismatch] }>,
    options: ShadowOptions = {},
  ) {
    this.options = {
      writes: options.writes ?? false,
      sampleRate: inRange('sampleRate', options.sampleRate ?? 1, 0, 1),
      maxQueue: inRange('maxQueue', options.maxQueue ?? 1000, 0, Number.MAX_SAFE_INTEGER),
      maxParts: inRange('maxParts', options.maxParts ?? 2000, 1, Number.MAX_SAFE_INTEGER),
      concurrency: inRange('concurrency', options.concurrency ?? 8, 1, 1024),
      random: options.random ?? Math.random,
    }
  }

  get counts(): ShadowCounts {
    return { ...this.counted }
  }

  /**
   * @param prepare how to repeat it: asked at once, and only when it is to be repeated
   * @returns the primary's own promise, untouched
   */
  follow<T>(
    operation: string,
    key: unknown,
    primary: Promise<T>,
    prepare: (keep: (value: unknown) => Snapshot) => Repeat,
  ): Promise<T> {
    const { writes, sampleRate, maxParts, random } = this.options
    if ((!writes && !READS.has(operation)) || (sampleRate < 1 && random() >= sampleRate)) return primary
    if (this.full()) return primary
    const keep = (value: unknown): Snapshot => snapshotOf(value, maxParts)
    const repeat = this.unless(() => prepare(keep))
    if (!repeat) return primary
    primary.then(
      (value) => this.enqueue(operation, key, () => ({ value: keep(value) }), repeat),
      (error: unknown) => this.enqueue(operation, key, () => ({ error }), repeat),
    )
    return primary
  }

  private enqueue(operation: string, key: unknown, outcome: () => Outcome, repeat: Repeat): void {
    if (this.full()) return
    const primary = this.unless(outcome)
    if (!primary) return
    this.queue.push({ operation, key, primary, repeat })
    if (this.running < this.options.concurrency) void this.work()
  }

  private full(): boolean {
    const full = this.queue.length >= this.options.maxQueue
    if (full) this.counted.dropped++
    return full
  }

  /** A value that cannot be written down (an unpickler may return anything) cannot be compared either. */
  private unless<T>(taken: () => T): T | undefined {
    try {
      return taken()
    } catch (error) {
      if (error instanceof TooLarge) this.counted.large++
      else this.counted.dropped++
      return undefined
    }
  }

  private async work(): Promise<void> {
    this.running++
    // Not in the caller's turn: what it does next comes first.
    await new Promise<void>((resolve) => setImmediate(resolve))
    for (let task = this.queue.shift(); task; task = this.queue.shift()) await this.compare(task)
    this.running--
  }

  private async compare({ operation, key, primary, repeat }: Task): Promise<void> {
    let strict: Outcome
    try {
      const value = await repeat(this.client)
      const taken = this.unless(() => snapshotOf(value, Number.POSITIVE_INFINITY))
      if (!taken) return
      strict = { value: taken }
    } catch (error) {
      strict = { error }
    }
    const kind = this.unless(() => difference(primary, strict) ?? 'none')
    if (!kind) return
    this.counted.compared++
    if (kind === 'none') return
    this.counted.mismatches++
    const mismatch = { kind, operation, key, compat: shown(primary), strict: shown(strict) }
    mismatchChannel.publish(mismatch)
    notify(this.emitter, 'mismatch', mismatch)
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.running > 0 || this.queue.length > 0)
      await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

function shown(outcome: Outcome): string {
  return 'error' in outcome ? raises(outcome.error) : describe(outcome.value.again())
}

/** @throws what a value has against being compared */
function difference(compat: Outcome, strict: Outcome): MismatchKind | undefined {
  if ('error' in compat || 'error' in strict)
    return 'error' in compat && 'error' in strict && shown(compat) === shown(strict) ? undefined : 'raises'
  if (compat.value.equals(strict.value)) return undefined
  const values = [compat.value.again() ?? null, strict.value.again() ?? null]
  const truths = values.map((value) => value !== null && value !== false && value !== 0)
  if (truths[0] !== truths[1]) return 'truth'
  const successes = values.every((value) => value === true || value === 1)
  return !truths[0] || successes ? 'spelling' : 'value'
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new RangeError(`${name} is ${value}, not a number from ${least} to ${most}`)
}
