/**
 * Shadow mode: a strict client repeats every operation of a compat client later, in the background, and outcomes that differ
 * are published. The caller gets the compat client's outcome and waits for nothing else; the call itself only copies values that the caller
 * may change later (snapshot.ts).
 */
import { channel } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import { consult, notify } from '../../ground/observers.js'
import { crc32 } from '../../hashing/index.js'
import type { Client as StrictClient } from '../../strict/index.js'
import { describe } from '../../values/index.js'
import { raises } from './divergence.js'
import { type Latency, LatencyCount } from './shadow-latency.js'
import {
  type CheckedShadowOptions,
  checkedShadowOptions,
  type Mismatch,
  type MismatchKind,
  type ShadowOptions,
} from './shadow-options.js'
import { checkState, emptyState, type ShadowState } from './shadow-verdict.js'
import { type Snapshot, sizeOfKeys, snapshotOf, TooLarge } from './snapshot.js'

/** The numbers of compared calls and of differences. */
export interface ShadowCounts {
  readonly compared: number
  readonly mismatches: number
  /** Left out because too many were waiting, because the value cannot be compared, or because a hook threw. */
  readonly dropped: number
  /** Left out because of a value over `maxParts`. */
  readonly large: number
}

/** Channel `memshim:confirmed-mismatch`: mismatches that were found again in every confirmation. */
export const confirmedChannel = channel('memshim:confirmed-mismatch')

/** Channel `memshim:mismatch` of node:diagnostics_channel: the mismatches of every shadowed client. */
export const mismatchChannel = channel('memshim:mismatch')

/** Methods that change nothing. */
const READS: ReadonlySet<string> = new Set(['get', 'getMulti'])

type ObservedOutcome = { readonly value: Snapshot } | { readonly error: unknown }

/** Makes the call on the strict client. */
export type Repeat = (client: StrictClient) => Promise<unknown>

interface Task {
  readonly operation: string
  readonly key: unknown
  readonly primary: ObservedOutcome
  readonly repeat: Repeat
  /** Repeats a read on the compat client; writes have none. */
  readonly control: (() => Promise<unknown>) | undefined
  /** About the bytes of memory that it keeps. */
  readonly size: number
}

/** Reads of both sides in one confirmation. */
const readsAConfirmation = 3
/** Differences of writes that are remembered until they are seen again. */
const seenOnceKept = 1000

export class Shadow {
  private readonly queue: Task[] = []
  private running = 0
  /** About the bytes of memory that the operations of the queue keep, and those that are being repeated. */
  private keptBytes = 0
  /** Operations of the compat client that are not finished. */
  private following = 0
  private readonly counted = { compared: 0, mismatches: 0, dropped: 0, large: 0 }
  private readonly options: CheckedShadowOptions
  /** The counts before this client was made. */
  private readonly earlier: ShadowState
  private readonly gate = { confirmed: 0, races: 0, ignored: 0, controls: 0, noise: 0 }
  private readonly seenOnce: Set<string>
  /** Controls that are still to be made. */
  private due = 0
  private readonly latencies = { compat: new LatencyCount(), strict: new LatencyCount() }

  /** @throws RangeError for numbers out of range; TypeError for unknown options, hooks that are not functions, and an invalid state */
  constructor(
    private readonly client: StrictClient,
    private readonly emitter: EventEmitter<{ mismatch: [Mismatch]; confirmed: [Mismatch] }>,
    options: ShadowOptions = {},
  ) {
    this.options = checkedShadowOptions(options)
    this.earlier = options.state === undefined ? emptyState : checkState(options.state)
    this.seenOnce = new Set(this.earlier.seenOnce)
  }

  get counts(): ShadowCounts {
    return { ...this.counted }
  }

  get state(): ShadowState {
    const { earlier, counted, gate } = this
    return {
      format: earlier.format,
      compared: earlier.compared + counted.compared,
      mismatches: earlier.mismatches + counted.mismatches,
      confirmed: earlier.confirmed + gate.confirmed,
      races: earlier.races + gate.races,
      ignored: earlier.ignored + gate.ignored,
      controls: earlier.controls + gate.controls,
      noise: earlier.noise + gate.noise,
      seenOnce: [...this.seenOnce],
    }
  }

