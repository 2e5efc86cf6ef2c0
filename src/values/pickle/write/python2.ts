/**
 * Writes pickles like Python 2.7's two picklers, `cPickle` (python-memcached up to 1.53) and `pickle` (1.54). Source: CPython 2.7's
 * Modules/cPickle.c and Lib/pickle.py. Tests compare the recordings of these versions and a live Python 2.7 with it.
 *
 * cPickle gives a memo number only to objects whose reference count shows further references. Some counts depend on the origin of a value.
 * This writer assumes that text has further references (usually it is a literal, a key or an argument), and that other values have none
 * unless they occur twice.
 */
import { ValueError } from '../../../python/errors.js'
import { byteTextRepr } from '../../../python/repr.js'
import { PyByteArray, PyFrozenSet, PyGlobal, PyTuple, PythonObject } from '../../classes/built-ins.js'
import { isStandIn } from '../../classes/stand-ins.js'
import { op } from '../opcodes.js'
import { FreshText } from '../reduction.js'
import { sharedKey, writeEntries, writeTuple } from './containers.js'
import { appendItems, saveReduce, setItems } from './objects.js'
import { type PickleOptions, Pickler, type Save } from './pickler.js'
import { python2Order } from './python2-order.js'
import { writers } from './writer.js'

/** The two picklers of Python 2.7. */
export type Python2Module = 'cPickle' | 'pickle'

const HIGHEST_PROTOCOL = 2
const bytearrayType = new PyGlobal('builtins', 'bytearray')
const setType = new PyGlobal('builtins', 'set')
const frozensetType = new PyGlobal('builtins', 'frozenset')
/** Python has only one empty tuple. */
const emptyFrozenSet = {}

const table: ReadonlyMap<object, Save> = new Map<object, Save>([
  ...writers,
  [Array.prototype, (p, list: readonly unknown[]) => saveList(p as Python2Pickler, list)],
  [Map.prototype, (p, map: ReadonlyMap<unknown, unknown>) => saveDict(p as Python2Pickler, map, [...map])],
  [Uint8Array.prototype, (p, bytes: Uint8Array) => (p as Python2Pickler).saveString(bytes)],
  [PyTuple.prototype, (p, tuple: PyTuple) => saveTuple(p as Python2Pickler, tuple.items, tuple)],
  [PyByteArray.prototype, (p, value: PyByteArray) => saveByteArray(p, value.bytes, value)],
  [Set.prototype, saveSet],
  [PyFrozenSet.prototype, (p, set: PyFrozenSet) => saveFrozenSet(p, set.items, set)],
])

/** @throws ValueEncodeError for values without a Python counterpart; ValueError for an unsupported protocol */
export function pickleByPython2(
  module: Python2Module,
  value: unknown,
  options: Omit<PickleOptions, 'converters'> = {},
): Buffer {
  const given = options.protocol ?? 0
  if (!Number.isInteger(given) || given > HIGHEST_PROTOCOL)
    throw new ValueError(`pickle protocol must be <= ${HIGHEST_PROTOCOL}`)
  return new Python2Pickler(module, given < 0 ? HIGHEST_PROTOCOL : given, options, value).dump(value)
}

class Python2Pickler extends Pickler {
  /** The number of occurrences of each object in the value. */
  private readonly occurrences = new Map<object, number>()
  /** For each object that is being written: whether its container holds a reference to it, and whether the object holds references to its items. */
  private readonly places: { readonly held: boolean; holds: boolean }[] = [{ held: true, holds: true }]

  constructor(
    private readonly module: Python2Module,
    protocol: number,
    options: PickleOptions,
    value: unknown,
  ) {
    super(protocol, options, table, (p, dict) => saveDict(p as Python2Pickler, dict, Object.entries(dict)))
    if (module === 'pickle') return
    this.memoSize = 1
    countOccurrences(value, this.occurrences)
  }

  /** Records that the items of the current object are read without taking a reference. */
  borrowsItems(): void {
    this.places.at(-1)!.holds = false
  }

  get inC(): boolean {
    return this.module === 'cPickle'
  }

  /** Memoizes values whose reference count cPickle checks: tuples, strings, empty lists and dicts. */
  memoizeReferred(object: object): void {
    if (!this.inC || this.isReferredTo(object)) this.memoize(object)
  }

  override saveText(value: string): void {
    if (!this.inC) return value === '' ? super.saveText(value) : this.writeNew(value)
    this.writeText(value)
    if (!isSingle(value)) this.put()
  }

  override saveKey(key: string): void {
    this.save(key)
  }

  override saveFreshText(value: string): void {
    if (this.inC) this.writeText(value)
    // Python has a single object for each text of one Latin-1 character that it makes itself. Text that a caller decoded is a separate object.
    else if (value.length <= 1 && value <= '\xff') super.saveText(value)
    else this.writeNew(value)
  }

  override saveFloat(value: number): void {
    if (this.bin || !this.inC) super.saveFloat(value)
    else this.out.text(`F${general17(value)}\n`)
  }

  /** Python 2's `str`. */
  saveString(bytes: Uint8Array): void {
    if (isStandIn(bytes)) return saveByteArray(this, bytes, bytes)
    const { out } = this
    const key = this.inC ? bytes : sharedKey(bytes)
    const known = this.objects.get(key)
    if (known !== undefined) return this.get(known)
    if (!this.bin) out.text(`S${byteTextRepr(Buffer.from(bytes).toString('latin1'))}\n`)
    else {
      if (bytes.length < 256) out.byteArgument(op.SHORT_BINSTRING, bytes.length)
      else out.wordArgument(op.BINSTRING, bytes.length)
      out.raw(bytes)
    }
    if (!this.inC || bytes.length > 1) this.memoizeReferred(key)
  }

