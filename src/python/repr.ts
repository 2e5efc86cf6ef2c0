/** Python's repr() of bytes and text, as it appears in messages of both libraries. */
import type { Bytes } from '../ground/bytes.js'

const named: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' }

/** `b'a\x00'` */
export function bytesRepr(bytes: Bytes): string {
  return `b${textRepr(bytes)}`
}

/** `'a\x00'`, for text of characters up to U+00FF. */
export function textRepr(text: Bytes): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = [...text].map((character) => {
    if (character === quote) return `\\${quote}`
    if (named[character]) return named[character]
    const code = character.charCodeAt(0)
    return code >= 0x20 && code < 0x7f ? character : `\\x${code.toString(16).padStart(2, '0')}`
  })
  return `${quote}${body.join('')}${quote}`
}
