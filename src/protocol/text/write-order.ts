/**
 * The order in which the requests of one write are sent. A get leaves before commands of other keys that were called earlier in the same write,
 * so that more gets share a command: the server answers each command of gets with one system call. The requests of one key keep the order of their calls.
 */
import type { Request } from '../requests.js'

export interface Leaving {
  readonly request: Request
  /** The caller has its result already, and may rely on the request when it sends the next one. */
  readonly settledEarly?: boolean
}

/** The requests in the order in which they are sent; the same array when that is the order of their calls. */
export function inWriteOrder<T extends Leaving>(pending: readonly T[]): readonly T[] {
  if (!someGetFollowsACommand(pending)) return pending
  const ordered: T[] = []
  /** Commands after the gets of the same stretch, and their keys. */
  let commands: T[] = []
  const changed = new Set<string>()
  const endStretch = (): void => {
    for (const each of commands) ordered.push(each)
    commands = []
    changed.clear()
  }
  for (const each of pending) {
    const key = keyOfCommand(each)
    if (key !== undefined) {
      commands.push(each)
      changed.add(key)
      continue
    }
    const { request } = each
    if (!isGet(request) || changed.has(request.keys[0]!)) endStretch()
    ordered.push(each)
  }
  endStretch()
  return ordered
}

function someGetFollowsACommand(pending: readonly Leaving[]): boolean {
  let at = 0
  const { length } = pending
  while (at < length && pending[at]!.request.kind === 'retrieval') at++
  for (at++; at < length; at++) if (isGet(pending[at]!.request)) return true
  return false
}

/** A get of one key, which may share a command with others. */
function isGet(request: Request): request is Request & { kind: 'retrieval' } {
  return request.kind === 'retrieval' && !request.multi
}

/** The key of a command that gets of other keys may overtake. */
function keyOfCommand({ request, settledEarly }: Leaving): string | undefined {
  switch (request.kind) {
    case 'store':
    case 'arithmetic':
    case 'delete':
    case 'touch':
      return settledEarly ? undefined : request.key
    default:
      return undefined
  }
}
