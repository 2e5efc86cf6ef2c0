/** What a caller may ask of the pickle reader. */
import type { PickleConverter } from './converters.js'

/** The names of `UnpickleOptions`. */
export const UNPICKLE_OPTION_NAMES: readonly (keyof UnpickleOptions)[] = [
  'preserve', 'dicts', 'encoding', 'persistentLoad', 'buffers', 'converters', 'maxMemory', 'maxDepth',
] // biome-ignore format: one list

/** How a pickle is read, and its limits. */
export interface UnpickleOptions {
  /**
   * Show Python's types: `PyFloat`, `PyTuple`, `PyFrozenSet`, `PyByteArray`, every dict as a Map. Without it these are numbers, Arrays, Sets,
   * Buffers and objects; all except whole floats are written back with the same type.
   */
  readonly preserve?: boolean | undefined
  /** `auto` (default): a dict is an object when all keys are text that keeps its place in one, else a Map. `map`: always. */
  readonly dicts?: 'auto' | 'map' | undefined
  /** How Python 2's byte strings are read. Default `ascii`, as in Python 3: other bytes are an error. */
  readonly encoding?: 'ascii' | 'latin1' | 'utf8' | 'bytes' | undefined
  /** Object for a persistent id. Without it such pickles are refused. */
  readonly persistentLoad?: ((id: unknown) => unknown) | undefined
  /** Out-of-band buffers of protocol 5. */
  readonly buffers?: readonly Uint8Array[] | undefined
  /** What objects of further classes become. */
  readonly converters?: readonly PickleConverter[] | undefined
  /**
   * Most memory that one value may take while it is read, in bytes, estimated from above: what it inflates to, and the objects,
   * text and bytes made of it. Default 134,217,728 (128 MiB), which a heap of 512 MB has room for. Infinity = no limit.
   */
  readonly maxMemory?: number | undefined
  /**
   * Deepest nesting of containers and objects. Default 1000, like CPython's recursion limit. Values linked in a chain count each link: the named zones
   * of pendulum 2 need 2000.
   */
  readonly maxDepth?: number | undefined
}
