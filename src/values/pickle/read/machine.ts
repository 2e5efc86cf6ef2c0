/**
 * The state of one reading: input, stack, marks, memo, and their limits. The loop over the opcodes is in `reader.ts`; `objects.ts`,
 * `text-opcodes.ts` and `containers.ts` have the work of single opcodes.
 */
import { isUtf8 } from 'node:buffer'
import { type BufferMethods, viewOf } from '../../../ground/bytes.js'
import type { Budget } from '../../budget.js'
import { located, UnpicklingError, ValueDecodeError } from '../../errors.js'
import { FLAG_PICKLE } from '../../types.js'
import type { EmptyArguments } from '../late-arguments.js'
import type { UnpickleOptions } from '../options.js'
import { utf8Text } from '../text.js'
import { ENTRY_COST, FIRST_ITEM_COST, HASHED_COST, MEMBER_COST } from './costs.js'
import { depthOf, isContainer, SharedDepths } from './depth.js'
import { clashes, LEAST_CLASHING, LEAST_LONG } from './hash-flood.js'

const DEFAULT_MAX_DEPTH = 1000
/** The part of the budget that is spent before the depth is measured for the first time. Bytes. */
const FIRST_MEASUREMENT = 64 * 1024

/** V8 is very slow with memo numbers that are far larger than the number of objects. No pickle writer uses such numbers. */
const SPARSE_FROM = 1024
const SPARSE_COST = 1024
/** V8 copies substrings up to this length. Longer ones keep the text that they were cut from in memory. */
const COPIED_SUBSTRING = 12
const WINDOW = 64 * 1024
/** The size from which a DataView of a pickle saves more time than its creation takes. Bytes. */
const LEAST_VIEWED = 256
/** The comparison of longer text, lines and integers may take long. Bytes. */
const LONG = 1024

export type Dict = Map<unknown, unknown> | Record<string, unknown>

export class Machine {
  /** Where the next byte is read. */
  at = 0
  /** Offset and code of the current opcode, for messages. */
  start = 0
  opcode: number | undefined
  /** 0–5, from the opcode PROTO. Pickles of protocols 0 and 1 do not have it. */
  protocol = 0
  readonly end: number
  readonly stack: unknown[] = []
  /** The number of objects on the stack. The array never shrinks, because shrinking would reallocate it. */
  height = 0
  /** Stack heights at the open marks. */
  readonly marks: number[] = []
  /** Height at the innermost mark. */
  floor = 0
  readonly memo: unknown[] = []
  memoSize = 0
  /** An upper bound of the depth of the objects above the innermost mark. `deepest` is the bound for all objects. */
  depth = 0
  readonly depths: number[] = []
  /** Whether the bound has passed the limit. Only then is the result measured exactly. */
  suspect: { readonly offset: number; readonly opcode: number | undefined } | undefined
  /** The spent bytes at which the loop stops: the limit of the budget, or less to measure the depth. */
  pause: number
  private measuredAt = FIRST_MEASUREMENT
  private shared: SharedDepths | undefined
  /** The empty containers among objects' arguments, when there are objects. */
  emptyArguments: EmptyArguments | undefined
  /** Whether an object of a class was made, so that converters may apply. */
  sawObject = false
  /** Whether such an object was made from values that are not preserved. Then the pickle is read again. */
  needsPreserving = false
  nextBuffer = 0
  nextPersistent = 0
  readonly maxDepth: number
  readonly preserve: boolean
  /** The number of keys from which they are checked. */
  private leastClashing = LEAST_CLASHING
  /** The sizes at which the keys of large dicts and sets were last checked. */
  private checkedSizes: Map<object, number> | undefined
  private readonly plainDicts: object[] = []
  private dictCount = 0
  /** The dicts of this pass with keys whose order a plain object would change. */
  private oddDicts: Set<object> | undefined
  private window = ''
  private windowStart = 0
  private windowEnd = 0
  private view: DataView | undefined = undefined

