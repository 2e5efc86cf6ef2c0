/** pylibmc's delete, delete_multi and touch over the pipeline. Source: docs/reference/pylibmc.md#5, #5.4, #5.7. */

import type { Bytes } from '../../ground/bytes.js'
import * as requests from '../../protocol/requests.js'
import { errorFor } from '../failures/errors.js'
import { prefixBytes, refusesKey } from '../keys.js'
import type { Pipeline } from '../pipeline.js'
import { deleteReplicated } from '../replicas.js'
import { softOutcome } from '../replies.js'
import type { Modes } from '../slots.js'
import {
  type CallOptions,
  type Key,
  keysOf,
  optionNames,
  type PrefixOptions,
  type Time,
} from './arguments.js'

/** libmemcached's return code. */
const TIMEOUT = 31

export async function remove(pipeline: Pipeline, key: Key, options?: CallOptions): Promise<boolean> {
  const modes = pipeline.modes(pipeline.options(options, optionNames.call))
  return removeWire(pipeline, pipeline.slots.key(key, 'delete', ''), modes)
}

/** @param overridden a subclass's own delete, which is called for every key instead */
export async function deleteMulti(
  pipeline: Pipeline,
  keys: Iterable<Key>,
  given: PrefixOptions | undefined,
  overridden?: (key: Key, options?: CallOptions) => Promise<boolean>,
): Promise<boolean> {
  const all = keysOf(keys)
  const options = pipeline.options(given, optionNames.prefix) ?? {}
  const prefix = prefixBytes(options.keyPrefix, 'deleteMulti')
  const modes = pipeline.within(pipeline.modes(options))
  let everyOne = true
  for (const key of all) {
    const wire = pipeline.slots.key(key, 'deleteMulti', prefix)
    const deleted = overridden
      ? (await overridden(Buffer.from(wire, 'latin1'), ...remaining(options, modes))) === true
      : await removeWire(pipeline, wire, modes)
    everyOne &&= deleted
  }
  return everyOne
}

function removeWire(pipeline: Pipeline, wire: Bytes, modes: Modes): Promise<boolean> {
  if (wire === '') return Promise.resolve(false)
  const request = requests.remove(modes.namespace + wire, { noreply: modes.noreply })
  const timed = pipeline.withReplicas(modes)
  const send = (): Promise<boolean> =>
    pipeline.lineOf(request, 'delete', wire, timed, undefined, (reply, server) => {
      return modes.noreply || softOutcome(reply, 'delete', { key: wire, server: server.name })
    })
  const sent = modes.replicas
    ? deleteReplicated(pipeline.selection, request, wire, 'delete', timed, send)
    : send()
  return modes.buffered ? pipeline.later(sent, 'delete', wire) : sent
}

export async function touch(
  pipeline: Pipeline,
  key: Key,
  time: Time,
  options: CallOptions | undefined,
): Promise<boolean> {
  const modes = pipeline.modes(pipeline.options(options, optionNames.call))
  let wire: Bytes
  try {
    wire = pipeline.slots.key(key, 'touch', '')
  } catch (error) {
    if (refusesKey(error)) pipeline.slots.exptime(time, 'touch', '')
    throw error
  }
  const exptime = pipeline.slots.exptime(time, 'touch', wire)
  if (wire === '') return false
  const request = requests.touch(modes.namespace + wire, String(exptime))
  return pipeline.lineOf(request, 'touch', wire, modes, undefined, (reply, server) =>
    softOutcome(reply, 'touch', { key: wire, server: server.name }),
  )
}

/**
 * The options of one delete of many: without the prefix, and with the remaining time if one was given; undefined if no other option
 * was given.
 * @throws MemcachedError (31) when the time is over
 */
function remaining(
  { keyPrefix: _, timeout, ...options }: PrefixOptions,
  { deadline = 0 }: Modes,
): [CallOptions?] {
  const left = deadline - performance.now()
  if (left <= 0) throw errorFor(TIMEOUT, 'delete', 'A TIMEOUT OCCURRED', {})
  const given = timeout === undefined ? options : { ...options, timeout: left }
  return Object.keys(given).length > 0 ? [given] : []
}
