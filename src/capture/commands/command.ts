/** One command of a client, and what its reply looks like. */
import type { Part } from './parts.js'

/** How a reply is delimited. */
export type ReplyShape =
  /** One line. */
  | 'line'
  /** VALUE lines with data, then END. */
  | 'items'
  /** Lines up to END, OK or RESET. */
  | 'lines'
  /** One meta reply, with data when it is VA. */
  | 'meta'
  /** One binary packet. */
  | 'packet'
  /** Binary packets up to one without a key. */
  | 'packets'
  /** The server answers nothing. */
  | 'none'
  /** The connection is of no use for a recording from here on: `watch`, `lru_crawler metadump`. */
  | 'endless'

export interface Command {
  readonly protocol: 'text' | 'meta' | 'binary'
  /** As the client wrote it; for the binary protocol the text protocol's word for the operation. */
  readonly verb: string
  readonly parts: readonly Part[]
  readonly shape: ReplyShape
  /** Answered only when there is something to say. */
  readonly quiet: boolean
  /** Meta: the token of the flag O, which the reply repeats. */
  readonly token?: string
  /** Meta: the key, when the reply repeats it (flag k). */
  readonly returnedKey?: string
  /** Binary: what a reply repeats; of several packets those of the last one. */
  readonly opcode?: number
  readonly opaque?: number
  /** Binary: quiet gets stand before the packet that ends them, or alone. */
  readonly quietGets?: boolean
  /** Not for a trace: it holds a password, or ends the connection. */
  readonly unrecorded?: boolean
}

/** Bytes of one value that is kept as it was. Longer ones are replaced by others of the same type and length. */
export const longestKept = 1024 * 1024 + 4096
/** Bytes of all values of one reply that are kept. */
export const longestReplyKept = 2 * longestKept

/** Bytes of a command line. pylibmc sets no limit to the keys of one get. */
export const longestLine = 2 * 1024 * 1024
