/**
 * Python's `collections`. The dictionaries are Maps with a class of their own, so that they can be used as Maps and are
 * written back as what they were. `attributes` is an instance's `__dict__`, which hardly any has.
 */

/** `collections.OrderedDict`. */
export class PyOrderedDict<K = unknown, V = unknown> extends Map<K, V> {
  attributes: unknown
}

/** `collections.defaultdict`. */
export class PyDefaultDict<K = unknown, V = unknown> extends Map<K, V> {
  attributes: unknown
  constructor(
    /** The class or function that makes missing values; null when there is none. */
    readonly factory: unknown = null,
    entries?: Iterable<readonly [K, V]>,
  ) {
    super(entries)
  }
}

/** `collections.Counter`. */
export class PyCounter<K = unknown, V = unknown> extends Map<K, V> {
  attributes: unknown
}

/** `collections.deque`. */
export class PyDeque<T = unknown> {
  attributes: unknown
  constructor(
    readonly items: T[] = [],
    /** null = unbounded. */
    readonly maxlen: number | null = null,
  ) {}
}
