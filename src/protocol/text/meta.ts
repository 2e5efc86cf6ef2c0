/**
 * The meta commands of memcached 1.6 for retrieval and storage, beyond libmemcached: same outcomes, and the server answers
 * pipelined requests with few system calls. A get of many keys stays classic, being one request with one reply already, and so do
 * commands without a meta form or without a reply, and stores other than set: an ms in another mode that is refused as too large
 * takes the old item away, which the classic commands leave alone. Both kinds live on one connection.
 */
import type { Output, Protocol } from '../protocol.js'
import type { Request, RetrievalRequest, StoreRequest } from '../requests.js'
import { checkText } from './encode.js'
import type { TextParser } from './parser.js'
import { TextConversation } from './text.js'

export const metaProtocol: Protocol = {
  name: 'meta',
  check: checkText,
  converse: (sink, limits) => new MetaConversation(sink, limits),
}

class MetaConversation extends TextConversation {
  protected override share(request: RetrievalRequest, out: Output): void {
    askOne(request, out, this.parser)
  }

  protected override one(request: Request, out: Output): void {
    if (request.noreply) return super.one(request, out)
    switch (request.kind) {
      case 'store':
        if (request.verb !== 'set') return super.one(request, out)
        encodeSet(request, out)
        return this.parser.expect({ shape: 'meta', words: { HD: 'STORED' } })
      case 'arithmetic':
        out.text(`ma ${request.key} D${request.delta} M${request.verb === 'incr' ? 'I' : 'D'} v\r\n`)
        return this.parser.expect({ shape: 'meta number' })
      case 'delete':
        if (request.time !== undefined) return super.one(request, out)
        out.text(`md ${request.key}\r\n`)
        return this.parser.expect({ shape: 'meta', words: { HD: 'DELETED' } })
      case 'touch':
        if (request.exptime === undefined) return super.one(request, out)
        out.text(`mg ${request.key} T${request.exptime}\r\n`)
        return this.parser.expect({ shape: 'meta', words: { HD: 'TOUCHED', EN: 'NOT_FOUND' } })
      default:
        return super.one(request, out)
    }
  }
}

function encodeSet({ key, flags, exptime, data }: StoreRequest, out: Output): void {
  out.text(`ms ${key} ${data.length} F${flags} T${exptime}\r\n`)
  out.data(data)
  out.text('\r\n')
}

/** Gets leaving together before it is worth asking whether the server knows meta commands. */
const CONCURRENT = 2

/**
 * Text until gets come several at a time, which no Python program does on one client; then the server's version is asked for, once
 * a connection, and from 1.6 on gets go out as mg.
 */
export const autoProtocol: Protocol = {
  name: 'auto',
  check: checkText,
  converse: (sink, limits) => new AutoConversation(sink, limits),
}

class AutoConversation extends TextConversation {
  private meta: boolean | 'unknown' | 'asked' = 'unknown'

  override write(pending: readonly { readonly request: Request }[], out: Output): void {
    if (this.meta === 'unknown' && pending.length >= CONCURRENT && gets(pending) >= CONCURRENT) {
      this.meta = 'asked'
      out.text('version\r\n')
      this.parser.expect({
        shape: 'own',
        take: ({ line }) => {
          const [, major, minor] = /^VERSION (\d+)\.(\d+)/.exec(line) ?? []
          this.meta = Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 6)
        },
      })
    }
    super.write(pending, out)
  }

  protected override share(request: RetrievalRequest, out: Output): void {
    if (this.meta === true) askOne(request, out, this.parser)
    else super.share(request, out)
  }
}

function askOne(request: RetrievalRequest, out: Output, parser: TextParser): void {
  const { verb, keys } = request
  const key = keys[0]!
  out.text(verb === 'gets' ? `mg ${key} f c k v\r\n` : `mg ${key} f k v\r\n`)
  parser.expect({ shape: 'item', request })
}

function gets(pending: readonly { readonly request: Request }[]): number {
  let count = 0
  for (const { request } of pending) if (request.kind === 'retrieval' && !request.multi) count++
  return count
}
