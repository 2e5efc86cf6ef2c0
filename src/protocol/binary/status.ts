/** What binary statuses mean, in the text protocol's words. Source: spec/pylibmc §7.2. */
import type { Request } from '../requests.js'
import type { LineReply, LineStatus } from '../wire.js'

const done: Readonly<
  Record<Exclude<Request['kind'], 'retrieval' | 'stats' | 'arithmetic' | 'config'>, LineReply>
> = {
  store: { type: 'line', status: 'STORED', line: 'STORED' },
  delete: { type: 'line', status: 'DELETED', line: 'DELETED' },
  touch: { type: 'line', status: 'TOUCHED', line: 'TOUCHED' },
  flush_all: { type: 'line', status: 'OK', line: 'OK' },
}

const refusals: Readonly<Record<number, readonly [LineStatus, string]>> = {
  1: ['NOT_FOUND', 'NOT_FOUND'],
  2: ['EXISTS', 'EXISTS'],
  3: ['SERVER_ERROR', 'SERVER_ERROR object too large for cache'],
  5: ['NOT_STORED', 'NOT_STORED'],
  32: ['AUTH_ERROR', 'status 0x20'],
  130: ['OUT_OF_MEMORY', 'status 0x82'],
}

/** The reply to a request that has neither items nor statistics nor a counter. */
export function success(kind: keyof typeof done): LineReply {
  return done[kind]
}

/** `text` is what the server wrote into the body of its refusal. */
export function refusal(status: number, text: string): LineReply {
  const known = refusals[status]
  if (known) return { type: 'line', status: known[0], line: known[1] }
  const code = `status 0x${status.toString(16).padStart(2, '0')}`
  return { type: 'line', status: 'unknown', line: text === '' ? code : `${code} ${text}` }
}