  /** `int` has 64 bits. An integer of more than 32 bits is written as text. */
  protected override saveInteger(value: number | bigint): void {
    const long = BigInt(value)
    if (BigInt.asIntN(64, long) === long && BigInt.asIntN(32, long) !== long) this.out.text(`I${value}\n`)
    else super.saveInteger(value)
  }

  protected override saveObject(value: object): void {
    this.places.push({ held: this.places.at(-1)!.holds, holds: true })
    super.saveObject(value)
    this.places.pop()
  }

  protected override writeText(value: string): void {
    if (this.bin) super.writeText(value)
    else this.out.text(`V${escapeUnicode(value)}\n`)
  }

  private writeNew(value: string): void {
    this.writeText(value)
    this.put()
  }

  /** A tuple that the writer made for arguments does not occur in the value. */
  private isReferredTo(object: object): boolean {
    const count = this.occurrences.get(object) ?? 0
    return count > 1 || (count === 1 && this.places.at(-1)!.held)
  }
}

function saveList(p: Python2Pickler, list: readonly unknown[]): void {
  if (isStandIn(list)) return saveTuple(p, list, list)
  if (p.bin) p.out.byte(op.EMPTY_LIST)
  else p.out.text('(l')
  if (list.length === 0) p.memoizeReferred(list)
  else p.memoize(list)
  appendItems(p, list)
}

function saveDict(p: Python2Pickler, dict: object, entries: readonly (readonly [unknown, unknown])[]): void {
  if (p.bin) p.out.byte(op.EMPTY_DICT)
  else p.out.text('(d')
  if (entries.length === 0) p.memoizeReferred(dict)
  else p.memoize(dict)
  const placed = python2Order(
    entries.map(([key, value]) => [p.hashable(key), value] as const),
    ([key]) => key,
  )
  if (p.inC && p.bin) p.borrowsItems()
  if (p.inC) writeEntries(p, placed, placed.length)
  else setItems(p, placed)
}

function saveTuple(p: Python2Pickler, items: readonly unknown[], memoKey: object): void {
  if (p.inC) p.borrowsItems()
  if (writeTuple(p, items, memoKey)) p.memoizeReferred(memoKey)
}

function saveByteArray(p: Pickler, content: Uint8Array, memoKey: object): void {
  const text = new FreshText(Buffer.from(content).toString('latin1'))
  saveReduce(p, bytearrayType, [text, Buffer.from('latin-1')], memoKey)
}

function saveSet(p: Pickler, set: ReadonlySet<unknown>): void {
  if (isStandIn(set)) saveFrozenSet(p, set, set)
  else saveReduce(p, setType, [ordered(p, set)], set)
}

function saveFrozenSet(p: Pickler, set: ReadonlySet<unknown>, memoKey: object): void {
  const key = set.size === 0 ? emptyFrozenSet : memoKey
  const known = p.objects.get(key)
  if (known !== undefined) p.get(known)
  else saveReduce(p, frozensetType, [ordered(p, set)], key)
}

function ordered(p: Pickler, set: ReadonlySet<unknown>): unknown[] {
  return python2Order(p.hashables(set), (item) => item)
}

function countOccurrences(value: unknown, counts: Map<object, number>): void {
  if (typeof value !== 'object' || value === null) return
  const count = counts.get(value) ?? 0
  counts.set(value, count + 1)
  if (count === 0) for (const part of partsOf(value)) countOccurrences(part, counts)
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value
  if (value instanceof Map) return [...value].flat()
  if (value instanceof Set) return value
  if (value instanceof PyTuple || value instanceof PyFrozenSet) return value.items
  if (value instanceof PythonObject) return [value.args, value.state, value.listItems, value.dictItems].flat()
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null ? Object.values(value) : []
}

/** Whether the text has at most one character. Most builds of Python 2 use UCS-4. */
function isSingle(text: string): boolean {
  return text.length < 2 || (text.length === 2 && text.codePointAt(0)! > 0xffff)
}

/** Only a backslash and a line feed are escaped below U+0100. */
function escapeUnicode(text: string): string {
  let out = ''
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code > 0xffff) out += `\\U${code.toString(16).padStart(8, '0')}`
    else if (code > 0xff || code === 0x5c || code === 10) out += `\\u${code.toString(16).padStart(4, '0')}`
    else out += character
  }
  return out
}

/** C's `%.17g`. */
function general17(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [, sign = '', digits = '', exponent = '0'] = /^(-?)([\d.]+)e([+-]\d+)$/.exec(rounded(value)) ?? []
  const power = Number(exponent)
  const bare = digits.replace('.', '').replace(/0+$/, '')
  if (power < -4 || power >= 17) {
    const shown = `${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
    return `${sign}${bare[0]}${bare.length > 1 ? `.${bare.slice(1)}` : ''}e${shown}`
  }
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${bare}`
  const whole = bare.padEnd(power + 1, '0')
  const fraction = whole.slice(power + 1)
  return `${sign}${whole.slice(0, power + 1)}${fraction ? `.${fraction}` : ''}`
}

/** 17 significant digits. C rounds halves to even, JavaScript rounds them up. */
function rounded(value: number): string {
  const up = value.toExponential(16)
  const exact = value.toExponential(40)
  const half = /^-?\d\.\d{16}50{23}e/.test(exact)
  if (!half || /[02468]$/.test(exact.slice(0, exact.indexOf('.') + 17))) {
    return half ? exact.slice(0, exact.indexOf('.') + 17) + exact.slice(exact.indexOf('e')) : up
  }
  return up
}
