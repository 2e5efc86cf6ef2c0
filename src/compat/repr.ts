/** Python's repr() of bytes, as it appears in python-memcached's messages. */
import type { Bytes } from '../protocol/wire.js'

const named: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }

/** `b'a\x00'` */
export function bytesRepr(bytes: Bytes): string {
  const quote = bytes.includes("'") && !bytes.includes('"') ? '"' : "'"
  const body = [...bytes].map((character) => {
    if (character === quote) return `\\${quote}`
    if (named[character]) return named[character]
    const code = character.charCodeAt(0)
    return code >= 0x20 && code < 0x7f ? character : `\\x${code.toString(16).padStart(2, '0')}`
  })
  return `b${quote}${body.join('')}${quote}`
}
