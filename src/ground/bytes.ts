/**
 * Bytes as text: a `Bytes` string holds one byte per character (U+0000 to U+00FF, "latin1" in Node).
 *
 * Keys and command lines have this form everywhere, because V8 joins such strings without copying and writes all strings of one turn
 * of the event loop to a socket buffer in one call.
 */
export type Bytes = string

/** A Buffer with the methods that `toString` and `write` call after looking at their arguments, which costs as much as a short text. */
export interface BufferMethods extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  latin1Write(text: string, at: number, length: number): number
  utf8Write(text: string, at: number, length: number): number
}

/** The same bytes. The engine compiles the methods of a DataView into the caller, and calls those of a Buffer. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
