/**
 * `num_replicas` in the binary protocol: a set or delete also goes, quietly, to the next servers by index; a get falls back to them
 * when the key's own server cannot be reached. Source: docs/reference/pylibmc.md#9.4. libmemcached keeps the quiet copies back until something
 * else is asked of that server; here they leave at once.
 */

import type { Bytes } from '../ground/bytes.js'
import type { DeleteRequest, StoreRequest } from '../protocol/requests.js'
import { MemcachedError } from './errors.js'
import type { Modes, Operation, Selection, Server } from './slots.js'
import { asIs, exchange } from './tracing.js'

/** The servers after a key's own, in the order they hold its replicas. */
function replicasOf(selection: Selection, primary: number, { replicas = 0 }: Modes): Server[] {
  const { servers } = selection
  const count = Math.min(replicas, servers.length - 1)
  return Array.from({ length: count }, (_, i) => servers[(primary + i + 1) % servers.length]!)
}

/** Nobody hears how it went. */
export function replicate(
  selection: Selection,
  primary: Server,
  request: StoreRequest | DeleteRequest,
  operation: Operation,
  modes: Modes,
): void {
  for (const server of replicasOf(selection, primary.index, modes)) {
    void (async () => {
      await selection.admit(server, operation)
      await exchange(server, { ...request, noreply: true }, operation, modes, asIs)
    })().catch(() => undefined)
  }
}

/** Asks one replica after the other. @throws `first` when none could be asked either */
export async function fromReplica<T>(
  selection: Selection,
  key: Bytes,
  modes: Modes,
  operation: Operation,
  first: unknown,
  ask: (server: Server) => Promise<T>,
): Promise<T> {
  for (const server of replicasOf(selection, selection.place(key), modes)) {
    try {
      await selection.admit(server, operation)
      return await ask(server)
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
    }
  }
  throw first
}
