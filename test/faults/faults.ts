/** The faults of docs/reference/field.md#3 that strike an operation, and how each is caused. */
import { opcode } from '../../src/protocol/binary/opcodes.js'
import type { FaultHere } from '../../src/server/front.js'

export type Wire = 'text' | 'binary'

export interface StruckFault {
  readonly name: string
  /** Applied once the connection is open and warm. */
  readonly cause: (wire: Wire) => FaultHere
  /** What must hold whatever the operation is, in words for the table. */
  readonly rule: string
  /** An operation that it does not strike. */
  readonly without?: string
}

/** A binary reply: header, then the body. */
function binaryReply(fields: {
  opcode: number
  status?: number
  opaque?: number
  body?: string
  total?: number
}): string {
  const { opcode: code, status = 0, opaque = 0, body = '', total = body.length } = fields
  const header = Buffer.alloc(24)
  header[0] = 0x81
  header[1] = code
  header.writeUInt16BE(status, 6)
  header.writeUInt32BE(total, 8)
  header.writeUInt32BE(opaque, 12)
  return header.toString('latin1') + body
}

const replyOf = (text: string, binary: string) => (wire: Wire) =>
  ({ fault: 'reply', bytes: wire === 'binary' ? binary : text }) as const

/** Two bytes are less than every reply has. */
function truncated(ending: 'close' | 'stall'): FaultHere {
  return { fault: 'truncate', bytes: 2, ...JSON.parse(`{"then":"${ending}"}`) }
}

export const faults: readonly StruckFault[] = [
  {
    name: 'the server closes after the request',
    cause: () => ({ fault: 'close' }),
    rule: 'The operation fails at once. The next one opens a new connection.',
  },
  {
    name: 'the server resets the connection',
    cause: () => ({ fault: 'reset' }),
    rule: 'The operation fails at once. The next one opens a new connection.',
  },
  {
    name: 'the server accepts and never answers',
    cause: () => ({ fault: 'stall', count: -1 }),
    rule: 'The operation fails at its deadline, and its connection is closed. The next one opens a new connection.',
  },
  {
    name: 'a line that is no reply',
    cause: replyOf('what is this?\r\n', `what is this, in twenty-four bytes?`),
    rule: 'The reply is never taken for a result, and the connection is closed.',
  },
  {
    name: 'the reply to another key',
    cause: replyOf(
      'VALUE another 0 5\r\nwrong\r\nEND\r\n',
      binaryReply({ opcode: opcode.GET, opaque: 0xdeadbeef, body: '\0\0\0\0wrong' }),
    ),
    rule: 'The value never reaches the caller, and the connection is closed.',
  },
  {
    name: 'an error line',
    cause: replyOf('SERVER_ERROR out of memory\r\n', 'SERVER_ERROR out of memory\r\n'),
    rule: 'Text: the operation fails and the connection stays. Binary: it is no reply, and the connection is closed.',
  },
  {
    name: 'the server stops listening',
    cause: () => ({ fault: 'down' }),
    rule: 'The operation fails at once. The next one after the server is back opens a new connection.',
  },
  {
    name: 'the server restarted while the connection was idle',
    cause: () => ({ fault: 'cut' }),
    rule: 'The first operation fails, as in the Python libraries. The next one opens a new connection.',
  },
  {
    name: 'the reply is cut off, then the connection closes',
    cause: () => truncated('close'),
    rule: 'No part of a reply is taken for the whole. The connection is closed.',
  },
  {
    name: 'the reply is cut off, then nothing',
    cause: () => truncated('stall'),
    rule: 'No part of a reply is taken for the whole. The operation fails at its deadline.',
  },
  {
    name: 'the reply comes byte by byte',
    cause: () => ({ fault: 'slow', ms: 0, count: -1 }),
    rule: 'The operation succeeds on the same connection. Statistics are left out: byte by byte they take longer than the deadline.',
    without: 'getStats',
  },
  {
    name: 'a length that no value has',
    cause: replyOf(
      'VALUE k 0 99999999999999999999\r\n',
      binaryReply({ opcode: opcode.GET, total: 0xffffffff }),
    ),
    rule: 'Nothing is allocated for it. The connection is closed.',
  },
  {
    name: 'a reply without end',
    cause: (wire) => ({ fault: 'reply', bytes: (wire === 'binary' ? '\x81' : 'A').repeat(300_000) }),
    rule: 'The line passes its limit and the connection is closed.',
  },
]
