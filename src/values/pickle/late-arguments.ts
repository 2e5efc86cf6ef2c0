/**
 * Containers that were an argument of an object when they were still empty, and were filled afterwards, because they contain the object.
 * SQLAlchemy's OrderingList is made of its own `__dict__` that way. Such a container has to be written as it was read: Python's
 * constructor gets it empty.
 */
const late = new WeakSet<object>()
/** So many arguments cost no more than to remember them. */
const FEW = 8

/** What a reader notices of the containers of one pickle. */
export class EmptyArguments {
  private readonly empty = new Set<unknown>()
  /** Long lists of arguments that were looked at. */
  private readonly known = new Set<readonly unknown[]>()

  /** An object is made of these arguments. Many objects may be made of the same long tuple: its items are looked at once. */
  note(args: readonly unknown[]): void {
    if (args.length > FEW) {
      if (this.known.has(args)) return
      this.known.add(args)
    }
    for (const arg of args) if (isEmpty(arg)) this.empty.add(arg)
  }

  /** Something joins a container. */
  grows(target: unknown): void {
    if (this.empty.delete(target)) late.add(target as object)
  }
}

export function isLateArgument(container: object): boolean {
  return late.has(container)
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return (value instanceof Map || value instanceof Set) && value.size === 0
}
