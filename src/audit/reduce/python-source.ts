/** Typed JSON as the source of a Python 3 expression. Pure. */
import type { TypedJson } from '../../values/index.js'

/** @returns an expression; `pickle`, `base64`, `decimal`, `threading` and `unpickled` of the program around it are used where needed */
export function pythonSource(value: TypedJson): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return pythonString(value)
  if (Array.isArray(value)) return `[${value.map(pythonSource).join(', ')}]`
  const fields = value as Readonly<Record<string, TypedJson>>
  const [tag = '', content = null] = Object.entries(fields)[0] ?? []
  const items = Array.isArray(content) ? content : []
  const list = items.map(pythonSource).join(', ')
  switch (tag) {
    case '$int':
      return String(content)
    case '$float':
      return /^-?(nan|inf)$/.test(String(content)) ? `float('${String(content)}')` : String(content)
    case '$bytes':
      return pythonBytes(String(content))
    case '$bytearray':
      return `bytearray(${pythonBytes(String(content))})`
    case '$complex':
      return `complex(${items.map(Number).join(', ')})`
    case '$decimal':
      return `decimal.Decimal('${String(content)}')`
    case '$tuple':
      return items.length === 1 ? `(${list},)` : `(${list})`
    case '$set':
      return items.length === 0 ? 'set()' : `{${list}}`
    case '$frozenset':
      return `frozenset([${list}])`
    case '$dict':
      return `{${items.map((pair) => (Array.isArray(pair) ? pair.map(pythonSource).join(': ') : '')).join(', ')}}`
    case '$repeat':
      return `${pythonSource(items[0] ?? '')} * ${String(items[1])}`
    case '$iterator':
      return `iter([${list}])`
    case '$view':
      return `dict.fromkeys([${list}]).keys()`
    case '$unpicklable':
      // The only known fact about the object is that it cannot be pickled.
      return 'threading.Lock()'
    case '$pickle':
      return `unpickled('${String(content)}')`
    default:
      return `{${Object.entries(fields)
        .map(([key, part]) => `${pythonString(key)}: ${pythonSource(part)}`)
        .join(', ')}}`
  }
}

/** `'…'`, with long runs of one character as a product. */
export function pythonString(text: string): string {
  const [unit] = text
  if (text.length > 100 && unit !== undefined && text === unit.repeat(text.length))
    return `${pythonString(unit)} * ${text.length}`
  let source = ''
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (char === "'" || char === '\\') source += `\\${char}`
    else if (code >= 0x20 && code < 0x7f) source += char
    else if (code > 0xffff) source += `\\U${code.toString(16).padStart(8, '0')}`
    else source += `\\u${code.toString(16).padStart(4, '0')}`
  }
  return `'${source}'`
}

function pythonBytes(bytes: string): string {
  const [unit] = bytes
  if (bytes.length > 100 && unit !== undefined && bytes === unit.repeat(bytes.length))
    return `${pythonBytes(unit)} * ${bytes.length}`
  const inner = bytes.replace(/[^\x20-\x7e]|['\\]/g, (char) =>
    char === "'" || char === '\\' ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return `b'${inner}'`
}