  constructor(
    readonly bytes: Buffer,
    readonly options: UnpickleOptions,
    readonly budget: Budget,
    /** Ordinals of the dicts that have to be Maps; `all` of them. */
    private readonly maps: ReadonlySet<number> | 'all' | undefined,
    /** The objects of the persistent ids, in their order, so that a second pass does not call `persistentLoad` again. */
    readonly persistent: unknown[] = [],
  ) {
    this.end = bytes.length
    this.preserve = options.preserve === true
    this.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH
    this.pause = budget.limit
  }

  // ── stack ──

  push(value: unknown): void {
    this.stack[this.height++] = value
  }

  pop(): unknown {
    if (this.height <= this.floor) throw this.error('the stack is empty')
    return this.stack[--this.height]
  }

  top(): unknown {
    if (this.height <= this.floor) throw this.error('the stack is empty')
    return this.stack[this.height - 1]
  }

  replaceTop(value: unknown): void {
    this.stack[this.height - 1] = value
  }

  popMany(count: number): unknown[] {
    const from = this.height - count
    if (from < this.floor) throw this.error('the stack is empty')
    const items = this.stack.slice(from, this.height)
    this.height = from
    return items
  }

  mark(): void {
    this.marks.push(this.floor)
    this.depths.push(this.depth)
    this.floor = this.height
    this.depth = 0
  }

  /** Closes the innermost mark and takes its objects from the stack. They begin at the returned height. */
  closeMark(): number {
    const outer = this.marks.pop()
    if (outer === undefined) throw this.error('no mark on the stack')
    const from = this.floor
    this.height = from
    this.floor = outer
    const inner = this.depth
    this.depth = this.depths.pop()!
    this.nest(inner + 1)
    return from
  }

  popMark(): unknown[] {
    const end = this.height
    const from = this.closeMark()
    return this.stack.slice(from, end)
  }

  // ── depth ──

  /** Records that an object with this depth was put above the innermost mark. */
  nest(depth: number): void {
    if (depth <= this.depth) return
    this.depth = depth
    if (depth > this.maxDepth) this.suspectDepth()
  }

  /**
   * Requests a measurement, since the bound may be too high. The depth is measured before the next opcode, and again when twice as much has been read.
   * Therefore a pickle that is too deep is refused long before its end, and measuring takes no more time than reading.
   */
  private suspectDepth(): void {
    this.suspect ??= { offset: this.start, opcode: this.opcode }
    this.pause = Math.min(this.budget.limit, Math.max(this.budget.spent, this.measuredAt))
  }

  /** Records that an object on the stack is now in two places, so that its place on the stack no longer shows which object contains it. */
  share(value: unknown): void {
    if (this.suspect || !isContainer(value)) return
    this.shared ??= new SharedDepths()
    const depth = this.shared.of(value)
    if (depth === Number.POSITIVE_INFINITY) this.suspectDepth()
    else this.nest(depth)
  }

  /** Records that `target` grows: every object that contains it may now be deeper than measured. */
  grows(target: unknown): void {
    this.emptyArguments?.grows(target)
    if (this.shared?.has(target)) this.suspectDepth()
  }

  /** Records that a value was put into a container without a mark between them. */
  nestValue(value: unknown): void {
    if (isContainer(value)) this.nest(this.depth + 1)
    else if (this.depth === 0) this.depth = 1
  }

  // ── memo ──

  put(index: number): void {
    const value = this.top()
    if (index > 2 * this.memoSize + SPARSE_FROM) this.spend(SPARSE_COST)
    if (this.memo[index] === undefined) this.memoSize++
    this.memo[index] = value
  }

  get(index: number): void {
    const value = this.memo[index]
    if (value === undefined) throw this.error(`nothing at memo index ${index}`)
    if (typeof value === 'object') this.share(value)
    this.stack[this.height++] = value
  }

  // ── dicts ──

  dict(): Dict {
    const ordinal = this.dictCount++
    if (this.maps !== undefined && (this.maps === 'all' || this.maps.has(ordinal))) {
      this.spend(HASHED_COST)
      return new Map()
    }
    const dict = {}
    this.plainDicts[ordinal] = dict
    return dict
  }

