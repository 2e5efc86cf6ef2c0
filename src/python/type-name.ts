/** How Python would name the type of a value, for messages of both libraries. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Uint8Array) return 'bytes'
  switch (typeof value) {
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    default:
      return typeof value === 'object' ? 'dict' : typeof value
  }
}

/** A value in a message: never longer than a line, never an error of its own. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'object' || typeof value === 'function')
    return value === null ? 'null' : `a value of type ${typeName(value)}`
  return String(value)
}
