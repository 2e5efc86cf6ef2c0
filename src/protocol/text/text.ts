/**
 * The text protocol. Gets of one key that are put on the wire together share one multi-key get: nothing changes for anybody but
 * the server, which answers with one system call instead of many. A single get goes out as both Python libraries send it.
 */
import type { Conversation, Output, ParserLimits, Protocol, Sink } from '../protocol.js'
import type { Request, RetrievalRequest } from '../requests.js'
import type { Bytes } from '../wire.js'
import { checkText, encodeText } from './encode.js'
import { TextParser } from './parser.js'

/** Keys of one shared get; more are asked with another one, so that the first answers need not wait for the last key. */
const SHARED_KEYS = 64

export const textProtocol: Protocol = {
  name: 'text',
  check: checkText,
  converse: (sink, limits) => new TextConversation(sink, limits),
}

export class TextConversation implements Conversation {
  protected readonly parser: TextParser
  private readonly shared: Bytes[] = []
  private verb: 'get' | 'gets' = 'get'
  private brief: RetrievalRequest['brief']

  constructor(sink: Sink, limits: ParserLimits) {
    this.parser = new TextParser(sink, limits)
  }

  greet(_out: Output): boolean {
    return false
  }

  write(pending: readonly { readonly request: Request }[], out: Output): void {
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
    if (request.kind === 'retrieval') {
      const { keys, each, brief } = request
      // Without `each` the items are kept until the end.
      this.parser.expect({ shape: 'items', keys, each, brief: each && brief })
    } else if (request.kind === 'stats' || request.kind === 'config')
      this.parser.expect({ shape: request.kind })
    else if (!request.noreply) this.parser.expect({ shape: 'line' })
  }

  protected share(request: RetrievalRequest, out: Output): void {
    const { verb, brief } = request
    if (this.shared.length === SHARED_KEYS || this.verb !== verb || this.brief !== brief) this.endShared(out)
    this.verb = verb
    this.brief = brief
    this.shared.push(request.keys[0]!)
  }

  private endShared(out: Output): void {
    if (this.shared.length === 0) return
    const keys = this.shared.splice(0)
    out.text(`${this.verb} ${keys.join(' ')}\r\n`)
    this.parser.expect({ shape: 'shared', keys, brief: this.brief })
  }

  push(chunk: Buffer): void {
    this.parser.push(chunk)
  }

  quit(out: Output): void {
    out.text('quit\r\n')
  }
}
