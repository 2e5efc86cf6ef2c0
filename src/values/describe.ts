/** Values as Python's repr() would show them, shortened for reports, events and messages. */
import { floatRepr } from './pickle/text.js'
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
  if (value instanceof Map) return `{${pairs([...value], budget)}}`
  return typeof value === 'object' ? `{${pairs(Object.entries(value), budget)}}` : String(value)
}

function joined(items: readonly unknown[], budget: number): string {
  let text = ''
  for (const item of items) {
    if (text.length > budget) return `${text}, …`
    text += `${text === '' ? '' : ', '}${repr(item, budget)}`
  }
  return text
}

function pairs(entries: readonly (readonly [unknown, unknown])[], budget: number): string {
  let text = ''
  for (const [key, value] of entries) {
    if (text.length > budget) return `${text}, …`
    text += `${text === '' ? '' : ', '}${repr(key, budget)}: ${repr(value, budget)}`
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
