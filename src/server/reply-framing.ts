/** Cuts the replies of a memcached out of its byte stream, given the requests. No I/O. */
import type { Command } from './command.js'

/** Quiet meta commands say nothing that could be waited for: their replies come with the MN behind them. */
type Shape = 'none' | 'line' | 'items' | 'stats' | 'up to MN'

export function replyShape(command: Command): Shape {
  if (command.kind === 'get') return 'items'
  if (command.kind === 'stats') return 'stats'
  if (command.kind === 'quit') return 'none'
  if (command.kind === 'say' && command.line === 'MN') return 'up to MN'
  return command.quiet ? 'none' : 'line'
}

/** Bytes of the first reply in the buffer, or undefined while it is incomplete. */
export function replyLength(buffer: Buffer, shape: Shape): number | undefined {
  let at = 0
  for (;;) {
    if (shape === 'none') return 0
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
