/** The reply of a line that is refused when it is read. */
import type { Bytes } from '../../ground/bytes.js'
import type { Command } from './command.js'

/** A command whose only effect is one line of reply, such as an error. With `quiet` (noreply) the line is not sent. */
export function say(line: Bytes, quiet = false): Command {
  return { kind: 'say', line, quiet }
}
