/** Retrieval of many keys: grouped by server once, requested at the same time, merged once. Source: docs/reference/pylibmc.md#7.3. */

import type { Bytes } from '../ground/bytes.js'
import type { KeyHash } from '../hashing/python-memcached.js'
import * as requests from '../protocol/requests.js'
import type { ItemsReply } from '../protocol/wire.js'
import { endedWhileIdle } from '../transport/errors.js'
import { errorFor, MemcachedError, SomeErrors } from './failures/errors.js'
import { brokenPipe, wasUnwritten, wentStale } from './failures/transport-failures.js'
import type { Pipeline } from './pipeline.js'
import { ValuesHandler } from './receivers.js'
import { askReplicas } from './replicas.js'
import type { Modes, Selection, Server } from './slots.js'

/** The keys that are requested from one server. */
export interface Group {
  readonly server: Server
  /** Keys with their namespace. */
  readonly wires: Bytes[]
  /** Their positions among all keys, ascending. */
  readonly indexes: number[]
}

export type Found = (index: number, value: unknown) => void

/**
 * Values of many keys; `found` is called while the replies are being read. After an error the values that had not arrived are missing; only
 * when no request could be sent is the error of the last key thrown (docs/reference/pylibmc.md#7.3).
 * @throws also the first error of decoding, after all replies have been read
 */
export async function readMulti(
  pipeline: Pipeline,
  keys: readonly Bytes[],
  modes: Modes,
  found: Found,
  hashes?: ReadonlyMap<Bytes, KeyHash>,
): Promise<void> {
  const failures: unknown[] = []
  // Connecting and asking are several exchanges.
  const timed = modes.deadline === undefined ? pipeline.within(modes) : modes
  await askAll(pipeline, keys, timed, hashes, (group) => readGroup(pipeline, group, timed, found, failures))
  if (failures.length > 0) throw failures[0]
}

/** Requests the keys of one server. @param failures collects errors of decoding */
export function readGroup(
  pipeline: Pipeline,
  { server, wires, indexes }: Group,
  modes: Modes,
  found: Found,
  failures: unknown[],
): Promise<ItemsReply> {
  const each = (index: number, value: unknown) => found(indexes[index]!, value)
  const handler = new ValuesHandler(pipeline.slots, server, wires, each, failures)
  return pipeline.send(server, requests.retrieval(modes.retrieval, wires, true, handler), modes, handler)
}

/** With replicas every key has its own request. Never an error of a server. @throws the first error of decoding */
export async function readEach(
  pipeline: Pipeline,
  keys: readonly Bytes[],
  modes: Modes,
  found: Found,
): Promise<void> {
  const failures: unknown[] = []
  const timed = pipeline.withReplicas(modes)
  await askReplicas(pipeline.selection, keys, 'getMulti', timed, async (server, position) => {
    const wires = [modes.namespace + keys[position]!]
    const each = (_: number, value: unknown) => found(position, value)
    const handler = new ValuesHandler(pipeline.slots, server, wires, each, failures)
    try {
      await pipeline.send(server, requests.retrieval('get', wires, false, handler), timed, handler)
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      return !wasUnwritten(error)
    }
    return true
  })
  if (failures.length > 0) throw failures[0]
}

async function askAll(
  { selection }: Pipeline,
  keys: readonly Bytes[],
  modes: Modes,
  hashes: ReadonlyMap<Bytes, KeyHash> | undefined,
  ask: (group: Group) => Promise<unknown>,
): Promise<void> {
  const groups = new Map<Server, Group>()
  const call = {}
  /** The error of the last attempt to connect. */
  let attempt: MemcachedError | undefined
  let group: Group | undefined
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!
    try {
      const picked = selection.pick(key, 'getMulti', hashes?.get(key))
      const server = picked instanceof Promise ? await picked : picked
      if (group?.server !== server) {
        // One server after the other, as libmemcached does: a failure already counts for the next key.
        if (!groups.has(server)) {
          if (server.exchange.state !== 'ready') await selection.connect?.(server, 'getMulti', modes, call)
          attempt = undefined
        }
        group = groupOf(groups, server)
      }
      group.wires.push(modes.namespace + key)
      group.indexes.push(index)
      if (index === modes.keyPrefetch && index > 0) {
        attempt = withoutReset(selection, groups) ?? attempt
        if (!groups.has(server)) group = undefined
      }
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      attempt = error
    }
  }
  if (groups.size === 0) {
    if (attempt) throw attempt
    return
  }
  /** By the index of the server that could not be written to. */
  const unwritten: MemcachedError[] = []
  let asked = 0
  const askGroup = async (group: Group): Promise<void> => {
    try {
      await ask(group)
      asked++
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      const { index } = group.server
      if (modes.binary && wentStale(error)) unwritten[index] = brokenPipe(error, 'getMulti')
      else if (wasUnwritten(error)) unwritten[index] = error
      else asked++
    }
  }
  await Promise.all(Array.from(groups.values(), askGroup))
  const last = unwritten.at(-1)
  if (last) throw asked === 0 ? last : someErrors(last)
  // In the binary protocol the last attempt to connect decides (docs/reference/pylibmc.md#7.3).
  if (modes.binary && attempt) throw attempt
}

/**
 * libmemcached sends what it has gathered at this key (`_io_key_prefetch`). Servers that had reset their connection lose the keys so far, and are
 * connected again for later ones (docs/reference/pylibmc.md#7.3).
 */
function withoutReset(selection: Selection, groups: Map<Server, Group>): MemcachedError | undefined {
  let error: MemcachedError | undefined
  for (const server of groups.keys()) {
    if (!server.exchange.wasReset) continue
    const failure = selection.failed(server, endedWhileIdle(server.name, 'reset'), 'getMulti', undefined)
    if (failure instanceof MemcachedError) error = someErrors(failure)
    selection.letGo?.(server)
    groups.delete(server)
  }
  return error
}

/** Some servers could not be written to. */
function someErrors(last: MemcachedError): MemcachedError {
  const { detail, server, cause, reply } = last
  return errorFor(SomeErrors.retcode, 'getMulti', detail, { server, cause, reply })
}

/** The group of a server, made when there is none. */
export function groupOf(groups: Map<Server, Group>, server: Server): Group {
  let group = groups.get(server)
  if (!group) {
    group = { server, wires: [], indexes: [] }
    groups.set(server, group)
  }
  return group
}
