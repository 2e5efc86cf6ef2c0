/**
 * `num_replicas` in the binary protocol: a set or delete is also sent, quietly, to the next servers by index; a retrieval tries them
 * for the keys whose server cannot be reached. Sources: docs/reference/pylibmc.md#9.4; libmemcached 1.1.4, storage.cc, delete.cc, get.cc
 * (`replication_binary_mget`). libmemcached delays the quiet copies until the next request to that server; memshim sends them at
 * once.
 */

import type { Bytes } from '../ground/bytes.js'
import type { DeleteRequest, StoreRequest } from '../protocol/requests.js'
import { asIs } from '../transport/types.js'
import { MemcachedError } from './failures/errors.js'
import { garbled, resetWhileIdle, wasUnwritten } from './failures/transport-failures.js'
import type { Operation } from './operations.js'
import type { Pipeline } from './pipeline.js'
import type { ReplyHandler } from './receivers.js'
import type { Modes, Selection, Server } from './slots.js'
import { exchange } from './tracing.js'

/** The item of a key, from its server or from one that has a replica. A miss when no server could be reached. */
export async function retrieveReplicated<T>(
  selection: Selection,
  key: Bytes,
  operation: Operation,
  modes: Modes,
  missing: T,
  ask: (server: Server) => Promise<T>,
): Promise<T> {
  let found = missing
  await askReplicas(selection, [key], operation, modes, async (server) => {
    try {
      found = await ask(server)
    } catch (error) {
      if (error instanceof MemcachedError && wasUnwritten(error)) return false
      found = garbled(error, missing)
    }
    return true
  })
  return found
}

/** Copies are made once the key's own server is connected. */
export async function storeReplicated(
  pipeline: Pipeline,
  server: Server,
  request: StoreRequest,
  modes: Modes,
  handler: ReplyHandler<boolean>,
): Promise<boolean> {
  const call = {}
  const { selection } = pipeline
  const { operation, key } = handler
  try {
    await selection.connect?.(server, operation, modes, call, key)
  } catch (error) {
    if (modes.failed === undefined) throw error
    return modes.failed(error, operation, key) as boolean
  }
  const { ended } = server.exchange
  const sent = pipeline.send(server, request, modes, handler)
  const lost = sent.then(
    () => undefined,
    (error: unknown) => error,
  )
  // A value that cannot be written is not copied either.
  if (ended) {
    const error = await lost
    if (error instanceof MemcachedError && resetWhileIdle(error)) throw error
  }
  await replicate(selection, server, true, request, operation, modes, call)
  return sent
}

/** Copies are deleted also if the key's own server cannot be reached. @param send deletes from the key's own server */
export async function deleteReplicated(
  selection: Selection,
  request: DeleteRequest,
  key: Bytes,
  operation: Operation,
  modes: Modes,
  send: () => Promise<boolean>,
): Promise<boolean> {
  const call = {}
  const server = selection.locate?.(key) ?? selection.servers[selection.place(key)]!
  let sent: Promise<boolean>
  let connected = false
  try {
    await selection.admit(server, operation, key)
    await selection.connect?.(server, operation, modes, call, key)
    connected = true
    sent = send()
  } catch (error) {
    sent = Promise.reject(error)
  }
  sent.catch(() => undefined)
  await replicate(selection, server, connected, request, operation, modes, call)
  return sent
}

/**
 * Connects to each server that holds a replica and sends the copy. Its outcome is ignored.
 * @param connected whether the key's own server could be connected
 */
async function replicate(
  selection: Selection,
  primary: Server,
  connected: boolean,
  request: StoreRequest | DeleteRequest,
  operation: Operation,
  modes: Modes,
  call: object,
): Promise<void> {
  const { servers } = selection
  // With more replicas than servers, servers that already have a copy are skipped.
  const done = new Set<Server>(connected ? [primary] : [])
  for (let replica = 1; replica <= (modes.replicas ?? 0); replica++) {
    const server = servers[(primary.index + replica) % servers.length]!
    if (done.has(server) || !(await reached(selection, server, operation, modes, call))) continue
    done.add(server)
    // The next request finds that a connection has ended.
    if (!server.exchange.ended)
      exchange(server, { ...request, noreply: true }, operation, modes, asIs).catch(() => undefined)
  }
}

/** The connection is open, or has been opened. */
async function reached(
  selection: Selection,
  server: Server,
  operation: Operation,
  modes: Modes,
  call: object,
): Promise<boolean> {
  try {
    await selection.admit(server, operation)
    await selection.connect?.(server, operation, modes, call)
    return true
  } catch (error) {
    if (!(error instanceof MemcachedError)) throw error
    return false
  }
}

/**
 * Sends the request to the server of each key, then to the next server by index for the keys whose server could not be reached, and so on. Keys for
 * which no server could be reached are not requested.
 * @param ask resolves with whether the request was sent
 */
export async function askReplicas(
  selection: Selection,
  keys: readonly Bytes[],
  operation: Operation,
  modes: Modes,
  ask: (server: Server, index: number) => Promise<boolean>,
): Promise<void> {
  const { servers } = selection
  const places = keys.map((key) => selection.locate?.(key).index ?? selection.place(key))
  const dead = new Set<Server>()
  const call = {}
  const asked = new Set<number>()
  /** Connected in this call; true if the server had closed the connection: it accepts one more request without an answer. */
  const open = new Map<Server, boolean>()
  const give = (server: Server) => {
    selection.letGo?.(server)
    dead.add(server)
  }
  for (let replica = 0; replica <= (modes.replicas ?? 0); replica++) {
    let complete = true
    const under: Promise<void>[] = []
    for (const [index, place] of places.entries()) {
      const server = servers[(place + replica) % servers.length]!
      if (asked.has(index) || dead.has(server)) continue
      const usable = open.has(server)
        ? open.get(server) === false
        : await reached(selection, server, operation, modes, call)
      if (!usable) {
        give(server)
        complete = false
        continue
      }
      if (!open.has(server)) open.set(server, server.exchange.ended === true)
      asked.add(index)
      const sent = async () => {
        if (await ask(server, index)) return
        asked.delete(index)
        give(server)
        complete = false
      }
      under.push(sent())
    }
    await Promise.all(under)
    if (complete) return
  }
}
