/** The outcome of a request on a connection that the server closed while it was idle. */
import { DEFAULT_LIMITS, type Protocol } from '../protocol/protocol.js'
import type { Request } from '../protocol/requests.js'
import type { IdleEnd } from './errors.js'

const nobody = { reply(): void {}, ready(): void {} }

/** @param takes bytes that the system takes for a connection that was closed */
export function writtenIntoEnded(
  end: IdleEnd,
  request: Request,
  protocol: Protocol,
  takes: number | undefined,
): { readonly end: IdleEnd; readonly taken: boolean } {
  const length = takes === undefined ? 0 : lengthOf(request, protocol)
  if (end !== 'closed') return { end, taken: false }
  if (takes !== undefined && length > takes) return { end: 'broken', taken: false }
  return request.noreply ? { end: 'broken', taken: true } : { end, taken: false }
}

/** The binary protocol numbers the request as one that is sent. */
function lengthOf(request: Request, protocol: Protocol): number {
  let length = 0
  const count = (bytes: { readonly length: number }): void => {
    length += bytes.length
  }
  protocol.converse(nobody, DEFAULT_LIMITS).write([{ request }], { text: count, data: count })
  return length
}
