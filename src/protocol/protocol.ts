/** The interface between a connection and a protocol. Implementations are pure: bytes in and out, no I/O. */

import type { Bytes } from '../ground/bytes.js'
import type { Request } from './requests.js'
import type { Reply } from './wire.js'

export interface ParserLimits {
  /** Longest reply line in bytes. */
  readonly maxLine: number
  /** Longest data block in bytes. */
  readonly maxData: number
}

/** memcached's items are at most 1 GiB (`-I`); its lines stay far below 64 KiB. */
export const DEFAULT_LIMITS: ParserLimits = { maxLine: 65_536, maxData: 1_073_741_824 }

/** Bytes that cannot be a reply; the bytes after them cannot be read reliably. */
export class UnintelligibleReply extends Error {
  override readonly name = 'UnintelligibleReply'
  /** The line that should have begun an item, if it cannot be read. */
  readonly header: Bytes | undefined
  /** The key of an item that was not asked for. */
  readonly foreignKey: Bytes | undefined

  constructor(message: string, { header, foreignKey }: { header?: Bytes; foreignKey?: Bytes } = {}) {
    super(message)
    this.header = header
    this.foreignKey = foreignKey
  }
}

export function notAskedFor(foreignKey: Bytes): UnintelligibleReply {
  const message = `reply names key ${JSON.stringify(foreignKey)}, which was not asked for`
  return new UnintelligibleReply(message, { foreignKey })
}

/** The server refused the credentials (libmemcached's 41), does not offer PLAIN authentication (7), or the credentials are empty (40). */
export class AuthenticationFailure extends Error {
  override readonly name = 'AuthenticationFailure'
  constructor(
    message: string,
    readonly code: 7 | 40 | 41,
  ) {
    super(message)
  }
}

/** Takes the bytes to send, in order. */
export interface Output {
  text(bytes: Bytes): void
  /** A data block. It must not change until it has been sent. */
  data(bytes: Uint8Array | Bytes): void
}

/** The events that a conversation reports to its connection. */
export interface Sink {
  /** The reply to the oldest request that waits for one. */
  reply(reply: Reply): void
  /** The conversation may carry requests now: its first messages have been answered. */
  ready(): void
}

/** The protocol's state of one connection: requests that are not answered yet, and the part of a reply that has arrived. */
export interface Conversation {
  /**
   * Sends the messages before any request (SASL); false when there are none and the connection is ready at once. Otherwise
   * `ready` or an exception from `push` follows.
   */
  greet(out: Output): boolean
  /** Puts requests on the wire, in order. Each one without `noreply` gets one reply, in the same order. */
  write(pending: readonly { readonly request: Request }[], out: Output): void
  /**
   * Reads bytes that have arrived. The chunk is only read during the call; items are copied out of it.
   * @throws UnintelligibleReply, AuthenticationFailure; the conversation must not be used afterwards
   */
  push(chunk: Buffer): void
  /** The header of a reply has arrived, but not its whole body. Absent if replies have no header. */
  readonly announced?: boolean
  /** Sends the command `quit`. */
  quit(out: Output): void
}

export interface Protocol {
  readonly name: 'text' | 'binary'
  /** @throws RangeError when an argument could change the command; nothing is sent then */
  check(request: Request): void
  converse(sink: Sink, limits: ParserLimits): Conversation
}
