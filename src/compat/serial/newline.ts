/**
 * A line feed at the end of a key, which only `desynchronisation` lets through. Requests are built by code that refuses to write
 * one; it travels as the overlong UTF-8 form of itself, which no text has, and the serial connection puts it back.
 */
import type { Bytes } from '../../protocol/wire.js'

const FORM = '\xc0\x8a'

export function smuggled(key: Bytes): Bytes {
  return key.endsWith('\n') ? key.slice(0, -1) + FORM : key
}

export function unpacked(line: Bytes): Bytes {
  return line.includes(FORM) ? line.replaceAll(FORM, '\n') : line
}
