/** A proxy between clients and a real memcached, with the faults of docs/formats.md, that records the traffic. */
import { connect } from 'node:net'
import { shown } from '../ground/arguments.js'
import { replyLength, replyShape } from './commands/reply-framing.js'
import type { Answer } from './commands/respond.js'
import { checkOptions, Front, type ListenOptions, needs } from './front.js'
import { Fronted } from './fronted.js'
import { type Answerer, isGoodbye, type RecordedExchange, serve } from './session.js'

/** The options of the proxy: its own address and its target's. */
export interface FaultProxyOptions extends ListenOptions {
  /** The real server: `host:port`, `[v6]:port` or the path of a Unix socket. */
  readonly target: string
  /** Called with each request and its reply. */
  readonly record?: ((exchange: RecordedExchange) => void) | undefined
}

/** The longest data block: more than memcached can be configured for. Bytes. */
const longestKept = 1024 ** 3

/** A proxy in front of any memcached that injects faults (docs/server.md). */
export class FaultProxy extends Fronted {
  protected readonly front: Front
  private connections = 0

  /** @throws TypeError when the target is not an address, for an unknown option and one of another type; RangeError for a port out of range */
  constructor(given: FaultProxyOptions) {
    super()
    checkOptions(given, ['target', 'record'])
    const options = { ...given }
    needs(options, 'record', 'function')
    const target = parseTarget(options.target)
    this.front = new Front(options, (socket) => {
      serve(socket, {
        number: this.connections++,
        longestKept,
        answerer: upstream(target, () => socket.destroy()),
        nextFault: () => this.front.nextFault(),
        nextUnread: () => this.front.nextUnread(),
        ...(options.record ? { record: options.record } : {}),
      })
    })
  }
}

type Target = { readonly host: string; readonly port: number } | { readonly path: string }

function parseTarget(target: string): Target {
  if (typeof target === 'string' && target.startsWith('/')) return { path: target }
  const [, v6, host, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(target) ?? []
  const number = Number(port)
  if (port === undefined || number < 1 || number > 65535) {
    throw new TypeError(`target ${shown(target)} is neither host:port, [v6]:port nor a path`)
  }
  return { host: (v6 ?? host)!, port: number }
}

/** One connection to the real server. When it ends, the client's connection ends too. */
function upstream(target: Target, ended: () => void): Answerer {
  const socket = connect(target)
  let buffer: Buffer = Buffer.alloc(0)
  let arrived: (() => void) | undefined
  let closed = false
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    closed = true
    arrived?.()
    ended()
  })
  socket.on('data', (chunk: Buffer) => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk])
    arrived?.()
  })
  return {
    async answer({ command, line, data }): Promise<Answer> {
      socket.write(line)
      if (data) socket.write(data, 'latin1')
      if (isGoodbye(command)) return { goodbye: [] }
      const shape = replyShape(command)
      let length = replyLength(buffer, shape)
      while (length === undefined) {
        if (closed) return { goodbye: [] }
        await new Promise<void>((resolve) => {
          arrived = resolve
        })
        length = replyLength(buffer, shape)
      }
      const reply = buffer.subarray(0, length)
      buffer = buffer.subarray(length)
      return length > 0 ? [reply] : []
    },
    close: () => socket.destroy(),
  }
}
