/**
 * The text protocol. Gets of one key that are put on the wire together share one multi-key get: nothing changes for anybody but
 * the server, which answers with one system call instead of many. A single get goes out as both Python libraries send it.
 */

import type { Bytes } from '../../ground/bytes.js'
import type { Conversation, Output, ParserLimits, Protocol, Sink } from '../protocol.js'
import type { Request, RetrievalRequest } from '../requests.js'
import { checkText, encodeText } from './encode.js'
import { type Frame, TextParser } from './parser.js'

/** Keys of one shared get; more are asked with another one, so that the first answers need not wait for the last key. */
const SHARED_KEYS = 64

/** Keys that are not worth two commands. */
const FEW = 4

const LINE: Frame = { shape: 'line' }

export const textProtocol: Protocol = {
  name: 'text',
  check: checkText,
  converse: (sink, limits) => new TextConversation(sink, limits),
}

export class TextConversation implements Conversation {
  protected readonly parser: TextParser
  private shared: RetrievalRequest[] = []
  private most = SHARED_KEYS

  constructor(sink: Sink, limits: ParserLimits) {
    this.parser = new TextParser(sink, limits)
  }

  greet(_out: Output): boolean {
    return false
  }

  write(pending: readonly { readonly request: Request }[], out: Output): void {
    // In quarters: while one is being looked up, the answers to another are being read.
    this.most = Math.min(SHARED_KEYS, Math.max(FEW, Math.ceil(pending.length / 4)))
    for (const { request } of pending) {
      if (request.kind === 'retrieval' && !request.multi) this.share(request, out)
      else {
        this.endShared(out)
        this.one(request, out)
      }
    }
    this.endShared(out)
  }

  protected one(request: Request, out: Output): void {
    encodeText(request, out)
    if (request.kind === 'retrieval') this.parser.expect({ shape: 'items', request })
    else if (request.kind === 'stats' || request.kind === 'config')
      this.parser.expect({ shape: request.kind })
    else if (!request.noreply) this.parser.expect(LINE)
  }

  protected share(request: RetrievalRequest, out: Output): void {
    const { shared } = this
    if (shared.length === this.most || (shared.length > 0 && shared[0]!.verb !== request.verb))
      this.endShared(out)
    this.shared.push(request)
  }

  private endShared(out: Output): void {
    const requests = this.shared
    if (requests.length === 0) return
    this.shared = []
    let line: Bytes = requests[0]!.verb
    for (const { keys } of requests) line += ` ${keys[0]}`
    out.text(`${line}\r\n`)
    this.parser.expect({ shape: 'shared', requests })
  }

  push(chunk: Buffer): void {
    this.parser.push(chunk)
  }

  quit(out: Output): void {
    out.text('quit\r\n')
  }
}
