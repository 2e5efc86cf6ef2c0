/** The replies of the text protocol that correspond to binary statuses. Source: docs/reference/pylibmc.md#7.2. */
import type { Request } from '../requests.js'
import type { LineReply, LineStatus } from '../wire.js'
import { status } from './opcodes.js'

const done: Readonly<
  Record<Exclude<Request['kind'], 'retrieval' | 'stats' | 'arithmetic' | 'config' | 'written'>, LineReply>
> = {
  store: { type: 'line', status: 'STORED', line: 'STORED' },
  delete: { type: 'line', status: 'DELETED', line: 'DELETED' },
  touch: { type: 'line', status: 'TOUCHED', line: 'TOUCHED' },
  flush_all: { type: 'line', status: 'OK', line: 'OK' },
}

const refusals: Readonly<Record<number, readonly [LineStatus, string]>> = {
  [status.NOT_FOUND]: ['NOT_FOUND', 'NOT_FOUND'],
  [status.EXISTS]: ['EXISTS', 'EXISTS'],
  [status.TOO_LARGE]: ['SERVER_ERROR', 'SERVER_ERROR object too large for cache'],
  [status.NOT_STORED]: ['NOT_STORED', 'NOT_STORED'],
  [status.AUTH_ERROR]: ['AUTH_ERROR', 'status 0x20'],
  [status.OUT_OF_MEMORY]: ['OUT_OF_MEMORY', 'status 0x82'],
}

/** The reply to a request that has neither items nor statistics nor a counter. */
export function success(kind: keyof typeof done): LineReply {
  return done[kind]
}

/** `text` is the body of the server's refusal. */
export function refusal(code: number, text: string): LineReply {
  const known = refusals[code]
  if (known) return { type: 'line', status: known[0], line: known[1] }
  const name = `status 0x${code.toString(16).padStart(2, '0')}`
  return { type: 'line', status: 'REFUSED', line: text === '' ? name : `${name} ${text}` }
}
