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

/** Bytes of the longer of `get` and `gets`, and of CRLF. */
const VERB = 4
const BREAK = 2

const LINE: Frame = { shape: 'line' }

/** Bytes of the longest command line, where nothing else is said: what ElastiCache Serverless takes. memcached itself takes any. */
export const MAX_COMMAND_LINE = 16_384

/** @param maxCommandLine bytes of the longest line that asks for several keys */
export function textProtocolOf(maxCommandLine = MAX_COMMAND_LINE): Protocol {
  return {
    name: 'text',
    check: checkText,
    converse: (sink, limits) => new TextConversation(sink, limits, maxCommandLine),
  }
}

export const textProtocol = textProtocolOf()

class TextConversation implements Conversation {
  private readonly parser: TextParser
  private shared: RetrievalRequest[] = []
  /** Bytes of the keys in it, each with its blank. */
  private sharedBytes = 0
  private most = SHARED_KEYS

  constructor(
    sink: Sink,
    limits: ParserLimits,
    private readonly maxCommandLine: number,
  ) {
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

  private one(request: Request, out: Output): void {
    if (request.kind === 'retrieval') return this.many(request, out)
    encodeText(request, out)
    if (request.kind === 'stats' || request.kind === 'config') this.parser.expect({ shape: request.kind })
    else if (request.noreply) this.parser.expectNothing()
    else this.parser.expect(LINE)
  }

  /** As many lines as the keys need. */
  private many(request: RetrievalRequest, out: Output): void {
    const { verb, keys } = request
    const most = this.maxCommandLine - BREAK
    let line: Bytes = verb
    let from = 0
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at]!
      if (at > from && line.length + 1 + key.length > most) {
        out.text(`${line}\r\n`)
        this.parser.expect({ shape: 'items', request, from, to: at })
        line = verb
        from = at
      }
      line += ` ${key}`
    }
    out.text(`${line}\r\n`)
    this.parser.expect({ shape: 'items', request, from, to: keys.length })
  }

  private share(request: RetrievalRequest, out: Output): void {
    const { shared } = this
    const bytes = 1 + request.keys[0]!.length
    if (shared.length > 0) {
      const full =
        shared.length === this.most || VERB + this.sharedBytes + bytes + BREAK > this.maxCommandLine
      if (full || shared[0]!.verb !== request.verb) this.endShared(out)
    }
    this.sharedBytes += bytes
    this.shared.push(request)
  }

  private endShared(out: Output): void {
    const requests = this.shared
    if (requests.length === 0) return
    this.shared = []
    this.sharedBytes = 0
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
