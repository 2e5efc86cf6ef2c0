/**
 * Pickle writer, protocols 0–5, laid out like CPython's C pickler: memo numbers, batches, frames.
 *
 * One thing cannot be the same: Python shares equal strings only when they are one object. JavaScript strings have no
 * identity, so equal strings always share one memo entry here (in Python, dict keys and literals usually do too).
 */
import { ValueError } from '../../python/errors.js'
import { ValueEncodeError } from '../errors.js'
import {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyGlobal,
  PyPersistent,
  PyTuple,
  PythonObject,
} from '../python-values.js'
import { HIGHEST_PROTOCOL, op, python2Module } from './opcodes.js'
import { PickleOutput } from './output.js'
import { encodeLong, escapeUnicode, floatRepr, utf8Bytes } from './text.js'

export interface PickleOptions {
  /** 0…5; negative = the highest. */
  readonly protocol?: number
  /** Id of an object that is stored elsewhere; undefined = pickle it here. */
  readonly persistentId?: (value: unknown) => unknown
  /** Deepest nesting. Default 1000, like CPython's recursion limit. */
  readonly maxDepth?: number
}

const BATCH = 1000
const DEFAULT_MAX_DEPTH = 1000

/** @throws ValueEncodeError for values without a Python counterpart; ValueError for an unsupported protocol */
export function pickle(value: unknown, options: PickleOptions = {}): Buffer {
  const given = options.protocol ?? HIGHEST_PROTOCOL
  if (!Number.isInteger(given) || given > HIGHEST_PROTOCOL) {
    throw new ValueError(`pickle protocol must be <= ${HIGHEST_PROTOCOL}`)
  }
  return new Pickler(given < 0 ? HIGHEST_PROTOCOL : given, options).dump(value)
}

class Pickler {
  private readonly out = new PickleOutput()
  private readonly objects = new Map<object, number>()
  private readonly texts = new Map<string, number>()
  private memoSize = 0
  private depth = 0
  private readonly bin: boolean
  private readonly maxDepth: number

  constructor(
    private readonly protocol: number,
    private readonly options: PickleOptions,
  ) {
    this.bin = protocol >= 1
    this.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH
  }

  dump(value: unknown): Buffer {
    const { out, protocol } = this
    if (protocol >= 2) out.byteArgument(op.PROTO, protocol)
    if (protocol >= 4) out.startFraming()
    this.save(value)
    out.byte(op.STOP)
    return out.finish()
  }

  private save(value: unknown): void {
    if (++this.depth > this.maxDepth)
      throw new ValueEncodeError(`value is nested deeper than ${this.maxDepth}`)
    const id = this.options.persistentId?.(value)
    if (id !== undefined && id !== null) this.savePersistent(id)
    else this.saveAny(value)
    this.depth--
    this.out.boundary()
  }

