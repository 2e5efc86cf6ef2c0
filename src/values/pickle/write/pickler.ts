/** The state of one pickling: output, memo, depth; and the first opcode for a value of each JavaScript type. */

import * as types from 'node:util/types'
import { prototypeHere } from '../../../ground/brand.js'
import { digitsOf, floatRepr, MAX_INTEGER_DIGITS } from '../../../python/repr.js'
import { typeName } from '../../../python/type-name.js'
import { type PyGlobal, PythonObject, PyUnpicklable } from '../../classes/built-ins.js'
import { ValueEncodeError } from '../../errors.js'
import type { PickleConverter } from '../converters.js'
import { op } from '../opcodes.js'
import { encodeLong, escapeUnicode } from '../text.js'
import { type Hashables, hashable } from './hashable.js'
import { PickleOutput } from './output.js'

/** The options of pickling: protocol 0 to 5, converters, limits. */
export interface PickleOptions {
  /** 0…5; negative = the highest. */
  readonly protocol?: number | undefined
  /** Returns the id of an object that is stored elsewhere; undefined = the object is pickled. */
  readonly persistentId?: ((value: unknown) => unknown) | undefined
  /** Conversions of values of further classes. */
  readonly converters?: readonly PickleConverter[] | undefined
  /** Deepest nesting. Default 1000, like CPython's recursion limit. */
  readonly maxDepth?: number | undefined
}

const DEFAULT_MAX_DEPTH = 1000

/** Writes the objects of one prototype. */
export type Save = (p: Pickler, value: never) => void
type SaveObject = (p: Pickler, object: PythonObject, memoKey: object) => void

export class Pickler {
  readonly out = new PickleOutput()
  /** Protocol 1 and later. */
  readonly bin: boolean
  readonly objects = new Map<object, number>()
  protected readonly texts = new Map<string, number>()
  private readonly keys: string[] = []
  private readonly keyIndexes: number[] = []
  // These three are made on first use: few values need them, and making them takes as long as writing a small dict.
  private begunObjects: Set<object> | undefined = undefined
  private knownGlobals: Map<string, number> | undefined = undefined
  private turned: Hashables | undefined = undefined
  private readonly maxDepth: number
  private readonly writers: readonly PickleConverter[] | undefined
  private readonly persistentId: PickleOptions['persistentId']
  protected memoSize = 0
  private depth = 0

  constructor(
    readonly protocol: number,
    options: PickleOptions,
    /** By prototype. */
    private readonly table: ReadonlyMap<object, Save>,
    private readonly saveDict: (p: Pickler, dict: object) => void,
  ) {
    this.bin = protocol >= 1
    this.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH
    this.persistentId = options.persistentId
    const writers = options.converters?.filter(({ type, write }) => type && write)
    this.writers = writers && writers.length > 0 ? writers : undefined
  }

  /** The objects whose arguments are being written. */
  get begun(): Set<object> {
    this.begunObjects ??= new Set()
    return this.begunObjects
  }

  /** The memo indexes of classes and functions by module and name, since Python has one object for each, and of module names that functions share. */
  get globals(): Map<string, number> {
    this.knownGlobals ??= new Map()
    return this.knownGlobals
  }

  dump(value: unknown): Buffer {
    const { out, protocol } = this
    if (protocol >= 2) out.byteArgument(op.PROTO, protocol)
    if (protocol >= 4) out.startFraming()
    this.save(value)
    out.byte(op.STOP)
    return out.finish()
  }

  save(value: unknown): void {
    this.out.boundary()
    const id = this.persistentId?.(value)
    if (id !== undefined && id !== null) this.savePersistent(id)
    else if (typeof value === 'string') this.saveText(value)
    else if (typeof value === 'number') this.saveNumber(value)
    else if (typeof value === 'object' && value !== null) this.saveObject(value)
    else this.saveScalar(value)
  }

  /** Writes a key of a Map. @throws ValueEncodeError if Python does not accept it as a key */
  saveHashable(key: unknown): void {
    this.save(typeof key === 'object' ? this.hashable(key) : key)
  }

