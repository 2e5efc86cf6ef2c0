/**
 * Classes for Python values that JavaScript has no type for. Reading a pickle returns them where plain JavaScript would lose information
 * (objects and complex numbers always, the others with the option `preserve`), and writing accepts them.
 */
import { brandAll } from '../../ground/brand.js'
import { floatRepr } from '../../python/repr.js'
import { DESCRIBE, type Description } from '../describe.js'
import { JSON_OF, jsonEntries, jsonValue, PythonContainer, PythonValue } from './python-value.js'
import { zoneRepr } from './zone-repr.js'

/** Python's float. It stays a float if it has no fraction: 1.0 is not written as 1. */
export class PyFloat extends PythonValue {
  constructor(readonly value: number) {
    super()
  }
  /** Lets arithmetic and comparisons use it as a number. */
  override valueOf(): number {
    return this.value
  }
  /** The number. */
  toJSON(): number {
    return this.value
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.add(floatRepr(this.value))
  }
}

/** Python's tuple. */
export class PyTuple extends PythonContainer {
  constructor(readonly items: readonly unknown[]) {
    super()
  }
  /** @internal */
  [JSON_OF](inside: (value: unknown) => unknown): unknown {
    return Array.from(this.items, inside)
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.tuple(this.items)
  }
}

/** Python's frozenset. */
export class PyFrozenSet extends PythonContainer {
  constructor(readonly items: ReadonlySet<unknown>) {
    super()
  }
  /** @internal */
  [JSON_OF](inside: (value: unknown) => unknown): unknown {
    return Array.from(this.items, inside)
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.frozenSet(this.items)
  }
}

/** Python's bytearray. */
export class PyByteArray extends PythonValue {
  constructor(readonly bytes: Buffer) {
    super()
  }
  /** As Node's Buffer. */
  toJSON(): unknown {
    return this.bytes.toJSON()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.byteArray(this.bytes)
  }
}

/** Python's complex. */
export class PyComplex extends PythonValue {
  constructor(
    readonly real: number,
    readonly imag: number,
  ) {
    super()
  }
  /** `(1+2j)`. */
  toJSON(): string {
    return this.toString()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    const [real, imag] = [this.real, this.imag].map((part) => floatRepr(part).replace(/\.0$/, ''))
    const sign = imag!.startsWith('-') ? '' : '+'
    into.add(Object.is(this.real, 0) ? `${imag}j` : `(${real}${sign}${imag}j)`)
  }
}

/** An iterator or generator that was an argument of a recorded call, with the items that the call took from it. It has no length. */
export class PyIterator {
  constructor(
    readonly items: readonly unknown[],
    /** Python's name of its class, e.g. `generator`. */
    readonly className: string,
  ) {}
}

/** A view of a dict that was an argument of a recorded call. It has a length. */
export class PyView {
  constructor(
    readonly items: readonly unknown[],
    /** Python's name of its class, e.g. `dict_keys`. */
    readonly className: string,
  ) {}
}

/** An object that the traced program could not pickle: a lambda, a lock, a module, an open file. Stores of it raise what Python's pickle raised. */
export class PyUnpicklable {
  constructor(
    /** Module and name of its class, e.g. `builtins.function`. */
    readonly className: string,
    /** The exception's class in protocol 2 and later. */
    readonly raises = 'builtins.TypeError',
    /** The same in protocols 0 and 1. */
    readonly raisesBefore2 = raises,
  ) {}
}

/** The name of a class or function. Nothing looks the class up. */
export class PyGlobal extends PythonValue {
  constructor(
    /** Python 3's module name. */
    readonly module: string,
    /** Qualified name within the module. */
    readonly name: string,
    /**
     * `module name` as a pickle of protocols 0–2 spelled it, if Python 2's name cannot be derived from Python 3's: `__builtin__ str` is read as
     * `builtins.str`, and `builtins.str` would be written as `__builtin__ unicode`.
     */
    readonly python2?: string | undefined,
    /** A method that a pickle names by a call of `getattr`. CPython writes methods this way in every protocol. */
    readonly byGetattr?: boolean | undefined,
  ) {
    super()
  }
  /** `module.name`. */
  toJSON(): string {
    return `${this.module}.${this.name}`
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.add(`<class '${this.module === 'builtins' ? '' : `${this.module}.`}${this.name}'>`)
  }
}

/**
 * An object of any other class: the content of its pickle, which nothing executes. It can be inspected, converters can replace it, and it is
 * written back unchanged.
 */
export class PythonObject extends PythonValue {
  /** The state that BUILD would pass to `__setstate__` or put into `__dict__`. */
  state: unknown
  hasState = false
  /** The function that Python would call with the object and its state instead of BUILD. */
  stateSetter: unknown
  /** For an instance of a subclass of a built-in type: its value as an instance of that type, if the trace contains it (`$base`). */
  builtin: unknown
  /** Items appended to the new object, as to a list. */
  readonly listItems: unknown[] = []
  /** Items set on the new object, as on a dict. */
  readonly dictItems: [unknown, unknown][] = []
  /** Items added to the new object, as to a set. */
  readonly setItems: unknown[] = []
  constructor(
    /** The class (or function) that Python calls to make the object. */
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
  ) {
    super()
  }

