/**
 * Bytes as text: a `Bytes` string holds one byte per character (U+0000 to U+00FF, "latin1" in Node).
 *
 * Keys and command lines have this form everywhere, because V8 joins such strings without copying and writes all strings of one turn
 * of the event loop to a socket buffer in one call.
 */
export type Bytes = string
