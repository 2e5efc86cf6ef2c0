/** The options of the pickle reader. */
import type { PickleConverter } from './converters.js'

/** The names of `UnpickleOptions`. */
export const UNPICKLE_OPTION_NAMES: readonly (keyof UnpickleOptions)[] = [
  'preserve', 'dicts', 'encoding', 'persistentLoad', 'buffers', 'converters', 'maxMemory', 'maxDepth',
] // biome-ignore format: one list

/** How a pickle is read, and its limits. */
export interface UnpickleOptions {
  /**
   * Returns classes for Python's types: `PyFloat`, `PyTuple`, `PyFrozenSet`, `PyByteArray`, and a Map for every dict. Without it these are numbers, Arrays,
   * Sets, Buffers and objects, and all of them except whole floats are written back with the same type.
   */
  readonly preserve?: boolean | undefined
  /** `auto` (default): a dict becomes an object if all its keys are text and an object keeps their order, otherwise a Map. `map`: always a Map. */
  readonly dicts?: 'auto' | 'map' | undefined
  /** The encoding of Python 2's byte strings. Default `ascii`, as in Python 3: other bytes are an error. */
  readonly encoding?: 'ascii' | 'latin1' | 'utf8' | 'bytes' | undefined
  /** Returns the object of a persistent id. Without it such pickles are refused. */
  readonly persistentLoad?: ((id: unknown) => unknown) | undefined
  /** The out-of-band buffers of protocol 5. */
  readonly buffers?: readonly Uint8Array[] | undefined
  /** Conversions of objects of further classes. */
  readonly converters?: readonly PickleConverter[] | undefined
  /**
   * The most memory that one value may take while it is read, in bytes: its inflated data and the objects, text and bytes made from it. The estimate
   * is never below the real use. Default 134,217,728 (128 MiB), which fits into a heap of 512 MB. Infinity = no limit.
   */
  readonly maxMemory?: number | undefined
  /**
   * The deepest nesting of containers and objects. Default 1000, like CPython's recursion limit. Each link of a linked list counts as a level: the named
   * zones of pendulum 2 need 2000.
   */
  readonly maxDepth?: number | undefined
}
