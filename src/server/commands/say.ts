/** The reply of a line that is refused when it is read. */
import type { Bytes } from '../../ground/bytes.js'
import type { Command } from './command.js'

/** A command that only answers with one line, such as an error. `quiet` holds the line back, for noreply. */
export function say(line: Bytes, quiet = false): Command {
  return { kind: 'say', line, quiet }
}
