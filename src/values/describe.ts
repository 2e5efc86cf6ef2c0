/** Values as Python's repr() would show them, shortened for reports, events and messages. */

import { floatRepr } from './pickle/text.js'
import { PyCounter, PyDefaultDict, PyDeque, PyOrderedDict } from './python-collections.js'
import { PyDate, PyDateTime, PyTime, PyTimeDelta, PyTimeZone } from './python-dates.js'
import { PyDecimal, PyFraction, PyRange, PySlice, PyUuid } from './python-numbers.js'
import {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyGlobal,
  PyTuple,
  PythonObject,
} from './python-values.js'

/** @param maxLength characters; longer descriptions end in `…` */
export function describe(value: unknown, maxLength = 60): string {
  const text = repr(value, maxLength)
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text
}

function repr(value: unknown, budget: number): string {
  // Each level shows at least one character: what is deeper would be cut off anyway, and may be a cycle.
  if (budget <= 0) return '…'
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quoted(value, budget)
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : floatRepr(value)
  if (typeof value === 'bigint') return String(value)
  if (value instanceof PyFloat) return floatRepr(value.value)
  if (value instanceof Uint8Array)
    return `b${quoted(Buffer.from(value.subarray(0, budget)).toString('latin1'), budget)}`
  if (Array.isArray(value)) return `[${joined(value, budget)}]`
  if (value instanceof PyTuple)
    return value.items.length === 1 ? `(${joined(value.items, budget)},)` : `(${joined(value.items, budget)})`
  if (value instanceof Set) return value.size === 0 ? 'set()' : `{${joined([...value], budget)}}`
  if (value instanceof PyFrozenSet) return `frozenset({${joined([...value.items], budget)}})`
  if (value instanceof PyByteArray) return `bytearray(${repr(value.bytes, budget)})`
  if (value instanceof PyComplex) return `complex(${floatRepr(value.real)}, ${floatRepr(value.imag)})`
  if (value instanceof PyGlobal) return `<class '${value.module}.${value.name}'>`
  if (value instanceof PythonObject) return `<${value.className} object>`
  const named = typeof value === 'object' ? standard(value as object, budget) : undefined
  if (named !== undefined) return named
  if (value instanceof Map) return `{${pairs([...value], budget)}}`
  return typeof value === 'object' ? `{${pairs(Object.entries(value), budget)}}` : String(value)
}

/** Values of the standard library's classes, each in the form that names what it is. */
function standard(value: object, budget: number): string | undefined {
  if (value instanceof PyDecimal) return `Decimal('${value}')`
  if (value instanceof PyFraction) return `Fraction(${value.numerator}, ${value.denominator})`
  if (value instanceof PyUuid) return `UUID('${value}')`
  if (value instanceof PyRange) return `range(${value.start}, ${value.stop}, ${value.step})`
  if (value instanceof PySlice) return `slice(${joined([value.start, value.stop, value.step], budget)})`
  if (value instanceof PyDate) return `<datetime.date ${value}>`
  if (value instanceof PyDateTime) return `<datetime.datetime ${value}>`
  if (value instanceof PyTime) return `<datetime.time ${value}>`
  if (value instanceof PyTimeZone) return `<datetime.timezone ${value}>`
  if (value instanceof PyTimeDelta)
    return `datetime.timedelta(days=${value.days}, seconds=${value.seconds}, microseconds=${value.microseconds})`
  if (value instanceof PyDeque)
    return `deque([${joined(value.items, budget)}], maxlen=${repr(value.maxlen, budget)})`
  if (value instanceof PyOrderedDict) return `OrderedDict({${pairs([...value], budget)}})`
  if (value instanceof PyCounter) return `Counter({${pairs([...value], budget)}})`
  if (value instanceof PyDefaultDict)
    return `defaultdict(${repr(value.factory, budget)}, {${pairs([...value], budget)}})`
  return undefined
}

function joined(items: readonly unknown[], budget: number): string {
  let text = ''
  for (const item of items) {
    if (text.length > budget) return `${text}, …`
    text += `${text === '' ? '' : ', '}${repr(item, budget - 1)}`
  }
  return text
}

function pairs(entries: readonly (readonly [unknown, unknown])[], budget: number): string {
  let text = ''
  for (const [key, value] of entries) {
    if (text.length > budget) return `${text}, …`
    text += `${text === '' ? '' : ', '}${repr(key, budget - 1)}: ${repr(value, budget - 1)}`
  }
  return text
}

function quoted(text: string, budget: number): string {
  const shown = text.slice(0, budget + 1).replace(/[\\'\0-\x1f\x7f-\xa0]/g, (character) => {
    const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', "'": "\\'" }
    return named[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return `'${shown}'`
}