  needsMap(dict: object): void {
    this.oddDicts ??= new Set()
    this.oddDicts.add(dict)
  }

  /** Ordinals of the dicts that another pass has to read as Maps; undefined when there are none. */
  get missingMaps(): ReadonlySet<number> | undefined {
    const odd = this.oddDicts
    if (!odd) return undefined
    const ordinals = new Set<number>()
    this.plainDicts.forEach((dict, ordinal) => {
      if (odd.has(dict)) ordinals.add(ordinal)
    })
    return ordinals
  }

  // ── input ──

  /** Skips `length` bytes and returns the offset of the first. */
  take(length: number): number {
    const { at } = this
    if (length > this.end - at) throw this.error(`${length} bytes announced, ${this.end - at} left`)
    this.at = at + length
    return at
  }

  u8(): number {
    return this.bytes[this.take(1)]!
  }

  u32(): number {
    const at = this.take(4)
    const { bytes } = this
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) + bytes[at + 3]! * 0x100_0000
  }

  /** A big-endian float of eight bytes. */
  double(): number {
    const at = this.take(8)
    if (this.bytes.length < LEAST_VIEWED) return this.bytes.readDoubleBE(at)
    this.view ??= viewOf(this.bytes)
    return this.view.getFloat64(at)
  }

  /** A signed length of four bytes. */
  length4(): number {
    const length = this.bytes.readInt32LE(this.take(4))
    if (length < 0) throw this.error(`negative length ${length}`)
    return length
  }

  length8(): number {
    const at = this.take(8)
    const high = this.bytes.readUInt32LE(at + 4)
    const length = high * 0x1_0000_0000 + this.bytes.readUInt32LE(at)
    if (length > this.end - this.at) throw this.error(`${length} bytes announced, ${this.end - this.at} left`)
    return length
  }

  /** A view, not a copy. */
  slice(length: number): Buffer {
    const at = this.take(length)
    if (length > LONG) this.leastClashing = LEAST_LONG
    return this.bytes.subarray(at, at + length)
  }

  copy(length: number): Buffer {
    const bytes = this.slice(length)
    this.spend(length)
    return Buffer.from(bytes)
  }

  /** UTF-8 with lone surrogates, as Python's `surrogatepass` reads it. */
  utf8(length: number): string {
    const at = this.take(length)
    const { bytes } = this
    const end = at + length
    if (length <= COPIED_SUBSTRING) {
      let high = 0
      for (let i = at; i < end; i++) high |= bytes[i]!
      if (high < 0x80) {
        if (end > this.windowEnd || at < this.windowStart) this.moveWindow(at)
        return this.window.substring(at - this.windowStart, end - this.windowStart)
      }
    }
    this.spend(length)
    if (length > LONG) this.leastClashing = LEAST_LONG
    const text = (bytes as BufferMethods).utf8Slice(at, end)
    // Invalid UTF-8 is decoded as U+FFFD. Valid text may contain that character too.
    if (!text.includes('\ufffd') || isUtf8(bytes.subarray(at, end))) return text
    const surrogates = utf8Text(bytes.subarray(at, end))
    if (surrogates === undefined) throw this.error('text that is not UTF-8', 'builtins.UnicodeDecodeError')
    return surrogates
  }

  /** Reads a line of one to nine decimal digits without a leading zero, the usual case. It returns −1 and reads nothing for other lines. */
  digits(): number {
    const { bytes, at } = this
    let value = 0
    let i = at
    for (; i < this.end && i - at < 10; i++) {
      const digit = bytes[i]! - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    const length = i - at
    if (length === 0 || length > 9 || bytes[i] !== 0x0a || (length > 1 && bytes[at] === 0x30)) return -1
    this.at = i + 1
    return value
  }

  /** The text up to the next line feed, with one character per byte. */
  line(): string {
    const limit = Math.min(this.end, this.at + COPIED_SUBSTRING)
    for (let i = this.at; i < limit; i++) {
      if (this.bytes[i] !== 0x0a) continue
      const { at } = this
      if (i > this.windowEnd || at < this.windowStart) this.moveWindow(at)
      this.at = i + 1
      return this.window.substring(at - this.windowStart, i - this.windowStart)
    }
    const end = this.bytes.indexOf(0x0a, this.at)
    if (end < 0) throw this.error('a line without an end')
    this.spend(end - this.at)
    if (end - this.at > LONG) this.leastClashing = LEAST_LONG
    const text = this.bytes.toString('latin1', this.at, end)
    this.at = end + 1
    return text
  }

  // ── budget ──

  /** @param bytes memory that the value takes in addition to the costs of its opcodes @throws ValueDecodeError */
  spend(bytes: number): void {
    if (!this.budget.spend(bytes)) throw this.overBudget()
  }

  /** Charges for `items` that are appended to a list of `size` items. */
  spendOnList(size: number, items: number): void {
    this.spend((size === 0 && items > 0 ? FIRST_ITEM_COST : 0) + 8 * items)
  }

  /** Charges for `count` entries that are put into a dict. */
  spendOnDict(count: number): void {
    this.spend(ENTRY_COST * count)
  }

  /** Charges for `count` items that are put into a set. */
  spendOnSet(count: number): void {
    this.spend(MEMBER_COST * count)
  }

  /**
   * Checks stack entries `from`…`to` before they are put into a Map or a Set. V8's hashes of numbers and of long text are predictable, so that
   * an attacker can choose keys with equal hashes, and then a hundred thousand numbers or a thousand texts take minutes.
   */
  checkHashes(target: Map<unknown, unknown> | Set<unknown>, from: number, to: number, step: number): void {
    const added = (to - from) / step
    const size = target.size + added
    if (size < this.leastClashing) return
    this.checkedSizes ??= new Map()
    if (added < this.leastClashing / 8 && size < 1.25 * (this.checkedSizes.get(target) ?? 0)) return
    this.checkedSizes.set(target, size)
    const keys = [...target.keys()]
    for (let i = from; i < to; i += step) keys.push(this.stack[i])
    this.checkKeys(keys)
  }

  /** @throws ValueDecodeError if too many hashes are equal */
  checkKeys(keys: readonly unknown[]): void {
    if (keys.length >= this.leastClashing && clashes(keys))
      throw this.limit(`${keys.length} keys are chosen so that their hashes clash`)
  }

  /** The loop calls this when it has spent more than `pause`. @throws ValueDecodeError */
  paused(): void {
    const { spent, limit } = this.budget
    if (spent > limit) throw this.overBudget()
    this.pause = limit
    this.measuredAt = 2 * spent
    // The stack counts as one level.
    if (depthOf(this.stack.slice(0, this.height), this.maxDepth + 1) > this.maxDepth + 1) throw this.tooDeep()
  }

  // ── errors ──

  private overBudget(): ValueDecodeError {
    return this.limit(`the value takes more memory than the limit of ${this.budget.limit} bytes`, 'maxMemory')
  }

  tooDeep(): ValueDecodeError {
    return this.limit(`nested deeper than ${this.maxDepth}`, 'maxDepth', this.suspect)
  }

  checked<T>(value: T | undefined, complaint: string, python?: string): T {
    if (value === undefined) throw this.error(complaint, python)
    return value
  }

  /** @param python the class that CPython raises, if it is not UnpicklingError */
  error(message: string, python?: string): UnpicklingError {
    return new UnpicklingError(message, this.start, this.opcode, python)
  }

  /** @param option the option that changes the limit */
  private limit(
    message: string,
    option?: string,
    at: { readonly offset: number; readonly opcode: number | undefined } = {
      offset: this.start,
      opcode: this.opcode,
    },
  ): ValueDecodeError {
    const hint = option === undefined ? '' : `; the option ${option} sets another limit`
    return new ValueDecodeError('limit', `${located(message, at.offset, at.opcode)}${hint}`, FLAG_PICKLE)
  }

  private moveWindow(at: number): void {
    this.windowStart = at
    this.windowEnd = Math.min(this.end, at + WINDOW)
    this.window = this.bytes.toString('latin1', at, this.windowEnd)
  }
}
