/** Typed JSON made short for reports, and as Python text. */
import { describe, fromTypedJson, type TypedJson } from '../../values/index.js'

const longestText = 120
const longestList = 12

/** The same value with long texts cut and long collections shortened; still typed JSON. */
export function abridge(value: TypedJson, depth = 0): TypedJson {
  if (typeof value === 'string') return cut(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > 5) return '…'
  if (Array.isArray(value)) {
    const parts = value.slice(0, longestList).map((part) => abridge(part, depth + 1))
    return value.length > longestList ? [...parts, `… ${value.length - longestList} more`] : parts
  }
  const fields = value as Readonly<Record<string, TypedJson>>
  if (typeof fields.$pickle === 'string' && !('$repr' in fields || '$base' in fields))
    return { $pickle: cut(fields.$pickle), $repr: described(value) }
  const entries = Object.entries(fields)
  const shown = entries.slice(0, longestList).map(([key, part]) => [key, abridge(part, depth + 1)] as const)
  if (entries.length > longestList) shown.push(['…', `${entries.length - longestList} more`])
  return Object.fromEntries(shown) as TypedJson
}

/** The content of a pickle, if the trace does not describe it. */
function described(value: TypedJson): string {
  try {
    return describe(fromTypedJson(value), longestText)
  } catch {
    return '<pickled object>'
  }
}

function cut(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}… (${text.length} in all)` : text
}

/** The value as Python writes it: `{'a': (1, None)}`. */
export function pythonText(value: TypedJson): string {
  if (value === null) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return quote(cut(value))
  if (Array.isArray(value)) return `[${list(value)}]`
  const fields = value as Readonly<Record<string, TypedJson>>
  const [tag = '', content] = Object.entries(fields)[0] ?? []
  const items = Array.isArray(content) ? content : []
  switch (tag) {
    case '$int':
      return String(content)
    case '$float':
      return String(content)
    case '$bytes':
      return `b${bytesText(String(content))}`
    case '$decimal':
      return `Decimal('${cut(String(content))}')`
    case '$bytearray':
      return `bytearray(b${bytesText(String(content))})`
    case '$complex':
      return `complex(${items.map((part) => String(part)).join(', ')})`
    case '$tuple':
      return items.length === 1 ? `(${list(items)},)` : `(${list(items)})`
    case '$set':
      return items.length === 0 ? 'set()' : `{${list(items)}}`
    case '$frozenset':
      return `frozenset({${list(items)}})`
    case '$dict':
      return `{${items.map((pair) => (Array.isArray(pair) ? pair.map(pythonText).join(': ') : '…')).join(', ')}}`
    case '$repeat':
      return `${pythonText(items[0] ?? '')} * ${String(items[1])}`
    case '$pickle':
      return '$repr' in fields || !('$base' in fields)
        ? cut(String(fields.$repr ?? described(value)))
        : pythonText(fields.$base!)
    case '$unpicklable':
      return cut(String(content))
    default: {
      const entries = Object.entries(fields)
      return `{${entries.map(([key, part]) => `${quote(key)}: ${pythonText(part)}`).join(', ')}}`
    }
  }
}

function list(values: readonly TypedJson[]): string {
  const shown = values.slice(0, longestList).map(pythonText)
  if (values.length > longestList) shown.push(`… ${values.length - longestList} more`)
  return shown.join(', ')
}

function quote(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner}'`
}

function bytesText(bytes: string): string {
  const inner = cut(bytes).replace(/[^\x20-\x7e…]|['\\]/g, (char) => {
    if (char === "'" || char === '\\') return `\\${char}`
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return `'${inner}'`
}