  /**
   * `module.name` of the class if the pickle has it; else `unknown`. A Django model has its label, `app.Model`, which is the only
   * name in its pickle.
   */
  get className(): string {
    if (!(this.type instanceof PyGlobal)) return 'unknown'
    const maker = `${this.type.module}.${this.type.name}`
    if (maker === 'django.db.models.base.model_unpickle') return modelLabel(this.args[0]) ?? maker
    const [first] = this.args
    return maker === 'copyreg._reconstructor' && first instanceof PyGlobal ? first.toJSON() : maker
  }

  /** Class, attributes and other parts, for display; JSON cannot represent all of them. */
  toJSON(): unknown {
    return jsonValue(this)
  }

  /** @internal */
  [JSON_OF](inside: (value: unknown) => unknown): unknown {
    const { args, attributes, state, listItems, dictItems, setItems } = this
    const json: Record<string, unknown> = { class: this.className }
    if (args.length > 0) json.args = args.map(inside)
    if (attributes.size > 0) json.attributes = jsonEntries(attributes, inside)
    else if (this.hasState) json.state = inside(state)
    if (listItems.length > 0 || setItems.length > 0) json.items = [...listItems, ...setItems].map(inside)
    if (dictItems.length > 0) json.entries = jsonEntries(dictItems, inside)
    return json
  }

  /** @internal */
  override [DESCRIBE](into: Description): void {
    const zone = zoneRepr(this)
    if (zone !== undefined) return into.add(zone)
    const { className, args, attributes, listItems, setItems, dictItems } = this
    into.add(`<${className} object`)
    // If the class itself is among them, its name is enough.
    if (args.length > 0 && isMaker(this.type, className)) into.items(' (', args, ')')
    for (const [name, value] of attributes) {
      if (into.left === 0) return
      into.add(` ${name}=`)
      into.show(value)
    }
    if (this.hasState && attributes.size === 0) {
      into.add(' state=')
      into.show(this.state)
    }
    if (listItems.length > 0) into.items(' [', listItems, ']')
    if (setItems.length > 0) into.items(' {', setItems, '}')
    if (dictItems.length > 0) into.dict(' ', dictItems, '')
    into.add('>')
  }

  /**
   * Attributes by name: the content of `__dict__` and `__slots__`, when the state has the usual form. The values are those that `state`
   * holds: floats, tuples and dicts are `PyFloat`, `PyTuple` and Maps, so that they are written back as they were. The Map is a copy:
   * `setAttribute` changes an attribute.
   */
  get attributes(): ReadonlyMap<string, unknown> {
    const all = new Map<string, unknown>()
    for (const part of this.stateParts()) {
      const entries = part instanceof Map ? part : isPlain(part) ? Object.entries(part) : []
      for (const [name, value] of entries) if (typeof name === 'string') all.set(name, value)
    }
    return all
  }

  /**
   * Sets an attribute as it is written back: where it is, in `__dict__` or `__slots__`; a new one comes to `__dict__`.
   * @throws TypeError for a name that is not text, and for a state of another form than attributes, which the class reads by its own
   *   `__setstate__`: assign `state` instead
   */
  setAttribute(name: string, value: unknown): void {
    if (typeof name !== 'string') throw new TypeError('the name of an attribute must be text')
    const [dict, slots] = this.stateParts()
    const part = hasEntry(slots, name) ? slots : dict
    if (part instanceof Map) part.set(name, value)
    else if (isPlain(part)) Object.defineProperty(part, name, { value, ...WRITABLE })
    else if (part !== undefined && part !== null)
      throw new TypeError(`the state of ${this.className} is not a dict of attributes: assign state instead`)
    else {
      const made = new Map([[name, value]])
      this.state = slots === undefined ? made : new PyTuple([made, slots])
      this.hasState = true
    }
  }

  /** What `__dict__` and `__slots__` have, where the state has the usual form. */
  private stateParts(): readonly [dict: unknown, slots?: unknown] {
    const { state } = this
    if (state instanceof PyTuple && state.items.length === 2) return [state.items[0], state.items[1]]
    return Array.isArray(state) && state.length === 2 ? [state[0], state[1]] : [state]
  }
}

const WRITABLE = { writable: true, enumerable: true, configurable: true }

const hasEntry = (part: unknown, name: string): boolean =>
  part instanceof Map ? part.has(name) : isPlain(part) && Object.hasOwn(part, name)

/** The object is made by the named class itself. */
function isMaker(type: unknown, className: string): boolean {
  return type instanceof PyGlobal && `${type.module}.${type.name}` === className
}

/** A dict of text keys, as plain JavaScript. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** An object that lives outside of the pickle. */
export class PyPersistent extends PythonContainer {
  constructor(readonly id: unknown) {
    super()
  }
  /** @internal */
  [JSON_OF](inside: (value: unknown) => unknown): unknown {
    return { persistentId: inside(this.id) }
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.add('<persistent object ')
    into.show(this.id)
    into.add('>')
  }
}

/** Django names a model by the labels of its application and its own; old versions by its class. */
function modelLabel(id: unknown): string | undefined {
  if (id instanceof PyGlobal) return id.toJSON()
  const names = id instanceof PyTuple ? id.items : Array.isArray(id) ? id : []
  return names.length === 2 && names.every((name) => typeof name === 'string') ? names.join('.') : undefined
}

brandAll('values', {
  PyFloat,
  PyTuple,
  PyFrozenSet,
  PyByteArray,
  PyComplex,
  PyIterator,
  PyUnpicklable,
  PyView,
  PyGlobal,
  PythonObject,
  PyPersistent,
})
