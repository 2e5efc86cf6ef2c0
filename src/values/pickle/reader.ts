/**
 * Pickle reader, protocols 0–5: a stack machine without recursion, linear in its input, that never executes anything.
 * Source: CPython's pickle and pickletools modules.
 */
import { UnicodeDecodeError } from '../../python/errors.js'
import { UnpicklingError } from '../errors.js'
import { PyGlobal, PyPersistent, PyTuple, PythonObject } from '../python-values.js'
import { type Builder, call, lossless, plain } from './construct.js'
import { HIGHEST_PROTOCOL, op, python3Module } from './opcodes.js'
import {
  decodeLong,
  parseFloatText,
  parseIntegerText,
  unescapeString,
  unescapeUnicode,
  utf8Text,
} from './text.js'

export interface UnpickleOptions {
  /** Keep what plain JavaScript would lose: floats, tuples, frozensets, bytearrays as wrappers, every dict as a Map. */
  readonly preserve?: boolean
  /** How Python 2's byte strings are read. Default `ascii`, as in Python 3: other bytes are an error. */
  readonly encoding?: 'ascii' | 'latin1' | 'utf8' | 'bytes'
  /** Object for a persistent id. Without it such pickles are refused. */
  readonly persistentLoad?: (id: unknown) => unknown
  /** Out-of-band buffers of protocol 5. */
  readonly buffers?: readonly Uint8Array[]
  /** Most objects on the stack at once. Default 1,000,000. */
  readonly maxStack?: number
}

const DEFAULT_MAX_STACK = 1_000_000
/** A dict has a key that a plain object cannot hold in place: read once more with Maps. */
const NEEDS_MAPS = Symbol('needs maps')

/** @throws UnpicklingError naming offset and opcode; UnicodeDecodeError */
export function unpickle(data: Uint8Array, options: UnpickleOptions = {}): unknown {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (options.preserve) return new Unpickler(bytes, options, lossless, true).load()
  try {
    return new Unpickler(bytes, options, plain, false).load()
  } catch (error) {
    if (error !== NEEDS_MAPS) throw error
    return new Unpickler(bytes, options, plain, true).load()
  }
}

/** Plain objects move digit-like keys to the front, so that the order of a dict would be lost. */
const INDEX_LIKE = /^(?:0|[1-9]\d{0,9})$/

type Dict = Map<unknown, unknown> | Record<string, unknown>

class Unpickler {
  private at = 0
  private start = 0
  private opcode: number | undefined
  private stack: unknown[] = []
  /** Stack heights at the open marks. */
  private readonly marks: number[] = []
  private readonly memo = new Map<number, unknown>()
  private nextBuffer = 0
  private readonly maxStack: number

  constructor(
    private readonly bytes: Buffer,
    private readonly options: UnpickleOptions,
    private readonly builder: Builder,
    private readonly maps: boolean,
  ) {
    this.maxStack = options.maxStack ?? DEFAULT_MAX_STACK
  }

  load(): unknown {
    for (;;) {
      this.start = this.at
      this.opcode = this.bytes[this.at]
      if (this.opcode === undefined) throw this.error('the data ends before STOP')
      this.at++
      if (this.opcode === op.STOP) return this.pop()
      this.step(this.opcode)
      if (this.stack.length > this.maxStack)
        throw this.error(`more than ${this.maxStack} objects on the stack`)
    }
  }

