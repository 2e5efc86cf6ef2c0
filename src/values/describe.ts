/** Values as Python's repr() would show them, shortened for reports, events and messages. */
import { bytesRepr, floatRepr, integerRepr, textRepr } from '../python/repr.js'
import { PyCounter, PyDefaultDict, PyDeque, PyOrderedDict } from './python-collections.js'
import { PyDate, PyDateTime, PyTime, PyTimeDelta, PyTimeZone } from './python-dates.js'
import { PyDecimal, PyFraction, PyRange, PySlice, PyUuid } from './python-numbers.js'
import {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyGlobal,
  PyPersistent,
  PyTuple,
  PythonObject,
} from './python-values.js'

/** Deeper values are shown as `…`. */
const MAX_DEPTH = 100

/** @param maxLength characters; longer descriptions end in `…` */
export function describe(value: unknown, maxLength = 60): string {
  const description = new Description(maxLength)
  description.show(value)
  const { text } = description
  return text.length > maxLength ? `${text.slice(0, Math.max(0, maxLength - 1))}…` : text
}

/**
 * One budget of characters for the whole value. Nothing is looked at once it is used up, so that a value whose parts are in many places
 * takes no more time than its description is long.
 */
class Description {
  text = ''
  /** What is being shown, from the outside in. */
  private readonly open: object[] = []

  constructor(private readonly maxLength: number) {}

  show(value: unknown): void {
    if (this.text.length > this.maxLength) return
    if (typeof value !== 'object' || value === null) this.text += this.scalar(value)
    else if (this.open.length >= MAX_DEPTH) this.text += '…'
    else if (this.open.includes(value)) this.text += inItself(value)
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
    if (value instanceof PyFloat) this.text += floatRepr(value.value)
    else if (value instanceof Uint8Array) this.bytes(value)
    else if (Array.isArray(value)) this.items('[', value, ']')
    else if (value instanceof PyTuple) this.items('(', value.items, value.items.length === 1 ? ',)' : ')')
    else if (value instanceof PyFrozenSet) this.set(value.items, 'frozenset({', '})', 'frozenset()')
    else if (value instanceof Set) this.set(value, '{', '}', 'set()')
    else if (value instanceof PyDeque) this.deque(value)
    else if (value instanceof PyOrderedDict) this.dict('OrderedDict(', value, ')')
    else if (value instanceof PyCounter) this.dict('Counter(', value, ')')
    else if (value instanceof PyDefaultDict) {
      this.text += 'defaultdict('
      this.show(value.factory)
      this.dict(', ', value, ')')
    } else if (value instanceof Map) this.dict('', value, '')
    else if (value instanceof PyByteArray) {
      this.text += 'bytearray('
      this.bytes(value.bytes)
      this.text += ')'
    } else if (value instanceof PySlice) this.items('slice(', [value.start, value.stop, value.step], ')')
    else if (value instanceof PyDateTime || value instanceof PyTime || value instanceof PyTimeZone)
      this.zoned(value)
    else {
      const text = atom(value)
      if (text === undefined) this.dict('', Object.entries(value), '')
      else this.text += text
    }
  }

  private zoned(value: PyDateTime | PyTime | PyTimeZone): void {
    if (value instanceof PyTimeZone) {
      const { offset, zoneName } = value
      if (zoneName === undefined && offset.milliseconds === 0) this.text += 'datetime.timezone.utc'
      else this.items('datetime.timezone(', zoneName === undefined ? [offset] : [offset, zoneName], ')')
      return
    }
    const { hour, minute, second, microsecond, tzinfo, fold } = value
    const time = [hour, minute]
    if (second > 0 || microsecond > 0) time.push(second)
    if (microsecond > 0) time.push(microsecond)
    const [name, date] =
      value instanceof PyDateTime ? ['datetime', [value.year, value.month, value.day]] : ['time', []]
    this.text += `datetime.${name}(${[...date, ...time].join(', ')}`
    if (fold) this.text += ', fold=1'
    if (tzinfo !== null) {
      this.text += ', tzinfo='
      this.show(tzinfo)
    }
    this.text += ')'
  }

  private bytes(bytes: Uint8Array): void {
    const shown = bytes.subarray(0, this.left)
    this.text += bytesRepr(Buffer.from(shown.buffer, shown.byteOffset, shown.length).toString('latin1'))
  }

  private set(items: ReadonlySet<unknown>, start: string, end: string, empty: string): void {
    if (items.size === 0) this.text += empty
    else this.items(start, items, end)
  }

  private deque({ items, maxlen }: PyDeque): void {
    this.items('deque([', items, maxlen === null ? '])' : `], maxlen=${maxlen})`)
  }

  private items(start: string, items: Iterable<unknown>, end: string): void {
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

  private dict(start: string, entries: Iterable<readonly [unknown, unknown]>, end: string): void {
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

  /** One character more than fits shows that something was left out. */
  private get left(): number {
    return Math.max(0, this.maxLength + 1 - this.text.length)
  }
}

/** What has no parts; undefined for a plain object. */
function atom(value: object): string | undefined {
  if (value instanceof PyDate) return `datetime.date(${value.year}, ${value.month}, ${value.day})`
  if (value instanceof PyTimeDelta) return timeDelta(value)
  if (value instanceof PyDecimal) return `Decimal('${value}')`
  if (value instanceof PyFraction)
    return `Fraction(${integerRepr(value.numerator)}, ${integerRepr(value.denominator)})`
  if (value instanceof PyUuid) return `UUID('${value}')`
  if (value instanceof PyRange) return range(value)
  if (value instanceof PyComplex) return complex(value)
  if (value instanceof PyGlobal)
    return `<class '${value.module === 'builtins' ? '' : `${value.module}.`}${value.name}'>`
  if (value instanceof PythonObject) return `<${value.className} object>`
  return value instanceof PyPersistent ? '<persistent object>' : undefined
}

function timeDelta({ days, seconds, microseconds }: PyTimeDelta): string {
  const parts = Object.entries({ days, seconds, microseconds }).filter(([, count]) => count !== 0)
  return `datetime.timedelta(${parts.map(([name, count]) => `${name}=${count}`).join(', ') || '0'})`
}

function range({ start, stop, step }: PyRange): string {
  const parts = BigInt(step) === 1n ? [start, stop] : [start, stop, step]
  return `range(${parts.map((part) => integerRepr(BigInt(part))).join(', ')})`
}

function complex({ real, imag }: PyComplex): string {
  const [first, second] = [real, imag].map((part) => floatRepr(part).replace(/\.0$/, ''))
  if (Object.is(real, 0)) return `${second}j`
  return `(${first}${second!.startsWith('-') ? '' : '+'}${second}j)`
}

/** A container inside of itself, as Python shows it. */
function inItself(value: object): string {
  if (Array.isArray(value) || value instanceof PyDeque) return '[...]'
  if (value instanceof PyTuple) return '(...)'
  return value instanceof Set || value instanceof PyFrozenSet ? 'set(...)' : '{...}'
}
