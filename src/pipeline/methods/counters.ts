/** pylibmc's incr, decr and incr_multi over the pipeline. Source: docs/reference/pylibmc.md#5.6. */

import type { Bytes } from '../../ground/bytes.js'
import { delta as checkedDelta, integer } from '../exptime.js'
import { MemcachedError, NotFound } from '../failures/errors.js'
import { badKey, prefixBytes, refusesKey } from '../keys.js'
import type { Operation } from '../operations.js'
import type { Pipeline } from '../pipeline.js'
import type { Modes } from '../slots.js'
import { type CallOptions, type CountOptions, type Key, keysOf, optionNames } from './arguments.js'

/** The types of both arguments are checked before the key. */
export async function count(
  pipeline: Pipeline,
  verb: 'incr' | 'decr',
  key: Key,
  delta: number | bigint,
  options: CallOptions | undefined,
): Promise<number | bigint> {
  const modes = pipeline.modes(pipeline.options(options, optionNames.call))
  let wire: Bytes | undefined
  let refusal: unknown
  try {
    wire = pipeline.slots.key(key, verb, '')
  } catch (error) {
    if (!refusesKey(error)) throw error
    refusal = error
  }
  const amount = String(checkedDelta(delta))
  if (wire === undefined) throw refusal
  return countOne(pipeline, verb, verb, wire, amount, modes)
}

export async function incrMulti(
  pipeline: Pipeline,
  keys: Iterable<Key>,
  given: CountOptions | undefined,
): Promise<void> {
  const all = [...keysOf(keys)]
  const options = pipeline.options(given, optionNames.count) ?? {}
  const delta = String(BigInt.asUintN(32, BigInt(integer(options.delta === undefined ? 1 : options.delta))))
  const prefix = prefixBytes(options.keyPrefix, 'incrMulti')
  const modes = pipeline.within(pipeline.modes(options))
  let missing = 0
  const errors: MemcachedError[] = []
  let last: MemcachedError | undefined
  // pylibmc checks all keys before libmemcached counts any.
  for (const wire of all.map((key) => wireKey(pipeline, key, prefix))) {
    last = undefined
    try {
      if (wire instanceof MemcachedError) throw wire
      await countOne(pipeline, 'incr', 'incrMulti', wire, delta, modes)
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      last = error
      if (error instanceof NotFound) missing++
      else errors.push(error)
    }
  }
  if (errors.length > 0) {
    const message = `${missing + errors.length} keys failed`
    const facts = { operation: 'incrMulti', cause: new AggregateError(errors) } as const
    // The class follows the last key's result: plain when it succeeded, or when more than one key failed in another way.
    const Class = errors.length === 1 && last ? (last.constructor as typeof MemcachedError) : MemcachedError
    throw new Class(message, facts)
  }
  if (missing > 0) throw new NotFound(`${missing} keys not found`, { operation: 'incrMulti' })
}

/** A key of incr_multi, or libmemcached's error for it, which counts when the key's turn comes. @throws pylibmc's own errors */
function wireKey(pipeline: Pipeline, key: Key, prefix: Bytes): Bytes | MemcachedError {
  try {
    return pipeline.slots.key(key, 'incrMulti', prefix)
  } catch (error) {
    if (error instanceof MemcachedError) return error
    throw error
  }
}

async function countOne(
  pipeline: Pipeline,
  verb: 'incr' | 'decr',
  operation: Operation,
  wire: Bytes,
  delta: Bytes,
  modes: Modes,
): Promise<number | bigint> {
  if (wire === '') throw badKey('', operation)
  return pipeline.count(verb, operation, wire, delta, modes)
}
