/**
 * pymemcache's text protocol: complete commands, each with its own reader of the reply. No I/O.
 * Source: docs/reference/pymemcache.md#8, #14.
 */
import type { Bytes } from '../ground/bytes.js'
import type { Conversation, Output, Protocol, Sink } from '../protocol/protocol.js'
import { Fifo, type Request, type WrittenRequest } from '../protocol/requests.js'
import { HANDED_OVER } from '../protocol/wire.js'
import { Inbox } from './inbox.js'
import type { Reading } from './readings.js'

/** A command with the reader of its reply; without a reading the call does not wait for a reply. */
export interface Command extends WrittenRequest {
  readonly reading: Reading | undefined
}

export function command(pieces: readonly (Bytes | Uint8Array)[], reading?: Reading): Command {
  return { kind: 'written', pieces, noreply: reading === undefined, reading }
}

export const pymemcacheProtocol: Protocol = {
  name: 'text',
  check() {},
  converse: (sink) => new PymemcacheConversation(sink),
}

class PymemcacheConversation implements Conversation {
  private readonly inbox = new Inbox()
  private readonly waiting = new Fifo<Reading>()

  constructor(private readonly sink: Sink) {}

  greet(_out: Output): boolean {
    return false
  }

  write(pending: readonly { readonly request: Request }[], out: Output): void {
    for (const { request } of pending) {
      const { pieces, reading } = request as Command
      for (const piece of pieces) {
        if (typeof piece === 'string' && piece.length < 1024) out.text(piece)
        else out.data(piece)
      }
      if (reading) this.waiting.push(reading)
    }
    // A reply that no call waited for answers the next command, once that has been sent.
    if (this.inbox.length > 0 && this.waiting.length > 0) queueMicrotask(() => this.read())
  }

  push(chunk: Buffer): void {
    this.inbox.add(chunk)
    this.read()
    this.inbox.keep()
  }

  private read(): void {
    for (let reading = this.waiting.first; reading?.take(this.inbox); reading = this.waiting.first) {
      this.waiting.shift()
      // pymemcache drops the bytes that arrived after the end of a reply.
      if (this.waiting.length === 0) this.inbox.clear()
      this.sink.reply(HANDED_OVER)
    }
  }

  /** Closing sends nothing: `quit` is a separate command. */
  quit(_out: Output): void {}
}