  private saveAny(value: unknown): void {
    const { out, protocol } = this
    if (value === null) return out.byte(op.NONE)
    switch (typeof value) {
      case 'boolean':
        if (protocol >= 2) return out.byte(value ? op.NEWTRUE : op.NEWFALSE)
        return out.text(value ? 'I01\n' : 'I00\n')
      case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0)
          ? this.saveInteger(value)
          : this.saveFloat(value)
      case 'bigint':
        return this.saveInteger(value)
      case 'string':
        return this.saveText(value)
      case 'object':
        break
      default:
        throw new ValueEncodeError(`cannot pickle ${value === undefined ? 'undefined' : `a ${typeof value}`}`)
    }
    const object = value as object
    if (object instanceof PyFloat) return this.saveFloat(object.value)
    const known = this.objects.get(object)
    if (known !== undefined) return this.get(known)
    if (Array.isArray(object)) return this.saveList(object)
    if (object instanceof PyTuple) return this.saveTuple(object, object.items)
    if (object instanceof Uint8Array) return this.saveBytes(object)
    if (object instanceof Map) return this.saveDict(object, [...object])
    if (object instanceof Set) return this.saveSet(object)
    if (object instanceof PyFrozenSet) return this.saveFrozenSet(object)
    if (object instanceof PyByteArray) return this.saveByteArray(object)
    if (object instanceof PyComplex) {
      const parts = [new PyFloat(object.real), new PyFloat(object.imag)]
      return this.saveReduce(new PyGlobal('builtins', 'complex'), parts, object)
    }
    if (object instanceof PyGlobal) return this.saveGlobal(object)
    if (object instanceof PythonObject) return this.saveObject(object)
    if (object instanceof PyPersistent) return this.savePersistent(object.id)
    const prototype = Object.getPrototypeOf(object)
    if (prototype === Object.prototype || prototype === null)
      return this.saveDict(object, Object.entries(object))
    throw new ValueEncodeError(
      `cannot pickle a ${prototype?.constructor?.name ?? 'nameless'} object; give plain data or Python values`,
    )
  }

  private saveInteger(value: number | bigint): void {
    const { out, bin, protocol } = this
    if (value >= -0x80000000 && value <= 0x7fffffff) {
      const small = Number(value)
      if (!bin) out.text(`I${small}\n`)
      else if (small >= 0 && small < 0x100) out.byteArgument(op.BININT1, small)
      else if (small >= 0 && small < 0x10000) out.shortArgument(op.BININT2, small)
      else out.wordArgument(op.BININT, small)
    } else if (protocol >= 2) {
      const bytes = encodeLong(BigInt(value))
      if (bytes.length < 256) out.byteArgument(op.LONG1, bytes.length)
      else out.wordArgument(op.LONG4, bytes.length)
      out.raw(bytes)
    } else {
      out.text(`L${value}L\n`)
    }
  }

  private saveFloat(value: number): void {
    if (this.bin) this.out.double(op.BINFLOAT, value)
    else this.out.text(`F${floatRepr(value)}\n`)
  }

  private saveText(value: string): void {
    const known = this.texts.get(value)
    if (known !== undefined) return this.get(known)
    if (this.bin) {
      const bytes = utf8Bytes(value)
      this.out.payload(
        header(this.protocol >= 4, bytes.length, op.SHORT_BINUNICODE, op.BINUNICODE, op.BINUNICODE8),
        bytes,
      )
    } else {
      this.out.text(`V${escapeUnicode(value)}\n`)
    }
    this.texts.set(value, this.put())
  }

  private saveBytes(value: Uint8Array): void {
    if (this.protocol >= 3) {
      this.out.payload(header(true, value.length, op.SHORT_BINBYTES, op.BINBYTES, op.BINBYTES8), value)
      this.memoize(value)
    } else if (value.length === 0) {
      this.saveReduce(new PyGlobal('builtins', 'bytes'), [], value)
    } else {
      const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
      this.saveReduce(new PyGlobal('_codecs', 'encode'), [text, 'latin1'], value)
    }
  }

  private saveByteArray(value: PyByteArray): void {
    if (this.protocol >= 5) {
      const head = Buffer.alloc(9)
      head[0] = op.BYTEARRAY8
      head.writeBigUInt64LE(BigInt(value.bytes.length), 1)
      this.out.payload(head, value.bytes)
      this.memoize(value)
    } else {
      const args = value.bytes.length === 0 ? [] : [Buffer.from(value.bytes)]
      this.saveReduce(new PyGlobal('builtins', 'bytearray'), args, value)
    }
  }

  private saveList(list: readonly unknown[]): void {
    if (this.bin) this.out.byte(op.EMPTY_LIST)
    else this.out.text('(l')
    this.memoize(list)
    this.appendItems(list)
  }

  private appendItems(list: readonly unknown[]): void {
    this.batches(list, op.APPEND, op.APPENDS, (item) => this.save(item))
  }

  /** A single item goes alone; more go in batches behind a mark; protocol 0 knows no batches. */
  private batches<T>(items: readonly T[], one: number, many: number, save: (item: T) => void): void {
    if (!this.bin || items.length === 1) {
      for (const item of items) {
        save(item)
        this.out.byte(one)
      }
      return
    }
    for (let from = 0; from < items.length; from += BATCH) {
      this.out.byte(op.MARK)
      const end = Math.min(items.length, from + BATCH)
      for (let i = from; i < end; i++) save(items[i]!)
      this.out.byte(many)
    }
  }

  private saveTuple(tuple: object, items: readonly unknown[]): void {
    const { out, bin, protocol } = this
    if (items.length === 0) {
      if (bin) out.byte(op.EMPTY_TUPLE)
      else out.text('(t')
      return
    }
    const short = protocol >= 2 && items.length <= 3
    if (!short) out.byte(op.MARK)
    for (const item of items) this.save(item)
    const known = this.objects.get(tuple)
    if (known !== undefined) {
      // The tuple contains itself: drop what was stacked and fetch the finished one.
      if (!short && bin) out.byte(op.POP_MARK)
      else for (let i = short ? 1 : 0; i <= items.length; i++) out.byte(op.POP)
      return this.get(known)
    }
    out.byte(short ? op.TUPLE1 + items.length - 1 : op.TUPLE)
    this.memoize(tuple)
  }

  private saveDict(dict: object, entries: readonly (readonly [unknown, unknown])[]): void {
    if (this.bin) this.out.byte(op.EMPTY_DICT)
    else this.out.text('(d')
    this.memoize(dict)
    this.setEntries(entries)
  }

  private setEntries(entries: readonly (readonly [unknown, unknown])[]): void {
    this.batches(entries, op.SETITEM, op.SETITEMS, ([key, value]) => {
      this.save(key)
      this.save(value)
    })
  }

  private saveSet(set: ReadonlySet<unknown>): void {
    const items = [...set]
    if (this.protocol < 4) return this.saveReduce(new PyGlobal('builtins', 'set'), [items], set)
    this.out.byte(op.EMPTY_SET)
    this.memoize(set)
    for (let from = 0; from < items.length; from += BATCH) {
      this.out.byte(op.MARK)
      for (const item of items.slice(from, from + BATCH)) this.save(item)
      this.out.byte(op.ADDITEMS)
    }
  }

  private saveFrozenSet(set: PyFrozenSet): void {
    const items = [...set.items]
    if (this.protocol < 4) return this.saveReduce(new PyGlobal('builtins', 'frozenset'), [items], set)
    this.out.byte(op.MARK)
    for (const item of items) this.save(item)
    const known = this.objects.get(set)
    if (known !== undefined) {
      this.out.byte(op.POP_MARK)
      return this.get(known)
    }
    this.out.byte(op.FROZENSET)
    this.memoize(set)
  }

  private saveReduce(type: unknown, args: readonly unknown[], object: object): void {
    this.save(type)
    this.saveFresh(args)
    this.out.byte(op.REDUCE)
    const known = this.objects.get(object)
    if (known !== undefined) {
      this.out.byte(op.POP)
      return this.get(known)
    }
    this.memoize(object)
  }

  /** An argument tuple: a new object in Python too, so it takes a memo number of its own. */
  private saveFresh(items: readonly unknown[]): void {
    this.save(new PyTuple(items))
  }

  private saveGlobal(global: PyGlobal): void {
    const name = `${global.module}\n${global.name}`
    const known = this.globals.get(name)
    if (known !== undefined) return this.get(known)
    if (this.protocol >= 4) {
      this.save(global.module)
      this.save(global.name)
      this.out.byte(op.STACK_GLOBAL)
    } else {
      const module = this.protocol < 3 ? python2Module(global.module) : global.module
      this.out.text(
        `c${utf8Bytes(module).toString('latin1')}\n${utf8Bytes(global.name).toString('latin1')}\n`,
      )
    }
    this.globals.set(name, this.put())
  }

  /** Classes and functions are singletons in Python. */
  private readonly globals = new Map<string, number>()

  private saveObject(object: PythonObject): void {
    const { out, protocol } = this
    if (object.how === 'call') {
      this.save(object.type)
      this.saveFresh(object.args)
      out.byte(op.REDUCE)
    } else if (object.kwargs && protocol >= 4) {
      this.save(object.type)
      this.saveFresh(object.args)
      this.save(new Map(object.kwargs))
      out.byte(op.NEWOBJ_EX)
    } else if (object.kwargs) {
      throw new ValueEncodeError(
        `${object.className} is made with keyword arguments, which needs pickle protocol 4`,
      )
    } else if (protocol >= 2) {
      this.save(object.type)
      this.saveFresh(object.args)
      out.byte(op.NEWOBJ)
    } else if (object.args.length === 0) {
      this.save(new PyGlobal('copyreg', '_reconstructor'))
      this.saveFresh([object.type, new PyGlobal('builtins', 'object'), null])
      out.byte(op.REDUCE)
    } else {
      this.save(new PyGlobal('copyreg', '__newobj__'))
      this.saveFresh([object.type, ...object.args])
      out.byte(op.REDUCE)
    }
    this.memoize(object)
    if (object.listItems.length > 0) this.appendItems(object.listItems)
    if (object.dictItems.length > 0) this.setEntries(object.dictItems)
    if (object.setItems.length > 0) {
      out.byte(op.MARK)
      for (const item of object.setItems) this.save(item)
      out.byte(op.ADDITEMS)
    }
    if (object.hasState) {
      this.save(object.state)
      out.byte(op.BUILD)
    }
  }

  private savePersistent(id: unknown): void {
    if (this.bin) {
      this.save(id)
      this.out.byte(op.BINPERSID)
      return
    }
    if (typeof id !== 'string' || /[^\x20-\x7e]/.test(id)) {
      throw new ValueEncodeError('persistent IDs in protocol 0 must be ASCII strings')
    }
    this.out.text(`P${id}\n`)
  }

  private memoize(object: object): void {
    this.objects.set(object, this.put())
  }

  private put(): number {
    const index = this.memoSize++
    if (this.protocol >= 4) this.out.byte(op.MEMOIZE)
    else if (!this.bin) this.out.text(`p${index}\n`)
    else if (index < 256) this.out.byteArgument(op.BINPUT, index)
    else this.out.wordArgument(op.LONG_BINPUT, index)
    return index
  }

  private get(index: number): void {
    if (!this.bin) this.out.text(`g${index}\n`)
    else if (index < 256) this.out.byteArgument(op.BINGET, index)
    else this.out.wordArgument(op.LONG_BINGET, index)
  }
}

function header(short: boolean, length: number, code1: number, code4: number, code8: number): Buffer {
  if (short && length < 256) return Buffer.from([code1, length])
  if (length <= 0xffffffff) {
    const head = Buffer.allocUnsafe(5)
    head[0] = code4
    head.writeUInt32LE(length, 1)
    return head
  }
  const head = Buffer.allocUnsafe(9)
  head[0] = code8
  head.writeBigUInt64LE(BigInt(length), 1)
  return head
}
