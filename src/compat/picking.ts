/** Finding the servers of many keys before anything is sent, as python-memcached does. Source: docs/reference/python-memcached.md#10.5. */
import type { Bytes } from '../ground/bytes.js'
import type { Commands } from '../strict/commands.js'
import { MemcachedError, type Operation, type Server } from '../strict/index.js'

interface Placed {
  readonly key: Bytes
  readonly hash?: bigint
  readonly placedAs?: Bytes
}

/**
 * One key after another, as the probe loop marks servers dead; undefined where there is no server.
 * @param troubles takes the errors of keys without a server
 */
export async function pickAll(
  { selection }: Commands,
  operation: Operation,
  keys: readonly Placed[],
  troubles: unknown[],
): Promise<(Server | undefined)[]> {
  const servers: (Server | undefined)[] = []
  for (const { key, hash, placedAs } of keys) {
    try {
      const picked = selection.pick(placedAs ?? key, operation, hash)
      servers.push(picked instanceof Promise ? await picked : picked)
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      troubles.push(error)
      servers.push(undefined)
    }
  }
  return servers
}
