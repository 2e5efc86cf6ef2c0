/**
 * The state of one reading: input, stack, marks, memo, and the limits on each. The opcodes' work on it lies in
 * `read-*.ts`; the loop that runs them in `reader.ts`.
 */
import { isUtf8 } from 'node:buffer'
import { UnpicklingError } from '../errors.js'
import { isContainer, SharedDepths } from './depth.js'
import type { UnpickleOptions } from './options.js'
import { utf8Text } from './text.js'

const DEFAULT_MAX_STACK = 1_000_000
const DEFAULT_MAX_MEMO = 1_000_000
const DEFAULT_MAX_LENGTH = 256 * 1024 * 1024
const DEFAULT_MAX_OUTPUT = 64 * 1024 * 1024
const DEFAULT_MAX_DEPTH = 1000

/** Substrings up to this length are copies; longer ones would keep the text they were cut from alive. */
const COPIED_SUBSTRING = 12
const WINDOW = 64 * 1024
/** V8's longest string. */
const MAX_TEXT = 0x1fffffe8

/** What `toString` calls after looking at its arguments, which costs as much as a short text. */
interface Slices {
  utf8Slice(start: number, end: number): string
}

export type Dict = Map<unknown, unknown> | Record<string, unknown>

export class Machine {
  /** Where the next byte is read. */
  at = 0
  /** Offset and code of the opcode at work, for messages. */
  start = 0
  opcode: number | undefined
  /** 0–5, as PROTO said; protocols 0 and 1 say nothing. */
  protocol = 0
  readonly end: number
  readonly stack: unknown[] = []
  /** Objects on the stack; the array itself never shrinks, which would reallocate it. */
  height = 0
  /** Stack heights at the open marks. */
  readonly marks: number[] = []
  /** Height at the innermost mark. */
  floor = 0
  readonly memo: unknown[] = []
  memoSize = 0
  /** The innermost mark's objects are nested at most this deep; `deepest` is the bound over all. */
  depth = 0
  readonly depths: number[] = []
  /** Where the bound passed the limit: only then is the result measured exactly. */
  suspect: { readonly offset: number; readonly opcode: number | undefined } | undefined
  private shared: SharedDepths | undefined
  /** An object of a class was made: converters may have work. */
  sawObject = false
  nextBuffer = 0
  nextPersistent = 0
  readonly maxStack: number
  readonly maxDepth: number
  readonly preserve: boolean
  private readonly maxMemo: number
  private outputLeft: number
  private readonly plainDicts: object[] = []
  private dictCount = 0
  /** Dicts of this pass with keys that a plain object cannot hold in place. */
  private oddDicts: Set<object> | undefined
  private window = ''
  private windowStart = 0
  private windowEnd = 0

  constructor(
    readonly bytes: Buffer,
    readonly options: UnpickleOptions,
    /** Ordinals of the dicts that have to be Maps; `all` of them. */
    private readonly maps: ReadonlySet<number> | 'all' | undefined,
    /** What persistent ids stand for, in their order; a second pass does not ask again. */
    readonly persistent: unknown[] = [],
  ) {
    this.end = bytes.length
    this.preserve = options.preserve === true
    this.maxStack = options.maxStack ?? DEFAULT_MAX_STACK
    this.maxMemo = options.maxMemo ?? DEFAULT_MAX_MEMO
    this.maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH
    this.outputLeft = options.maxOutput ?? DEFAULT_MAX_OUTPUT
    const maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH
    if (this.end > maxLength) throw this.error(`${this.end} bytes are more than the limit of ${maxLength}`)
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
    if (this.marks.length >= this.maxStack) throw this.error(`more than ${this.maxStack} open marks`)
    this.marks.push(this.floor)
    this.depths.push(this.depth)
    this.floor = this.height
    this.depth = 0
  }

  /** Closes the innermost mark: its objects begin at the returned height and are no longer on the stack. */
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

  /** An object nested `depth` deep joined the innermost mark's. */
  nest(depth: number): void {
    if (depth <= this.depth) return
    this.depth = depth
    if (depth > this.maxDepth) this.suspectDepth()
  }

  private suspectDepth(): void {
    this.suspect ??= { offset: this.start, opcode: this.opcode }
  }

  /** Something on the stack is now in two places. What is inside of what else can no longer be told by its place on the stack. */
  share(value: unknown): void {
    if (this.suspect || !isContainer(value)) return
    this.shared ??= new SharedDepths()
    const depth = this.shared.of(value)
    if (depth === Number.POSITIVE_INFINITY) this.suspectDepth()
    else this.nest(depth)
  }

  /** Something joins `target`: whatever else holds it is deeper than it was measured. */
  grows(target: unknown): void {
    if (this.shared?.has(target)) this.suspectDepth()
  }

  /** A value went into a container without a mark between them. */
  nestValue(value: unknown): void {
    if (isContainer(value)) this.nest(this.depth + 1)
    else if (this.depth === 0) this.depth = 1
  }

  // ── memo ──

  put(index: number): void {
    const value = this.top()
    if (this.memo[index] === undefined && ++this.memoSize > this.maxMemo)
      throw this.error(`more than ${this.maxMemo} objects in the memo`)
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
    if (this.maps !== undefined && (this.maps === 'all' || this.maps.has(ordinal))) return new Map()
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

  /** Moves past `length` bytes and returns where they start. */
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
    return this.bytes.subarray(at, at + length)
  }

  copy(length: number): Buffer {
    return Buffer.from(this.slice(length))
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
    if (length > MAX_TEXT) throw this.error(`text of ${length} bytes is more than the limit of ${MAX_TEXT}`)
    const text = (bytes as Buffer & Slices).utf8Slice(at, end)
    // Broken input shows as U+FFFD; only then is it worth a closer look.
    if (!text.includes('\ufffd') || isUtf8(bytes.subarray(at, end))) return text
    const surrogates = utf8Text(bytes.subarray(at, end))
    if (surrogates === undefined) throw this.error('text that is not UTF-8', 'builtins.UnicodeDecodeError')
    return surrogates
  }

  /** A line of one to nine decimal digits without a leading zero, the common case; −1 and unread when it is not that. */
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

  /** Up to the next line feed, one character per byte. */
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
    const text = this.bytes.toString('latin1', this.at, end)
    this.at = end + 1
    return text
  }

  // ── complaints ──

  /** Counts what is copied from objects that the memo could hand out again and again. */
  output(units: number): void {
    this.outputLeft -= units
    if (this.outputLeft < 0) throw this.error('the objects are copied to more than the output limit')
  }

  checked<T>(value: T | undefined, complaint: string, python?: string): T {
    if (value === undefined) throw this.error(complaint, python)
    return value
  }

  /** @param python class that CPython raises, when it is not its UnpicklingError */
  error(message: string, python?: string): UnpicklingError {
    return new UnpicklingError(message, this.start, this.opcode, python)
  }

  private moveWindow(at: number): void {
    this.windowStart = at
    this.windowEnd = Math.min(this.end, at + WINDOW)
    this.window = this.bytes.toString('latin1', at, this.windowEnd)
  }
}
