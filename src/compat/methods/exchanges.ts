/** One exchange with one server whose reply the caller judges, outside of the pipeline's own commands. */

import type { Bytes } from '../../ground/bytes.js'
import type { Commands } from '../../pipeline/commands.js'
import { isExpected } from '../../pipeline/replies.js'
import type { Modes, Operation, Server } from '../../pipeline/slots.js'
import { exchange } from '../../pipeline/tracing.js'
import type { Request } from '../../protocol/requests.js'
import type { Reply } from '../../protocol/wire.js'

/** Tells the selection how it went. @throws what the selection makes of a transport failure */
export function converse(
  { selection }: Commands,
  server: Server,
  request: Request,
  operation: Operation,
  key: Bytes | undefined,
  modes: Modes,
): Promise<Reply> {
  return exchange(server, request, operation, modes, {
    reply: (reply) => {
      selection.succeeded(server)
      if (!isExpected(reply.type === 'line' ? reply : reply.end, operation)) server.exchange.close(false)
      return reply
    },
    failed: (error) => {
      throw selection.failed(server, error, operation, key)
    },
  })
}
