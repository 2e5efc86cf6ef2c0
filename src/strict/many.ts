/** Retrieval of many keys: grouped by server once, asked at the same time, merged once. Source: docs/reference/pylibmc.md#7.3. */

import type { Bytes } from '../ground/bytes.js'
import * as requests from '../protocol/requests.js'
import { brokenPipe, Core, neverSent, resetWhileIdle, wentStale } from './core.js'
import { MemcachedError } from './errors.js'
import { ManyValues } from './receivers.js'
import type { Modes, Server } from './slots.js'

/** What one server is asked for. */
export interface Group {
  readonly server: Server
  /** Keys with their namespace. */
  readonly wires: Bytes[]
  /** Where they stand among all keys, ascending. */
  readonly indexes: number[]
}

export class Many extends Core {
  /**
   * Values of many keys; `found` is called while the replies are being read. Errors while reading leave out what had not
   * arrived; only when no server could be asked at all is the error of the last key thrown (docs/reference/pylibmc.md#7.3).
   * @throws also the first thing that decoding throws, once everything has been read
   */
  async readMulti(
    keys: readonly Bytes[],
    modes: Modes,
    found: (index: number, value: unknown) => void,
    hashes?: ReadonlyMap<Bytes, bigint>,
  ): Promise<void> {
    const failures: unknown[] = []
    await this.askAll(keys, modes, hashes, ({ server, wires, indexes }) => {
      const each = (index: number, value: unknown) => found(indexes[index]!, value)
      const values = new ManyValues(this.slots, server, 'getMulti', wires, each, failures)
      return this.send(server, requests.retrieval(modes.retrieval, wires, true, values), modes, values)
    })
    if (failures.length > 0) throw failures[0]
  }

  /**
   * With replicas every key is asked for itself.
   * @throws the error of the last key when nothing could be asked at all
   */
  async readEach(
    keys: readonly Bytes[],
    modes: Modes,
    found: (index: number, value: unknown) => void,
  ): Promise<void> {
    const missing = Symbol('missing')
    const timed = this.within(modes)
    const asked = keys.map((key) => this.read('get', key, 'getMulti', timed, missing))
    const results = await Promise.allSettled(asked)
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    const unexpected = errors.find((error) => !(error instanceof MemcachedError))
    if (unexpected !== undefined) throw unexpected
    if (errors.length > 0 && errors.length === keys.length) throw errors.at(-1)
    for (const [index, result] of results.entries())
      if (result.status === 'fulfilled' && result.value !== missing) found(index, result.value)
  }

  private async askAll(
    keys: readonly Bytes[],
    modes: Modes,
    hashes: ReadonlyMap<Bytes, bigint> | undefined,
    ask: (group: Group) => Promise<void>,
  ): Promise<void> {
    const groups = new Map<Server, Group>()
    /** By the index of the key that met them. */
    const errors: unknown[] = []
    let group: Group | undefined
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!
      try {
        const picked = this.selection.pick(key, 'getMulti', hashes?.get(key))
        const server = picked instanceof Promise ? await picked : picked
        if (group?.server !== server) group = groupOf(groups, server)
        group.wires.push(modes.namespace + key)
        group.indexes.push(index)
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        errors[index] = error
      }
    }
    let asked = 0
    /** Groups of which nothing could be asked. */
    const unasked = new Set<Group>()
    const askGroup = async (group: Group): Promise<void> => {
      try {
        await ask(group)
        asked++
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        if (modes.binary && wentStale(error)) throw brokenPipe(error, 'getMulti')
        const refused = resetWhileIdle(error)
        if (!refused && !neverSent(error)) {
          asked++
          return
        }
        unasked.add(group)
        const second = group.wires.length > 1 && !refused
        errors[group.indexes.at(-1)!] = second ? this.secondError(group.server, error) : error
      }
    }
    await Promise.all(Array.from(groups.values(), askGroup))
    const lastFailed = errors.length - 1
    if (lastFailed < 0) return
    // In the binary protocol the last attempt to connect decides (docs/reference/pylibmc.md#7.3).
    const failed = modes.binary
      ? [...groups.values()].every((group) => unasked.has(group) || group.indexes[0]! < lastFailed)
      : asked === 0
    if (failed) throw errors[lastFailed]
  }

  /**
   * A second key of a server that has just refused already meets the wait state; of a Unix socket whose path is too long, a socket
   * that is open but not connected (fixtures/vectors/unreachable.json).
   */
  private secondError(server: Server, first: MemcachedError): unknown {
    try {
      this.selection.admit(server, 'getMulti')
    } catch (error) {
      if (error instanceof MemcachedError) return error
    }
    return first
  }
}

export function groupOf(groups: Map<Server, Group>, server: Server): Group {
  let group = groups.get(server)
  if (!group) {
    group = { server, wires: [], indexes: [] }
    groups.set(server, group)
  }
  return group
}