  get latency(): { readonly compat: Latency; readonly strict: Latency } {
    return { compat: this.latencies.compat.result(), strict: this.latencies.strict.result() }
  }

  /**
   * @param prepare gives the function that repeats it: called at once, and only when the operation is repeated
   * @param control repeats a read on the compat client
   * @returns the compat client's own promise, unchanged
   */
  follow<T>(
    operation: string,
    key: unknown,
    primary: Promise<T>,
    prepare: (keep: (value: unknown) => Snapshot) => Repeat,
    control?: () => Promise<unknown>,
  ): Promise<T> {
    if (!this.unless(() => this.chosen(operation, key)) || this.full()) return primary
    const { maxParts } = this.options
    let size = sizeOfKeys(key)
    const keep = (value: unknown): Snapshot => {
      const kept = snapshotOf(value, maxParts)
      size += kept.size
      return kept
    }
    const repeat = this.unless(() => prepare(keep))
    if (!repeat) return primary
    this.following++
    const started = performance.now()
    const ended = (outcome: () => ObservedOutcome) => {
      this.following--
      this.latencies.compat.add(performance.now() - started)
      if (this.full()) return
      const primary = this.unless(outcome)
      if (primary) this.enqueue({ operation, key, primary, repeat, control, size })
    }
    primary.then(
      (value) => ended(() => ({ value: keep(this.cleaned(value, operation, key)) })),
      (error: unknown) => ended(() => ({ error })),
    )
    return primary
  }

  private chosen(operation: string, key: unknown): boolean {
    const { writes, sampleRate, sampleBy, random } = this.options
    if (!writes && !READS.has(operation)) return false
    if (sampleRate >= 1) return true
    return (sampleBy === 'key' ? keyShare(key) : consult('random', random)) < sampleRate
  }

  /** A hook receives the caller's result; its return value is compared. */
  private cleaned(value: unknown, operation: string, key: unknown): unknown {
    const { clean } = this.options
    return clean ? consult('clean', () => clean(value, operation, key)) : value
  }

  private enqueue(task: Task): void {
    if (this.keptBytes + task.size > this.options.maxQueueBytes) {
      this.counted.dropped++
      return
    }
    this.keptBytes += task.size
    this.queue.push(task)
    if (this.running < this.options.concurrency) void this.work()
  }

  private full(): boolean {
    const full = this.queue.length >= this.options.maxQueue
    if (full) this.counted.dropped++
    return full
  }

