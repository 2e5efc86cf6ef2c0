/** The options of shadow mode, and the types that it publishes. */
import { checkBoolean, checkFunction, shown } from '../../ground/arguments.js'
import { ownOptions } from '../../python/options.js'
import type { ShadowState } from './shadow-verdict.js'

/** Selects the calls that are repeated on the shadow, and sets the treatment of mismatches. */
export interface ShadowOptions {
  /**
   * Also repeat writes. Only when the strict client has its own servers or its own behavior `namespace`.
   * Default false: reads only.
   */
  readonly writes?: boolean | undefined
  /** Share of operations that are repeated, 0 to 1. Default 1. */
  readonly sampleRate?: number | undefined
  /**
   * `call` (default): every operation has this probability. `key`: a fixed share of the keys, the same in every process, with all of their
   * operations, so that sequences of writes stay complete; for several keys the first one decides.
   */
  readonly sampleBy?: 'call' | 'key' | undefined
  /**
   * Share of the agreeing reads that are repeated on the compat client as well: the rate at which its results differ
   * is the noise of races. Default 0.01.
   */
  readonly controlRate?: number | undefined
  /** Number of times that a difference must be found again before it counts as confirmed; 0: differences are not checked again. Default 2. */
  readonly confirmations?: number | undefined
  /** Milliseconds before each confirmation. Default 20. */
  readonly confirmAfter?: number | undefined
  /** The counts before a restart: the result of `shadowState()`. */
  readonly state?: ShadowState | undefined
  /** true: this difference is known and does not count. */
  readonly ignore?: ((mismatch: Mismatch) => boolean) | undefined
  /** Removes from a result the parts that may differ (a time, an order): called for both sides before they are compared. */
  readonly clean?: ((value: unknown, operation: string, key: unknown) => unknown) | undefined
  /** Decides whether two results are equal, instead of Python's equality. */
  readonly compare?:
    | ((compat: unknown, strict: unknown, operation: string, key: unknown) => boolean)
    | undefined
  /** The largest number of operations that wait to be repeated; further ones are left out and counted. Default 1000. */
  readonly maxQueue?: number | undefined
  /**
   * About the number of bytes that the waiting operations may keep (keys, results and written values); further ones are left out and
   * counted. A shadow that does not answer makes many operations wait. Default 67,108,864 (64 MiB).
   */
  readonly maxQueueBytes?: number | undefined
  /**
   * Largest value that is compared, or written again: elements, keys and values of everything inside, and kilobytes of bytes. It is
   * copied while the caller waits; an operation with a larger one is left out and counted. Text of any length is one part and is
   * not copied. Default 2000, whose copy takes about a millisecond at most.
   */
  readonly maxParts?: number | undefined
  /** Most operations repeated at the same time. Default 8. */
  readonly concurrency?: number | undefined
  /** From 0 up to 1, for tests. Default Math.random. */
  readonly random?: (() => number) | undefined
}

/** The kind of difference: one raised, one is true and the other is not, values differ, or only the types of equal values differ (1 and true). */
export type MismatchKind = 'raises' | 'truth' | 'value' | 'spelling'

/** A call with another outcome in the shadow. */
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

type Hook = 'ignore' | 'clean' | 'compare'

type Settings = Omit<ShadowOptions, Hook | 'state'>

/** Every option but the state, with its default. */
export type CheckedShadowOptions = {
  readonly [Name in keyof Settings]-?: NonNullable<Settings[Name]>
} & Pick<ShadowOptions, Hook>

const optionNames = Object.keys({
  writes: true,
  sampleRate: true,
  sampleBy: true,
  controlRate: true,
  confirmations: true,
  confirmAfter: true,
  state: true,
  ignore: true,
  clean: true,
  compare: true,
  maxQueue: true,
  maxQueueBytes: true,
  maxParts: true,
  concurrency: true,
  random: true,
} satisfies Record<keyof ShadowOptions, true>)

/** @throws RangeError for numbers out of range; TypeError for unknown options, and for hooks that are not functions */
export function checkedShadowOptions(given: ShadowOptions): CheckedShadowOptions {
  const options = ownOptions(given, optionNames)
  const { ignore, clean, compare, sampleBy = 'call', writes = false, random = Math.random } = options
  for (const [name, hook] of Object.entries({ ignore, clean, compare, random }))
    if (hook !== undefined) checkFunction(name, hook)
  checkBoolean('writes', writes)
  if (sampleBy !== 'call' && sampleBy !== 'key')
    throw new RangeError(`sampleBy is ${shown(sampleBy)}, neither call nor key`)
  return {
    ...(ignore ? { ignore } : {}),
    ...(clean ? { clean } : {}),
    ...(compare ? { compare } : {}),
    sampleBy,
    writes,
    sampleRate: inRange('sampleRate', options.sampleRate ?? 1, 0, 1),
    controlRate: inRange('controlRate', options.controlRate ?? 0.01, 0, 1),
    confirmations: inRange('confirmations', options.confirmations ?? 2, 0, 100),
    confirmAfter: inRange('confirmAfter', options.confirmAfter ?? 20, 0, 3_600_000),
    maxQueue: inRange('maxQueue', options.maxQueue ?? 1000, 0, Number.MAX_SAFE_INTEGER),
    maxQueueBytes: inRange(
      'maxQueueBytes',
      options.maxQueueBytes ?? 64 * 2 ** 20,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    maxParts: inRange('maxParts', options.maxParts ?? 2000, 1, Number.MAX_SAFE_INTEGER),
    concurrency: inRange('concurrency', options.concurrency ?? 8, 1, 1024),
    random,
  }
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new RangeError(`${name} is ${shown(value)}, not a number from ${least} to ${most}`)
}
