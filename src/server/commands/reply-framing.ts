/** Cuts the byte stream of a memcached into replies. It needs the requests for this. No I/O. */
import { loudOf, opcode } from '../../protocol/binary/opcodes.js'
import type { Command } from './command.js'

/** The replies of quiet meta commands are read together with the reply of the MN after them. */
type Shape = BinaryShape | 'none' | 'line' | 'items' | 'stats' | 'up to MN'

export function replyShape(command: Command): Shape {
  if (command.kind === 'binary') return binaryShape(command.asked)
  if (command.kind === 'get') return 'items'
  if (command.kind === 'stats') return 'stats'
  if (command.kind === 'quit') return 'none'
  if (command.kind === 'say' && command.line === 'MN') return 'up to MN'
  return command.quiet ? 'none' : 'line'
}

/** The length of the first reply in the buffer in bytes; undefined while it is incomplete. */
export function replyLength(buffer: Buffer, shape: Shape): number | undefined {
  if (shape === 'none') return 0
  if (typeof shape === 'object') return binaryLength(buffer, shape)
  let at = 0
  for (;;) {
    const end = buffer.indexOf(10, at)
    if (end < 0) return undefined
    const line = buffer.toString('latin1', at, end)
    at = end + 1
    if (shape === 'items' && line.startsWith('VALUE ')) {
      at += Number(line.trimEnd().split(' ')[3]) + 2
      if (!(at <= buffer.length)) return undefined
    } else if (line.startsWith('VA ') && (shape === 'line' || shape === 'up to MN')) {
      at += Number(line.trimEnd().split(' ')[1]) + 2
      if (!(at <= buffer.length)) return undefined
      if (shape === 'line') return at
    } else if (shape === 'up to MN' && line !== 'MN\r') continue
    else if (shape === 'line' || !/^(STAT|ITEM) /.test(line)) return at
  }
}

/** Binary: all frames up to the last one of a reply. */
interface BinaryShape {
  readonly last: (opcode: number, keyLength: number) => boolean
}

/** The items of quiet gets are read together with the reply to the NOOP after them. */
function binaryShape(asked: number): Shape {
  if (loudOf.has(asked) || asked === opcode.QUIT) return 'none'
  if (asked === opcode.NOOP) return { last: (code) => code === opcode.NOOP }
  if (asked === opcode.STAT) return { last: (_code, keyLength) => keyLength === 0 }
  return { last: () => true }
}

function binaryLength(buffer: Buffer, { last }: BinaryShape): number | undefined {
  let at = 0
  for (;;) {
    if (buffer.length < at + 24) return undefined
    const end = at + 24 + buffer.readUInt32BE(at + 8)
    if (buffer.length < end) return undefined
    if (last(buffer[at + 1]!, buffer.readUInt16BE(at + 2))) return end
    at = end
  }
}
