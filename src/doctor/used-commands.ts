/** The commands that an application sends, from the calls of its trace. */

import type { Trace } from '../audit/index.js'
import { checkMade } from '../ground/arguments.js'

const commands: Readonly<Record<string, string>> = {
  get_multi: 'get',
  set_multi: 'set',
  add_multi: 'add',
  delete_multi: 'delete',
  incr_multi: 'incr',
  get_stats: 'stats',
  get_slabs: 'stats',
}

/** Commands by their names in the text protocol, `binary` for each of the binary protocol, with their counts. @throws TraceError for a wrong line */
export async function usedCommands(trace: Trace): Promise<ReadonlyMap<string, number>> {
  checkMade('trace', trace, 'readTrace()', ['events'])
  const counts = new Map<string, number>()
  for await (const event of trace.events()) {
    const command =
      event.kind === 'call'
        ? (commands[event.call] ?? event.call)
        : event.kind === 'wire'
          ? event.wire.charCodeAt(0) === 0x80
            ? 'binary'
            : /^[a-z_]+/.exec(event.wire)?.[0]
          : undefined
    if (command !== undefined) counts.set(command, (counts.get(command) ?? 0) + 1)
  }
  return counts
}
