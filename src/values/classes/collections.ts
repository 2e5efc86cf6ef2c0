/**
 * Python's `collections`. The dictionaries are Maps with a class of their own, so that they can be used as Maps and are
 * written back with the same type. `attributes` is the instance's `__dict__`; few instances have one.
 */

import { checkIterable } from '../../ground/arguments.js'
import { brandAll } from '../../ground/brand.js'
import { DESCRIBE, type Description } from '../describe.js'
import { INSPECT, JSON_OF, jsonEntries, jsonValue, PythonContainer, valueRepr } from './python-value.js'

function checkedEntries<K, V>(entries?: Iterable<readonly [K, V]> | null): Iterable<readonly [K, V]> {
  if (entries === undefined || entries === null) return []
  checkIterable('entries', entries)
  if (typeof entries === 'string') throw new TypeError('entries are text, not pairs of key and value')
  return entries
}

/** Base class of the dictionaries. */
abstract class PythonDict<K, V> extends Map<K, V> {
  /** @throws TypeError for entries that are not pairs of key and value */
  constructor(entries?: Iterable<readonly [K, V]> | null) {
    super(checkedEntries(entries))
  }
  override toString(): string {
    return valueRepr(this)
  }
  /** Keys that are not text are shown as Python's repr() shows them. */
  toJSON(): unknown {
    return jsonValue(this)
  }
  /** @internal */
  [JSON_OF](inside: (value: unknown) => unknown): unknown {
    return jsonEntries(this, inside)
  }
  /** @internal */
  abstract [DESCRIBE](into: Description): void
  /** @internal */
  [INSPECT](): string {
    return valueRepr(this)
  }
}

/** `collections.OrderedDict`. */
export class PyOrderedDict<K = unknown, V = unknown> extends PythonDict<K, V> {
  attributes: unknown
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.dict('OrderedDict(', this, ')')
  }
}

/** `collections.defaultdict`. */
export class PyDefaultDict<K = unknown, V = unknown> extends PythonDict<K, V> {
  attributes: unknown
  constructor(
    /** The class or function that makes missing values; null if there is none. */
    readonly factory: unknown = null,
    entries?: Iterable<readonly [K, V]>,
  ) {
    super(entries)
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.add('defaultdict(')
    into.show(this.factory)
    into.dict(', ', this, ')')
  }
}

/** `collections.Counter`. */
export class PyCounter<K = unknown, V = unknown> extends PythonDict<K, V> {
  attributes: unknown
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.dict('Counter(', this, ')')
  }
}

/** `collections.deque`. */
export class PyDeque<T = unknown> extends PythonContainer {
  attributes: unknown
  constructor(
    readonly items: T[] = [],
    /** null = unbounded. */
    readonly maxlen: number | null = null,
  ) {
    super()
  }
  /** @internal */
  [JSON_OF](inside: (value: unknown) => unknown): unknown {
    return Array.from(this.items, inside)
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.items('deque([', this.items, this.maxlen === null ? '])' : `], maxlen=${this.maxlen})`)
  }
}

brandAll('values', { PyOrderedDict, PyDefaultDict, PyCounter, PyDeque })
