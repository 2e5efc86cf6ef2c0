/** Groups keys by the part before the last delimiter, with numbers and identifiers replaced. */
import type { Bytes } from '../ground/bytes.js'

const delimiters = /[:/|]/
const identifier = /^(?:\d+|[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f-]{27})$/i

/** `:1:user:17` → `:*:user:`; a key without a delimiter → its letters before the first digit. */
export function prefixOf(key: Bytes): string {
  if (!delimiters.test(key)) return /^\D*/.exec(key)![0] || '(digits)'
  const parts = key.split(/([:/|])/)
  parts.pop()
  return parts.map((part) => (identifier.test(part) ? '*' : part)).join('')
}