  /** Writes the members of a set. @throws ValueEncodeError if Python does not accept a member */
  hashables(set: ReadonlySet<unknown>): unknown[] {
    return Array.from(set, (member) => this.hashable(member))
  }

  /** An object that is stored elsewhere may be of any class. */
  hashable(key: unknown): unknown {
    if (this.persistentId) return key
    this.turned ??= new Map()
    return hashable(key, this.turned)
  }

  saveText(value: string): void {
    const known = this.texts.get(value)
    if (known !== undefined) return this.get(known)
    this.texts.set(value, this.saveNewText(value))
  }

  /** Writes a key of a plain object. Usually the previous dict had the same key at the same place. */
  saveKey(key: string, place: number): void {
    if (this.keys[place] === key && !this.persistentId) {
      this.out.boundary()
      return this.get(this.keyIndexes[place]!)
    }
    this.save(key)
    const index = this.texts.get(key)
    if (index === undefined) return
    this.keys[place] = key
    this.keyIndexes[place] = index
  }

  /** Writes text that is a new object in Python. Python always shares only empty texts and texts of one character. */
  saveFreshText(value: string): void {
    this.out.boundary()
    if (value.length <= 1 && value <= '\xff') return this.saveText(value)
    this.saveNewText(value)
  }

  /** Writes text that equal texts do not refer to. @returns its memo index */
  saveNewText(value: string): number {
    this.writeText(value)
    return this.put()
  }

  saveFloat(value: number): void {
    if (this.bin) this.out.double(op.BINFLOAT, value)
    else this.out.text(`F${floatRepr(value)}\n`)
  }

  savePersistent(id: unknown): void {
    if (this.bin) {
      this.save(id)
      this.out.byte(op.BINPERSID)
      return
    }
    if (typeof id !== 'string' || /[^\x20-\x7e]/.test(id))
      throw new ValueEncodeError('persistent IDs in protocol 0 must be ASCII strings')
    this.out.text(`P${id}\n`)
  }

  memoize(object: object): void {
    this.objects.set(object, this.put())
  }

  put(): number {
    const index = this.memoSize++
    if (this.protocol >= 4) this.out.byte(op.MEMOIZE)
    else if (!this.bin) this.out.text(`p${index}\n`)
    else if (index < 256) this.out.byteArgument(op.BINPUT, index)
    else this.out.wordArgument(op.LONG_BINPUT, index)
    return index
  }

  get(index: number): void {
    if (!this.bin) this.out.text(`g${index}\n`)
    else if (index < 256) this.out.byteArgument(op.BINGET, index)
    else this.out.wordArgument(op.LONG_BINGET, index)
  }

