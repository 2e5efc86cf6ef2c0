/** Measures how deep a value is nested, without recursion and in linear time. */
import {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyGlobal,
  PyPersistent,
  PyTuple,
  PythonObject,
} from '../../classes/built-ins.js'

/** Whether a value can contain other values. Scalars with a class of their own cannot. */
export function isContainer(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !(value instanceof PyFloat) &&
    !(value instanceof PyGlobal) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof PyByteArray) &&
    !(value instanceof PyComplex) &&
    !(value instanceof PyPersistent)
  )
}

/** The most children that one reading may visit to measure shared containers. */
const SHARED_CHILDREN = 10_000
const SHARED_LEVELS = 16

/**
 * The depths of containers that the pickle fetches from its memo. Each is measured once, and only if it is small. A depth is valid until the
 * container, or a fetched container inside it, grows.
 */
export class SharedDepths {
  private readonly depths = new Map<unknown, number>()
  private left = SHARED_CHILDREN

  has(value: unknown): boolean {
    return this.depths.has(value)
  }

  /** The levels of nesting; Infinity for a value that is too large for this measurement. */
  of(value: object): number {
    const known = this.depths.get(value)
    if (known !== undefined) return known
    const depth = this.measure(value, SHARED_LEVELS)
    this.depths.set(value, depth)
    return depth
  }

  private measure(value: object, levels: number): number {
    if (levels === 0 || this.left < 0) return Number.POSITIVE_INFINITY
    const children = childrenOf(value)
    this.left -= children.length
    let deepest = 0
    for (const child of children) {
      if (!isContainer(child)) continue
      deepest = Math.max(deepest, this.depths.get(child) ?? this.measure(child, levels - 1))
      if (deepest === Number.POSITIVE_INFINITY) return deepest
    }
    return deepest + 1
  }
}

interface Open {
  readonly value: object
  readonly children: readonly unknown[]
  next: number
  depth: number
}

/** The levels of nesting. A cycle counts once. As soon as the limit is passed, the function returns more than `limit`. */
export function depthOf(root: unknown, limit: number): number {
  if (!isContainer(root)) return 0
  const done = new Map<object, number>()
  const open: Open[] = [{ value: root, children: childrenOf(root), next: 0, depth: 1 }]
  done.set(root, 0)
  for (;;) {
    const current = open[open.length - 1]!
    if (open.length > limit) return open.length
    const child = current.children[current.next++]
    if (current.next > current.children.length) {
      done.set(current.value, current.depth)
      open.pop()
      const parent = open[open.length - 1]
      if (!parent) return current.depth
      parent.depth = Math.max(parent.depth, current.depth + 1)
      if (open.length - 1 + parent.depth > limit) return open.length - 1 + parent.depth
      continue
    }
    if (!isContainer(child)) continue
    const known = done.get(child)
    if (known === undefined) {
      done.set(child, 0)
      open.push({ value: child, children: childrenOf(child), next: 0, depth: 1 })
    } else {
      current.depth = Math.max(current.depth, known + 1)
      if (open.length - 1 + current.depth > limit) return open.length - 1 + current.depth
    }
  }
}

export function childrenOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (value instanceof PyTuple) return value.items
  if (value instanceof PyFrozenSet) return [...value.items]
  if (value instanceof Set) return [...value]
  if (value instanceof Map) return [...value.keys(), ...value.values(), ...Object.values(value)]
  if (value instanceof PythonObject) {
    const { type, args, kwargs, state, listItems, dictItems, setItems } = value
    // The arguments count as one child, because many objects may share them.
    return [type, args, kwargs, state, ...listItems, ...dictItems.flat(), ...setItems]
  }
  return Object.values(value)
}