  /** A value that cannot be encoded (an unpickler may return any value) cannot be compared either. */
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
    // Not in the caller's turn of the event loop, so that the caller continues first.
    await new Promise<void>((resolve) => setImmediate(resolve))
    for (let task = this.queue.shift(); task; task = this.queue.shift()) {
      await this.compare(task)
      this.keptBytes -= task.size
    }
    this.running--
  }

  private async compare(task: Task): Promise<void> {
    const { operation, key, primary } = task
    const started = performance.now()
    const strict = await this.taken(task, () => task.repeat(this.client))
    this.latencies.strict.add(performance.now() - started)
    if (!strict) return
    const kind = this.unless(() => this.difference(task, primary, strict) ?? 'none')
    if (!kind) return
    this.counted.compared++
    if (kind === 'none') {
      await this.measureNoise(task)
      return
    }
    this.counted.mismatches++
    const mismatch = { kind, operation, key, compat: shown(primary), strict: shown(strict) }
    mismatchChannel.publish(mismatch)
    notify(this.emitter, 'mismatch', mismatch)
    if (this.ignored(mismatch)) this.gate.ignored++
    else if (await this.stays(task, strict, mismatch)) {
      this.gate.confirmed++
      confirmedChannel.publish(mismatch)
      notify(this.emitter, 'confirmed', mismatch)
    }
  }

  /** If the hook throws, the mismatch is not ignored. */
  private ignored(mismatch: Mismatch): boolean {
    const { ignore } = this.options
    try {
      return ignore !== undefined && Boolean(consult('ignore', () => ignore(mismatch)))
    } catch {
      return false
    }
  }

  /** The outcome of a call in the compared form; undefined if it cannot be compared. */
  private async taken(
    { operation, key }: Task,
    call: () => Promise<unknown>,
  ): Promise<ObservedOutcome | undefined> {
    let value: unknown
    try {
      value = await call()
    } catch (error) {
      return { error }
    }
    return this.unless(() => ({
      value: snapshotOf(this.cleaned(value, operation, key), Number.POSITIVE_INFINITY),
    }))
  }

  private difference(
    { operation, key }: Task,
    compat: ObservedOutcome,
    strict: ObservedOutcome,
  ): MismatchKind | undefined {
    const { compare } = this.options
    if (compare && 'value' in compat && 'value' in strict) {
      const values = [compat.value.again(), strict.value.again()] as const
      return consult('compare', () => compare(...values, operation, key)) ? undefined : 'value'
    }
    return difference(compat, strict)
  }

  /** Repeats the compat client's read on the compat client: a difference now is the effect of a race. */
  private async measureNoise(task: Task): Promise<void> {
    // At equal distances, for example every hundredth, and not at random.
    if (!task.control) return
    this.due += this.options.controlRate
    if (this.due < 1) return
    this.due--
    const again = await this.taken(task, task.control)
    if (!again) return
    this.gate.controls++
    if (this.differs(task, task.primary, again)) this.gate.noise++
  }

  private differs(task: Task, a: ObservedOutcome, b: ObservedOutcome): boolean {
    return this.unless(() => (this.difference(task, a, b) === undefined ? 'same' : 'other')) !== 'same'
  }

  /**
   * Whether every confirmation finds the difference again: both sides are read in turn, and each must give its first result. If
   * another client writes meanwhile, one of them gives another result. A write cannot be repeated: it is confirmed when the same difference is seen again.
   */
  private async stays(
    task: Task,
    strict: ObservedOutcome,
    { kind, operation, compat, strict: said }: Mismatch,
  ) {
    const { confirmations, confirmAfter } = this.options
    const { control, primary } = task
    if (confirmations === 0) return false
    if (!control) {
      const name = `${operation} ${kind} ${compat} ${said}`
      if (this.seenOnce.has(name)) return true
      if (this.seenOnce.size < seenOnceKept) this.seenOnce.add(name)
      return false
    }
    // Another client's write does not cause an exception, and each exception may take a whole timeout.
    const reads = kind === 'raises' ? 1 : readsAConfirmation
    for (let i = 0; i < confirmations * reads; i++) {
      if (i % reads === 0) await pause(confirmAfter)
      const [again, strictAgain] = [
        await this.taken(task, control),
        await this.taken(task, () => task.repeat(this.client)),
      ]
      const same =
        again &&
        strictAgain &&
        !this.differs(task, primary, again) &&
        !this.differs(task, strict, strictAgain)
      if (same) continue
      this.gate.races++
      return false
    }
    return true
  }

  /** Resolves when no operation waits. */
  async idle(): Promise<void> {
    while (this.following > 0 || this.running > 0 || this.queue.length > 0)
      await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

/** The pause before a confirmation, which does not keep the process running. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref())
}

/** From 0 to 1, by the first key; the same in every process. */
function keyShare(key: unknown): number {
  let first = key
  if (Array.isArray(key)) first = key[0]
  else if (key instanceof Map || key instanceof Set) [first] = key.keys()
  // A pair is python-memcached's (hash, key).
  if (Array.isArray(first)) first = first[1]
  const bytes =
    first instanceof Uint8Array ? first : Buffer.from(typeof first === 'string' ? first : describe(first))
  return crc32(bytes) / 2 ** 32
}

function shown(outcome: ObservedOutcome): string {
  return 'error' in outcome ? String(raises(outcome.error)) : describe(outcome.value.again())
}

/** @throws errors of encoding a value for the comparison */
function difference(compat: ObservedOutcome, strict: ObservedOutcome): MismatchKind | undefined {
  if ('error' in compat || 'error' in strict)
    return 'error' in compat && 'error' in strict && shown(compat) === shown(strict) ? undefined : 'raises'
  if (compat.value.equals(strict.value)) return undefined
  const values = [compat.value.again() ?? null, strict.value.again() ?? null]
  const truths = values.map((value) => value !== null && value !== false && value !== 0)
  if (truths[0] !== truths[1]) return 'truth'
  const successes = values.every((value) => value === true || value === 1)
  return !truths[0] || successes ? 'spelling' : 'value'
}