  private step(code: number): void {
    const { builder } = this
    switch (code) {
      case op.PROTO: {
        const protocol = this.u8()
        if (protocol > HIGHEST_PROTOCOL) throw this.error(`unsupported protocol ${protocol}`)
        return
      }
      case op.FRAME:
        this.need(this.length8())
        return
      case op.NONE:
        return this.push(null)
      case op.NEWTRUE:
        return this.push(true)
      case op.NEWFALSE:
        return this.push(false)
      case op.INT: {
        const text = this.line()
        if (text === '01' || text === '00') return this.push(text === '01')
        return this.push(this.checked(parseIntegerText(text), 'bad integer'))
      }
      case op.LONG:
        return this.push(this.checked(parseIntegerText(this.line().replace(/L$/, '')), 'bad integer'))
      case op.BININT:
        return this.push(this.bytes.readInt32LE(this.take(4)))
      case op.BININT1:
        return this.push(this.u8())
      case op.BININT2:
        return this.push(this.bytes.readUInt16LE(this.take(2)))
      case op.LONG1:
        return this.push(decodeLong(this.slice(this.u8())))
      case op.LONG4: {
        const length = this.bytes.readInt32LE(this.take(4))
        if (length < 0) throw this.error('negative length')
        return this.push(decodeLong(this.slice(length)))
      }
      case op.FLOAT:
        return this.push(builder.float(this.checked(parseFloatText(this.line()), 'bad float')))
      case op.BINFLOAT:
        return this.push(builder.float(this.bytes.readDoubleBE(this.take(8))))
      case op.STRING:
        return this.push(this.python2(this.checked(unescapeString(this.line()), 'bad string')))
      case op.BINSTRING: {
        const length = this.bytes.readInt32LE(this.take(4))
        if (length < 0) throw this.error('negative length')
        return this.push(this.python2(this.slice(length)))
      }
      case op.SHORT_BINSTRING:
        return this.push(this.python2(this.slice(this.u8())))
      case op.UNICODE:
        return this.push(this.checked(unescapeUnicode(this.line()), 'bad escape'))
      case op.BINUNICODE:
        return this.push(this.utf8(this.u32()))
      case op.SHORT_BINUNICODE:
        return this.push(this.utf8(this.u8()))
      case op.BINUNICODE8:
        return this.push(this.utf8(this.length8()))
      case op.BINBYTES:
        return this.push(Buffer.from(this.slice(this.u32())))
      case op.SHORT_BINBYTES:
        return this.push(Buffer.from(this.slice(this.u8())))
      case op.BINBYTES8:
        return this.push(Buffer.from(this.slice(this.length8())))
      case op.BYTEARRAY8:
        return this.push(builder.bytearray(Buffer.from(this.slice(this.length8()))))
      case op.EMPTY_LIST:
        return this.push([])
      case op.LIST:
        return this.push(this.popMark())
      case op.APPEND: {
        const item = this.pop()
        return this.extend(this.top(), [item])
      }
      case op.APPENDS: {
        const items = this.popMark()
        return this.extend(this.top(), items)
      }
      case op.EMPTY_TUPLE:
        return this.push(builder.tuple([]))
      case op.TUPLE:
        return this.push(builder.tuple(this.popMark()))
      case op.TUPLE1:
        return this.push(builder.tuple(this.popMany(1)))
      case op.TUPLE2:
        return this.push(builder.tuple(this.popMany(2)))
      case op.TUPLE3:
        return this.push(builder.tuple(this.popMany(3)))
      case op.EMPTY_DICT:
        return this.push(this.dict())
      case op.DICT: {
        const items = this.popMark()
        const dict = this.dict()
        this.setItems(dict, items)
        return this.push(dict)
      }
      case op.SETITEM: {
        const items = this.popMany(2)
        return this.setItems(this.top(), items)
      }
      case op.SETITEMS: {
        const items = this.popMark()
        return this.setItems(this.top(), items)
      }
      case op.EMPTY_SET:
        return this.push(new Set())
      case op.ADDITEMS: {
        const items = this.popMark()
        return this.addItems(this.top(), items)
      }
      case op.FROZENSET:
        return this.push(builder.frozenset(new Set(this.popMark())))
      default:
        this.stepObject(code)
    }
  }

