/**
 * Python values that JavaScript has no type for. Reading gives them where plain JavaScript would lose what they are
 * (always for objects and complex numbers, with `preserve` for the rest); writing takes them.
 */

/** A float, also when it has no fraction: 1.0 is not 1. */
export class PyFloat {
  constructor(readonly value: number) {}
  /** So that arithmetic and comparisons take it as the number that it is. */
  valueOf(): number {
    return this.value
  }
}

/** Python's tuple. */
export class PyTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** Python's frozenset. */
export class PyFrozenSet {
  constructor(readonly items: ReadonlySet<unknown>) {}
}

/** Python's bytearray. */
export class PyByteArray {
  constructor(readonly bytes: Buffer) {}
}

/** Python's complex. */
export class PyComplex {
  constructor(
    readonly real: number,
    readonly imag: number,
  ) {}
}

/** An iterator or generator as an argument of a recorded call, with the items that were taken from it. It has no length. */
export class PyIterator {
  constructor(
    readonly items: readonly unknown[],
    /** Python's name of its class, e.g. `generator`. */
    readonly className: string,
  ) {}
}

/** A view of a dict as an argument of a recorded call. It has a length. */
export class PyView {
  constructor(
    readonly items: readonly unknown[],
    /** Python's name of its class, e.g. `dict_keys`. */
    readonly className: string,
  ) {}
}

/** A class or function by its name. Never looked up. */
export class PyGlobal {
  constructor(
    /** Python 3's module name. */
    readonly module: string,
    /** Qualified name within the module. */
    readonly name: string,
    /**
     * `module name` as a pickle of protocols 0–2 had it, where Python 2's name does not follow from Python 3's: `__builtin__ str` is
     * `builtins.str`, which by itself would become `__builtin__ unicode`.
     */
    readonly python2?: string | undefined,
  ) {}
}

/**
 * An object of any other class: what its pickle says, inert. It can be inspected, is matched by converters, and is
 * written back as it was.
 */
export class PythonObject {
  /** What BUILD would hand to `__setstate__` or put into `__dict__`. */
  state: unknown
  hasState = false
  /** Function that would be called with object and state instead of BUILD. */
  stateSetter: unknown
  /** For an instance of a subclass of a built-in type: the same value as that type, when the trace says it (`$base`). */
  builtin: unknown
  /** Items appended to the new object, as to a list. */
  readonly listItems: unknown[] = []
  /** Items set on the new object, as on a dict. */
  readonly dictItems: [unknown, unknown][] = []
  /** Items added to the new object, as to a set. */
  readonly setItems: unknown[] = []
  constructor(
    /** Class (or function) that makes it. */
    readonly type: unknown,
    /** Arguments, in order. */
    readonly args: readonly unknown[],
    /**
     * `call` = type(*args); `new` = type.__new__(type, *args, **kwargs);
     * `base` = base.__new__(type, args[0]), which is how protocols 0 and 1 write objects, those of subclasses of built-in types
     * with an argument; `instance` = how Python 2 writes objects of its old classes, whose constructor is called only with arguments.
     */
    readonly how: 'call' | 'new' | 'base' | 'instance',
    readonly kwargs?: ReadonlyMap<unknown, unknown>,
    /** The built-in type, when made by `base`. */
    readonly base?: PyGlobal,
  ) {}

  /** `module.name` of the class, as far as the pickle tells; else `unknown`. */
  get className(): string {
    return this.type instanceof PyGlobal ? `${this.type.module}.${this.type.name}` : 'unknown'
  }

  /**
   * Attributes by name: what is in `__dict__` and `__slots__`, when the state says it in the usual way. The values are what `state`
   * holds: floats, tuples and dicts are `PyFloat`, `PyTuple` and Maps, so that they are written back as they were.
   */
  get attributes(): ReadonlyMap<string, unknown> {
    const all = new Map<string, unknown>()
    const { state } = this
    const [dict, slots] =
      state instanceof PyTuple ? state.items : Array.isArray(state) && state.length === 2 ? state : [state]
    for (const part of [dict, slots]) {
      const entries = part instanceof Map ? part : isPlain(part) ? Object.entries(part) : []
      for (const [name, value] of entries) if (typeof name === 'string') all.set(name, value)
    }
    return all
  }
}

/** A dict of text keys, as plain JavaScript. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** An object that lives outside of the pickle. */
export class PyPersistent {
  constructor(readonly id: unknown) {}
}
