/** python-memcached's log lines. Source: spec/python-memcached §4, §16.2. */
import type { Reply, Request } from '../protocol/wire.js'
import { bytesRepr, textRepr } from '../python/repr.js'
import type { Server } from '../strict/index.js'
import { TransportError } from '../transport/errors.js'
import type { Exchange, ExchangeOptions } from '../transport/types.js'
import type { Emulation } from './emulation.js'

/** `inet:host:port`, `inet6:[addr]:port`, `unix:path`. */
export function hostName({ address }: Pick<Server, 'address'>): string {
  if (address.transport === 'unix') return `unix:${address.path}`
  return address.family === 6
    ? `inet6:[${address.host}]:${address.port}`
    : `inet:${address.host}:${address.port}`
}

/** Why a server counts as dead. */
export function reason(error: Error): string {
  if (!(error instanceof TransportError)) return error.message
  if (error.kind === 'closed') return 'connection closed in readline()'
  if (error.kind === 'timeout') return 'timed out'
  if (error.kind === 'reset') return '[Errno 104] Connection reset by peer'
  const connecting = error.kind === 'connect-timeout' ? 'timed out' : error.message
  return `connect: ${error.code === 'ECONNREFUSED' ? '[Errno 111] Connection refused' : connecting}`
}

const EXPECTED: Readonly<Record<string, string>> = {
  set: 'STORED', add: 'STORED', replace: 'STORED', append: 'STORED', prepend: 'STORED', cas: 'STORED', flush_all: 'OK',
} // biome-ignore format: one list

/** Writes a line for each reply that the command did not hope for. */
export class LoggedExchange implements Exchange {
  constructor(
    readonly inner: Exchange,
    private readonly emulation: Emulation,
  ) {}

  get state(): Exchange['state'] {
    return this.inner.state
  }

  async exchange(request: Request, options?: ExchangeOptions): Promise<Reply> {
    const reply = await this.inner.exchange(request, options)
    if (reply.type === 'line' && request.reply === 'line') this.judge(request.head, reply.line)
    return reply
  }

  private judge(head: string, line: string): void {
    const [verb = ''] = head.split(/[ \r]/, 1)
    const { debug, facts } = this.emulation
    const hoped = EXPECTED[verb]
    if (hoped !== undefined) {
      if (line !== hoped)
        debug(`while expecting ${textRepr(hoped)}, got unexpected response ${textRepr(line)}`)
    } else if (verb === 'delete' && head.endsWith(' \r\n')) {
      // delete_multi, by the blank before its line end.
      if (line !== 'DELETED') debug(`while expecting 'DELETED', got unexpected response ${textRepr(line)}`)
    } else if (verb === 'delete' || verb === 'touch') {
      const deletes = facts.missingDelete === 1 ? 'DELETED or NOT_FOUND' : 'DELETED'
      const expected = verb === 'touch' ? 'TOUCHED' : deletes
      if (expected.split(' or ').includes(line.trim())) return
      const shown = facts.defaults ? expected : bytesRepr(expected)
      debug(`${verb} expected ${shown}, got: ${bytesRepr(line.trim())}`)
    }
  }

  connect(options?: ExchangeOptions): Promise<void> {
    return this.inner.connect(options)
  }

  close(): void {
    this.inner.close()
  }
}