  /** Opcodes of the memo, of the stack and of objects. */
  private stepObject(code: number): void {
    switch (code) {
      case op.MARK:
        this.marks.push(this.stack.length)
        if (this.marks.length > this.maxStack) throw this.error(`more than ${this.maxStack} open marks`)
        return
      case op.POP:
        if (this.marks.at(-1) === this.stack.length) this.marks.pop()
        else this.pop()
        return
      case op.POP_MARK:
        this.popMark()
        return
      case op.DUP:
        return this.push(this.top())
      case op.PUT:
        return this.put(this.index(this.line()))
      case op.BINPUT:
        return this.put(this.u8())
      case op.LONG_BINPUT:
        return this.put(this.u32())
      case op.MEMOIZE:
        return this.put(this.memo.size)
      case op.GET:
        return this.get(this.index(this.line()))
      case op.BINGET:
        return this.get(this.u8())
      case op.LONG_BINGET:
        return this.get(this.u32())
      case op.GLOBAL: {
        const module = this.line()
        return this.push(new PyGlobal(python3Module(module), this.line()))
      }
      case op.STACK_GLOBAL: {
        const [module, name] = this.popMany(2)
        if (typeof module !== 'string' || typeof name !== 'string')
          throw this.error('STACK_GLOBAL needs two strings')
        return this.push(new PyGlobal(python3Module(module), name))
      }
      case op.REDUCE: {
        const [callable, args] = this.popMany(2)
        return this.push(this.call(callable, this.items(args)))
      }
      case op.NEWOBJ: {
        const [type, args] = this.popMany(2)
        return this.push(new PythonObject(type, this.items(args), 'new'))
      }
      case op.NEWOBJ_EX: {
        const [type, args, kwargs] = this.popMany(3)
        return this.push(new PythonObject(type, this.items(args), 'new', asMap(kwargs)))
      }
      case op.OBJ: {
        const [type, ...args] = this.popMark()
        if (type === undefined) throw this.error('no class on the stack')
        return this.push(this.call(type, args))
      }
      case op.INST: {
        const args = this.popMark()
        const module = this.line()
        return this.push(this.call(new PyGlobal(python3Module(module), this.line()), args))
      }
      case op.BUILD: {
        const state = this.pop()
        const object = this.top()
        if (!(object instanceof PythonObject)) throw this.error('BUILD of something that is no object')
        object.state = state
        object.hasState = true
        return
      }
      case op.PERSID:
        return this.push(this.persistent(this.line()))
      case op.BINPERSID:
        return this.push(this.persistent(this.pop()))
      case op.EXT1:
      case op.EXT2:
      case op.EXT4:
        throw this.error('the copyreg extension registry is not supported')
      case op.NEXT_BUFFER: {
        const buffer = this.options.buffers?.[this.nextBuffer++]
        if (!buffer) throw this.error('an out-of-band buffer is missing')
        return this.push(this.builder.bytearray(Buffer.from(buffer)))
      }
      case op.READONLY_BUFFER:
        return
      default:
        throw this.error('unknown opcode')
    }
  }

  private call(callable: unknown, args: readonly unknown[]): unknown {
    if (callable instanceof PyGlobal && callable.module === 'copyreg') {
      // copyreg._reconstructor(cls, object, None) and copyreg.__newobj__(cls, *args) spell `cls.__new__(cls, …)`.
      const [type, base, state] = args
      const bare =
        base instanceof PyGlobal && base.module === 'builtins' && base.name === 'object' && state === null
      if (callable.name === '_reconstructor' && bare) return new PythonObject(type, [], 'new')
      if (callable.name === '__newobj__') return new PythonObject(type, args.slice(1), 'new')
    }
    return call(callable, args, this.builder)
  }

  private persistent(id: unknown): unknown {
    const load = this.options.persistentLoad
    if (!load) throw this.error('a persistent id, and no persistentLoad to resolve it')
    return load(id) ?? new PyPersistent(id)
  }

  private dict(): Dict {
    return this.maps ? new Map() : {}
  }

  private extend(target: unknown, items: unknown[]): void {
    const list = target instanceof PythonObject ? target.listItems : target
    if (!Array.isArray(list)) throw this.error('items for something that is no list')
    for (const item of items) list.push(item)
  }

  private addItems(target: unknown, items: unknown[]): void {
    if (target instanceof PythonObject) for (const item of items) target.setItems.push(item)
    else if (target instanceof Set) for (const item of items) target.add(item)
    else throw this.error('items for something that is no set')
  }

  private setItems(target: unknown, items: unknown[]): void {
    if (items.length % 2 !== 0) throw this.error('a key without a value')
    for (let i = 0; i < items.length; i += 2) this.setItem(target, items[i], items[i + 1])
  }

