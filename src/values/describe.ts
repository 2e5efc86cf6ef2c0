/** Values as Python's repr() would show them, shortened for reports, events and messages. */
import { checkNumber } from '../ground/arguments.js'
import { bytesRepr, floatRepr, integerRepr, textRepr } from '../python/repr.js'
import { isStandIn } from './classes/stand-ins.js'

/** The function by which a Python value describes itself. */
export const DESCRIBE: unique symbol = Symbol.for('memshim.describe') as never

interface Described {
  [DESCRIBE](into: Description): void
}

/** Deeper values are shown as `…`. */
const MAX_DEPTH = 100

/** @param maxLength characters; longer descriptions end in `…` */
export function describe(value: unknown, maxLength = 60): string {
  checkNumber('maxLength', maxLength)
  const description = new Description(maxLength)
  description.show(value)
  const { text } = description
  return text.length > maxLength ? `${text.slice(0, Math.max(0, maxLength - 1))}…` : text
}

/**
 * One budget of characters for the whole value. The description ends as soon as the budget is used up, so that its time depends on the length of
 * the description, also for a value that contains the same part many times.
 */
export class Description {
  text = ''
  /** The values that are being described, outermost first. */
  private readonly open: object[] = []

  constructor(private readonly maxLength: number) {}

  show(value: unknown): void {
    if (this.text.length > this.maxLength) return
    if (typeof value !== 'object' || value === null) this.text += this.scalar(value)
    else if (this.open.length >= MAX_DEPTH) this.text += '…'
    else if (this.open.includes(value)) this.text += isDescribed(value) ? '(...)' : inItself(value)
    else {
      this.open.push(value)
      this.object(value)
      this.open.pop()
    }
  }

  private scalar(value: unknown): string {
    if (value === null || value === undefined) return 'None'
    if (typeof value === 'boolean') return value ? 'True' : 'False'
    if (typeof value === 'string') return textRepr(value.slice(0, this.left))
    if (typeof value === 'number') return Number.isInteger(value) ? String(value) : floatRepr(value)
    return typeof value === 'bigint' ? integerRepr(value) : String(value)
  }

  private object(value: object): void {
    if (isDescribed(value)) value[DESCRIBE](this)
    else if (value instanceof Uint8Array) isStandIn(value) ? this.byteArray(value) : this.bytes(value)
    else if (Array.isArray(value)) isStandIn(value) ? this.tuple(value) : this.items('[', value, ']')
    else if (value instanceof Set)
      isStandIn(value) ? this.frozenSet(value) : this.set(value, '{', '}', 'set()')
    else if (value instanceof Map) this.dict('', value, '')
    else this.dict('', Object.entries(value), '')
  }

  add(text: string): void {
    this.text += text
  }

  bytes(bytes: Uint8Array): void {
    this.text += this.bytesText(bytes)
  }

  /** A bytearray also escapes single quotes when its text stands in double quotes. */
  byteArray(bytes: Uint8Array): void {
    const text = this.bytesText(bytes)
    this.text += `bytearray(${text.startsWith('b"') ? text.replaceAll("'", "\\'") : text})`
  }

  private bytesText(bytes: Uint8Array): string {
    const shown = bytes.subarray(0, this.left)
    return bytesRepr(Buffer.from(shown.buffer, shown.byteOffset, shown.length).toString('latin1'))
  }

  tuple(items: readonly unknown[]): void {
    this.items('(', items, items.length === 1 ? ',)' : ')')
  }

  frozenSet(items: ReadonlySet<unknown>): void {
    this.set(items, 'frozenset({', '})', 'frozenset()')
  }

  set(items: ReadonlySet<unknown>, start: string, end: string, empty: string): void {
    if (items.size === 0) this.text += empty
    else this.items(start, items, end)
  }

  items(start: string, items: Iterable<unknown>, end: string): void {
    this.text += start
    let separator = ''
    for (const item of items) {
      this.text += separator
      if (this.left === 0) return
      this.show(item)
      separator = ', '
    }
    this.text += end
  }

  dict(start: string, entries: Iterable<readonly [unknown, unknown]>, end: string): void {
    this.text += `${start}{`
    let separator = ''
    for (const [key, value] of entries) {
      this.text += separator
      if (this.left === 0) return
      this.show(key)
      this.text += ': '
      this.show(value)
      separator = ', '
    }
    this.text += `}${end}`
  }

  /** One character more than fits, by which the caller sees that something was left out. */
  get left(): number {
    return Math.max(0, this.maxLength + 1 - this.text.length)
  }
}

function isDescribed(value: object): value is Described {
  return DESCRIBE in value
}

/** How Python shows a container that contains itself. */
function inItself(value: object): string {
  if (Array.isArray(value)) return isStandIn(value) ? '(...)' : '[...]'
  if (value instanceof Set) return isStandIn(value) ? 'frozenset(...)' : 'set(...)'
  return '{...}'
}
