/**
 * The text protocol: requests as bytes, with the blanks of the Python libraries (docs/reference/pylibmc.md#11.1,
 * docs/reference/python-memcached.md#16.1), and one conversation on a connection. Gets of one key that are put on the wire together share
 * one multi-key get: callers see no difference, and the server answers with one system call instead of many. A single get is sent
 * as by both Python libraries.
 */
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { Conversation, Output, ParserLimits, Protocol, Sink } from '../protocol.js'
import { checkStore, type Request, type RetrievalRequest, type StoreRequest } from '../requests.js'
import { type Frame, TextParser } from './parser.js'

/** The largest number of keys of one shared get, so that the first answers need not wait for the last key. */
const SHARED_KEYS = 64

/** A shared get is not ended for its length before it has this many keys. */
const FEW = 4

/** Bytes of the longer of `get` and `gets`, and of CRLF. */
const VERB = 4
const BREAK = 2

const LINE: Frame = { shape: 'line' }

/** The default longest command line in bytes: the limit of ElastiCache Serverless. memcached itself has none. */
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
    // In quarters: the server looks up one while the answers to another are being read.
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
    else if (request.noreply) this.parser.expectNothing(request.kind)
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

// Characters that cannot be part of a word of a command line: blanks and control characters. DEL and bytes from 0x80 on are legal in keys.
const UNSAFE = /[^\x21-\xff]/
const UNSAFE_LINE = /[^\x20-\x7e\x80-\xff]/

function word(text: Bytes, what: string): void {
  if (text.length === 0 || UNSAFE.test(text)) refuse(text, what)
}

function refuse(text: Bytes, what: string): never {
  throw new RangeError(`${what} ${JSON.stringify(text.slice(0, 80))} cannot stand in a command line`)
}

/** Several words as the last argument: the server answers with an error, unless the last word is noreply. */
function words(text: Bytes, what: string): void {
  if (text === '' || UNSAFE_LINE.test(text) || / noreply *$/.test(text)) refuse(text, what)
}

function key(text: Bytes): void {
  if (text.length > MAX_KEY_LENGTH)
    throw new RangeError(`key of ${text.length} bytes is over ${MAX_KEY_LENGTH}`)
  word(text, 'key')
}

/**
 * The last check before the wire: no argument may change the structure of the line.
 * @throws RangeError naming the argument
 */
export function checkText(request: Request): void {
  switch (request.kind) {
    case 'retrieval':
      for (const each of request.keys) key(each)
      return
    case 'store':
      key(request.key)
      return checkStore(request)
    case 'arithmetic':
      key(request.key)
      return request.delta === '' ? undefined : word(request.delta, 'delta')
    case 'delete':
      key(request.key)
      return request.time === undefined ? undefined : words(request.time, 'time')
    case 'touch':
      key(request.key)
      return request.exptime === undefined ? undefined : words(request.exptime, 'time')
    case 'stats':
      if (UNSAFE_LINE.test(request.argument ?? ''))
        throw new RangeError(`stats argument ${JSON.stringify(request.argument)}`)
      return
    case 'written':
      throw new RangeError('a written command belongs to another protocol')
    case 'config':
    case 'flush_all':
  }
}

/** `request` has passed `checkText`. */
export function encodeText(request: Request, out: Output): void {
  if (request.kind === 'store') encodeStore(request, out)
  else if (request.kind !== 'written')
    out.text(request.kind === 'retrieval' ? retrievalLine(request) : commandLine(request))
}

function encodeStore(request: StoreRequest, out: Output): void {
  const { verb, key, flags, exptime, data, cas, noreply, tail } = request
  const unique = verb === 'cas' ? ` ${cas ?? 0n}` : ''
  out.text(
    `${verb} ${key} ${flags} ${exptime} ${data.length}${unique}${noreply ? ' noreply' : ''}${tail}\r\n`,
  )
  out.data(data)
  out.text('\r\n')
}

function retrievalLine({ verb, keys }: RetrievalRequest): Bytes {
  let line: Bytes = verb
  for (const each of keys) line += ` ${each}`
  return `${line}\r\n`
}

function commandLine(
  request: Exclude<Request, StoreRequest | RetrievalRequest | { kind: 'written' }>,
): Bytes {
  const noreply = request.noreply ? ' noreply' : ''
  switch (request.kind) {
    case 'arithmetic':
      return `${request.verb} ${request.key}${request.delta && ` ${request.delta}`}${noreply}\r\n`
    case 'delete': {
      const time = request.time === undefined ? '' : ` ${request.time}`
      return `delete ${request.key}${time}${noreply}${request.tail}\r\n`
    }
    case 'touch': {
      const time = request.exptime === undefined ? '' : ` ${request.exptime}`
      return `touch ${request.key}${time}${noreply}\r\n`
    }
    case 'flush_all':
      return `${request.delay === undefined ? request.spelled : `flush_all ${request.delay}`}${noreply}\r\n`
    case 'config':
      return 'config get cluster\r\n'
    case 'stats':
      return request.argument === undefined ? `${request.spelled}\r\n` : `stats ${request.argument}\r\n`
  }
}