  private setItem(target: unknown, key: unknown, value: unknown): void {
    if (target instanceof Map) {
      target.set(key, value)
    } else if (target instanceof PythonObject) {
      target.dictItems.push([key, value])
    } else if (
      typeof target === 'object' &&
      target !== null &&
      Object.getPrototypeOf(target) === Object.prototype
    ) {
      if (typeof key !== 'string' || INDEX_LIKE.test(key)) throw NEEDS_MAPS
      // An assignment to __proto__ would change the object's prototype.
      if (key === '__proto__')
        Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
      else (target as Record<string, unknown>)[key] = value
    } else {
      throw this.error('items for something that is no dict')
    }
  }

  private items(args: unknown): readonly unknown[] {
    if (Array.isArray(args)) return args
    if (args instanceof PyTuple) return args.items
    throw this.error('arguments that are no tuple')
  }

  private python2(bytes: Buffer): unknown {
    const encoding = this.options.encoding ?? 'ascii'
    if (encoding === 'bytes') return Buffer.from(bytes)
    if (encoding === 'latin1') return bytes.toString('latin1')
    if (encoding === 'utf8') return utf8Text(bytes)
    const bad = bytes.findIndex((byte) => byte > 0x7f)
    if (bad >= 0) {
      throw new UnicodeDecodeError(
        `'ascii' codec can't decode byte 0x${bytes[bad]!.toString(16)} in position ${bad}: ordinal not in range(128)`,
      )
    }
    return bytes.toString('latin1')
  }

  private push(value: unknown): void {
    this.stack.push(value)
  }

  private floor(): number {
    return this.marks.at(-1) ?? 0
  }

  private pop(): unknown {
    if (this.stack.length <= this.floor()) throw this.error('the stack is empty')
    return this.stack.pop()
  }

  private top(): unknown {
    if (this.stack.length <= this.floor()) throw this.error('the stack is empty')
    return this.stack[this.stack.length - 1]
  }

  private popMany(count: number): unknown[] {
    if (this.stack.length - count < this.floor()) throw this.error('the stack is empty')
    return this.stack.splice(this.stack.length - count, count)
  }

  private popMark(): unknown[] {
    const mark = this.marks.pop()
    if (mark === undefined) throw this.error('no mark on the stack')
    return this.stack.splice(mark)
  }

  private put(index: number): void {
    this.memo.set(index, this.top())
  }

  private get(index: number): void {
    if (!this.memo.has(index)) throw this.error(`nothing at memo index ${index}`)
    this.push(this.memo.get(index))
  }

  private index(text: string): number {
    if (!/^\d{1,15}$/.test(text)) throw this.error('bad memo index')
    return Number(text)
  }

  private need(length: number): number {
    if (length > this.bytes.length - this.at)
      throw this.error(`${length} bytes announced, ${this.bytes.length - this.at} left`)
    return this.at
  }

  /** Moves past `length` bytes and returns where they start. */
  private take(length: number): number {
    const at = this.need(length)
    this.at += length
    return at
  }

  private slice(length: number): Buffer {
    const at = this.take(length)
    return this.bytes.subarray(at, at + length)
  }

  private u8(): number {
    return this.bytes[this.take(1)]!
  }

  private u32(): number {
    return this.bytes.readUInt32LE(this.take(4))
  }

  private length8(): number {
    const length = this.bytes.readBigUInt64LE(this.take(8))
    if (length > BigInt(this.bytes.length))
      throw this.error(`${length} bytes announced, ${this.bytes.length - this.at} left`)
    return Number(length)
  }

  private utf8(length: number): string {
    return utf8Text(this.slice(length))
  }

  /** Up to the next line feed, one character per byte. */
  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at)
    if (end < 0) throw this.error('a line without an end')
    const text = this.bytes.toString('latin1', this.at, end)
    this.at = end + 1
    return text
  }

  private checked<T>(value: T | undefined, complaint: string): T {
    if (value === undefined) throw this.error(complaint)
    return value
  }

  private error(message: string): UnpicklingError {
    return new UnpicklingError(message, this.start, this.opcode)
  }
}

function asMap(value: unknown): ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return value
  return new Map(Object.entries((value ?? {}) as Record<string, unknown>))
}
