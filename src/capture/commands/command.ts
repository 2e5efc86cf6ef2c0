/** One command of a client, and the form of its reply. */
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
  /** The rest of the connection cannot be recorded: `watch`, `lru_crawler metadump`. */
  | 'endless'

export interface Command {
  readonly protocol: 'text' | 'meta' | 'binary'
  /** As the client wrote it; for the binary protocol the name of the command in the text protocol. */
  readonly verb: string
  readonly parts: readonly Part[]
  readonly shape: ReplyShape
  /** Answered only in some cases. */
  readonly quiet: boolean
  /** Meta: the token of the flag O, which the reply repeats. */
  readonly token?: string
  /** Meta: the key, when the reply repeats it (flag k). */
  readonly returnedKey?: string
  /** Binary: the fields that a reply repeats; for several packets those of the last one. */
  readonly opcode?: number
  readonly opaque?: number
  /** Binary: the command has quiet gets, with or without the packet that ends them. */
  readonly quietGets?: boolean
  /** Not written to a trace: it contains a password, or ends the connection. */
  readonly unrecorded?: boolean
}

/** The largest value that is kept, in bytes. Longer ones are replaced by others of the same type and length. */
export const longestKept = 1024 * 1024 + 4096
/** Bytes of all values of one reply that are kept. */
export const longestReplyKept = 2 * longestKept

/** The longest command line in bytes. pylibmc does not limit the keys of one get. */
export const longestLine = 2 * 1024 * 1024
