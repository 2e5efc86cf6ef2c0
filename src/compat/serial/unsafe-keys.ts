/**
 * Blanks, line ends and other control characters in a key, which only `desynchronisation` accepts. Requests are built by code that
 * refuses them; each is replaced by its overlong UTF-8 form, which no text contains, and the serial connection restores it.
 */
import type { Bytes } from '../../ground/bytes.js'

const UNSAFE = /[\x00-\x20\x7f]/g
const FORM = /[\xc0\xc1][\x80-\xbf]/g

/** 0xC0 and 0xC1 begin the two-byte forms of characters of one byte. */
function overlong(character: string): Bytes {
  const code = character.charCodeAt(0)
  return String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 0x3f))
}

export function smuggled(key: Bytes): Bytes {
  return key.replace(UNSAFE, overlong)
}

export function unpacked(line: Bytes): Bytes {
  return line.replace(FORM, (form) =>
    String.fromCharCode(((form.charCodeAt(0) & 1) << 6) | (form.charCodeAt(1) & 0x3f)),
  )
}