  private saveNumber(value: number): void {
    if ((value | 0) === value && this.bin && (value !== 0 || 1 / value > 0)) this.saveSmall(value)
    else if (Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)) this.saveInteger(value)
    else this.saveFloat(value)
  }

  private saveSmall(value: number): void {
    if (value >= 0 && value < 0x100) this.out.byteArgument(op.BININT1, value)
    else if (value >= 0 && value < 0x10000) this.out.shortArgument(op.BININT2, value)
    else this.out.wordArgument(op.BININT, value)
  }

  protected saveInteger(value: number | bigint): void {
    const { out } = this
    if (value >= -0x80000000 && value <= 0x7fffffff) {
      if (this.bin) this.saveSmall(Number(value))
      else out.text(`I${value}\n`)
    } else if (this.protocol >= 2) {
      const bytes = encodeLong(BigInt(value))
      if (bytes.length < 256) out.byteArgument(op.LONG1, bytes.length)
      else out.wordArgument(op.LONG4, bytes.length)
      out.raw(bytes)
    } else {
      const text = digitsOf(value)
      if (text === undefined)
        throw new ValueEncodeError(
          `an integer of more than ${MAX_INTEGER_DIGITS} digits: Python reads no longer one in protocol ${this.protocol}`,
        )
      out.text(`L${text}L\n`)
    }
  }

  private saveScalar(value: unknown): void {
    const { out } = this
    if (value === null) out.byte(op.NONE)
    else if (typeof value === 'bigint') this.saveInteger(value)
    else if (typeof value !== 'boolean')
      throw new ValueEncodeError(
        value === undefined
          ? 'undefined has no form in Python: write null for None, or leave the key out'
          : `a ${typeof value} has no form in Python`,
      )
    else if (this.protocol >= 2) out.byte(value ? op.NEWTRUE : op.NEWFALSE)
    else out.text(value ? 'I01\n' : 'I00\n')
  }

  protected saveObject(value: object): void {
    const known = this.objects.get(value)
    if (known !== undefined) return this.get(known)
    if (++this.depth > this.maxDepth)
      throw new ValueEncodeError(
        `value is nested deeper than ${this.maxDepth}; the option maxDepth sets another limit`,
      )
    if (!this.writers || !this.convert(value, this.writers)) this.saveByPrototype(value)
    this.depth--
  }

  private saveByPrototype(value: object): void {
    const prototype: object | null = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.saveDict(this, value)
    const save =
      this.table.get(prototype) ?? this.table.get(baseOf(value) ?? prototypeHere(value) ?? prototype)
    if (save) return save(this, value as never)
    if (isForeignObject(value)) return this.saveDict(this, value)
    if (value instanceof PyUnpicklable)
      throw new ValueEncodeError(
        `cannot pickle '${typeName(value)}' object`,
        this.protocol < 2 ? value.raisesBefore2 : value.raises,
      )
    throw new ValueEncodeError(unwritable(value))
  }

  private convert(value: object, writers: readonly PickleConverter[]): boolean {
    for (const { type, write, className } of writers) {
      if (!(value instanceof type!)) continue
      const object = write!(value as never)
      if (!(object instanceof PythonObject))
        throw new ValueEncodeError(`the converter of ${className} has to write a PythonObject`)
      const save = this.table.get(PythonObject.prototype) as unknown as SaveObject
      save(this, object, value)
      return true
    }
    return false
  }

  protected writeText(value: string): void {
    if (this.bin) this.out.utf8(value, this.protocol >= 4)
    else this.out.text(`V${escapeUnicode(value)}\n`)
  }
}

/** The form of a value whose class is not in the table itself: Node's Buffer, and objects from another realm, such as a test runner's. */
function baseOf(value: object): object | undefined {
  const { constructor } = value
  if (Buffer.isBuffer(value)) return Uint8Array.prototype
  if (Array.isArray(value) && constructor.name === 'Array') return Array.prototype
  if (types.isMap(value) && constructor.name === 'Map') return Map.prototype
  if (types.isSet(value) && constructor.name === 'Set') return Set.prototype
  return types.isUint8Array(value) && constructor.name === 'Uint8Array' ? Uint8Array.prototype : undefined
}

/** A plain object of another realm. */
function isForeignObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return Object.getPrototypeOf(prototype) === null && value.constructor?.name === 'Object'
}

/** The value to write instead. */
function unwritable(value: object): string {
  const name = value.constructor?.name || 'nameless'
  const other = 'or give a converter for its class'
  if (types.isDate(value))
    return `a ${name} has no form in Python: write PyDateTime.fromDate(date), or its time as a number`
  if (types.isMap(value))
    return `a ${name} is a Map with a class of its own: write new Map(value) for a dict, ${other}`
  if (types.isSet(value))
    return `a ${name} is a Set with a class of its own: write new Set(value) for a set, ${other}`
  if (Array.isArray(value))
    return `a ${name} is an Array with a class of its own: write [...value] for a list, ${other}`
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
    return `a ${name} has no form in Python: write [...value] for a list of numbers, or a Buffer of its bytes`
  if (types.isBoxedPrimitive(value)) return `a ${name} object has no form in Python: write value.valueOf()`
  if (types.isPromise(value)) return 'a Promise has no form in Python: await it first'
  return `a ${name} object has no form in Python: write a plain object ({ ...value }) for a dict, a PythonObject for an object of a Python class, ${other}`
}

/** The key of a class or function in `globals`. */
export function globalKey({ module, name, python2 }: PyGlobal, protocol: number): string {
  return python2 !== undefined && protocol < 3 ? python2 : `${module}\n${name}`
}
