/**
 * Reads replies of the usual form in the chunk in which they arrived, without a copy and without text for their lines. Every other form
 * is left to lines.ts.
 */
import { isAscii } from 'node:buffer'
import type { BufferMethods, Bytes } from '../../ground/bytes.js'

const CR = 13
const LF = 10
const BLANK = 32
const ZERO = 48

/** Starts at `VALUE`. */
export class ValueScan {
  flags = 0
  length = 0

  /** Reads `VALUE key flags length` for this key. Returns the start of the data block, or 0. */
  header(chunk: Buffer, start: number, key: Bytes): number {
    const keyStart = start + 6
    const keyEnd = keyStart + key.length
    // The shortest rest: ` 0 0\r\n`.
    if (keyEnd + 6 > chunk.length) return 0
    if (
      chunk[start] !== 0x56 || chunk[start + 1] !== 0x41 || chunk[start + 2] !== 0x4c ||
      chunk[start + 3] !== 0x55 || chunk[start + 4] !== 0x45 || chunk[start + 5] !== BLANK ||
      chunk[keyEnd] !== BLANK
    ) return 0 // biome-ignore format: six letters and two blanks
    for (let i = 0; i < key.length; i++) if (chunk[keyStart + i] !== key.charCodeAt(i)) return 0
    const flagsEnd = this.number(chunk, keyEnd + 1)
    if (flagsEnd === 0 || chunk[flagsEnd] !== BLANK) return 0
    this.flags = this.value
    const end = this.number(chunk, flagsEnd + 1)
    if (end === 0 || end + 1 >= chunk.length || chunk[end] !== CR || chunk[end + 1] !== LF) return 0
    this.length = this.value
    return end + 2
  }

  private value = 0

  /** At most nine digits. Returns where they end, or 0. */
  private number(chunk: Buffer, start: number): number {
    let value = 0
    let at = start
    const last = Math.min(start + 9, chunk.length)
    for (; at < last; at++) {
      const digit = chunk[at]! - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    this.value = value
    return at === start || at === chunk.length ? 0 : at
  }
}

/** Whether the chunk has these bytes at the position. */
export function startsWith(chunk: Buffer, start: number, bytes: Uint8Array): boolean {
  if (start + bytes.length > chunk.length) return false
  for (let i = 0; i < bytes.length; i++) if (chunk[start + i] !== bytes[i]) return false
  return true
}

/** The length in bytes from which a check for ASCII before decoding is faster. */
const LONG = 2048
/** The longest text in bytes that is decoded here; longer text is left to the encoding, which has a memory budget. */
const LONGEST_SLICE = 16 * 1024 * 1024
const REPLACEMENT = '\ufffd'

/**
 * Text from the middle of a chunk. Undefined if it is not UTF-8, or if only a full decoder can decide.
 * @param ascii all of the bytes are known to be ASCII
 */
export function sliceText(data: Buffer, start: number, end: number, ascii = false): string | undefined {
  if (end - start > LONGEST_SLICE) return undefined
  if (ascii || (end - start >= LONG && isAscii(data.subarray(start, end))))
    return (data as BufferMethods).latin1Slice(start, end)
  const text = (data as BufferMethods).utf8Slice(start, end)
  return text.includes(REPLACEMENT) ? undefined : text
}
