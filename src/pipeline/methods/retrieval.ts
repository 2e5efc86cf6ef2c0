/** pylibmc's get, gets and get_multi over the pipeline. Source: docs/reference/pylibmc.md#5.1, #5.2. */

import type { Bytes } from '../../ground/bytes.js'
import { ValueError } from '../../python/errors.js'
import { BadKeyProvided, CacheMiss } from '../failures/errors.js'
import { keyBytes, prefixBytes } from '../keys.js'
import { type Found, readEach, readMulti } from '../many.js'
import type { Pipeline } from '../pipeline.js'
import {
  type CallOptions,
  type Key,
  keysOf,
  optionNames,
  type PrefixOptions,
  type ValueAndCas,
} from './arguments.js'

export function get(
  pipeline: Pipeline,
  key: Key,
  missing: unknown,
  options: CallOptions | undefined,
): Promise<unknown> {
  try {
    const modes = pipeline.modes(pipeline.options(options, optionNames.call))
    const wire = pipeline.slots.key(key, 'get', '')
    if (wire === '') return Promise.resolve(missing)
    return pipeline.read(modes.retrieval, wire, 'get', modes, missing)
  } catch (error) {
    return Promise.reject(error)
  }
}

export async function gets(
  pipeline: Pipeline,
  key: Key,
  options?: CallOptions,
): Promise<ValueAndCas<unknown>> {
  const modes = pipeline.modes(pipeline.options(options, optionNames.call))
  let wire = ''
  let refusal: unknown
  try {
    wire = pipeline.slots.key(key, 'gets', '')
  } catch (error) {
    // libmemcached checks the characters of the key later.
    if (!(error instanceof BadKeyProvided)) throw error
    refusal = error
  }
  if (key.length > 0 && !modes.cas) throw new ValueError('gets without cas behavior')
  if (refusal) throw refusal
  if (wire === '') return [undefined, undefined]
  const item = await pipeline.fetch('gets', wire, 'gets', modes)
  if (!item) return [undefined, undefined]
  try {
    return [pipeline.slots.decode(item, 'gets'), BigInt.asIntN(64, item.cas ?? 0n)]
  } catch (error) {
    // If `deserialize` throws CacheMiss, the item is missing.
    if (error instanceof CacheMiss) return [undefined, undefined]
    throw error
  }
}

export async function getMulti<K extends Key>(
  pipeline: Pipeline,
  keys: Iterable<K>,
  options: PrefixOptions | undefined,
): Promise<Map<K, unknown>> {
  const given = keysOf(keys)
  const own = pipeline.options(options, optionNames.prefix)
  const modes = pipeline.modes(own)
  const prefix = prefixBytes(own?.keyPrefix, 'getMulti')
  const asked: Bytes[] = []
  /** The caller's keys in the same order. */
  const names: K[] = []
  /** libmemcached checks the keys after pylibmc has accepted all of them. */
  let refusal: BadKeyProvided | undefined
  let texts = true
  for (const key of given) {
    let wire: Bytes
    try {
      wire = pipeline.slots.key(key, 'getMulti', prefix)
    } catch (error) {
      if (!(error instanceof BadKeyProvided)) throw error
      refusal ??= error
      continue
    }
    if (wire === '') continue
    asked.push(wire)
    names.push(key)
    texts &&= typeof key === 'string'
  }
  if (refusal) throw refusal
  const values = new Map<K, unknown>()
  const found: Found = (index, value) => {
    values.set(names[index]!, value)
  }
  await (modes.replicas ? readEach : readMulti)(pipeline, asked, modes, found)
  return texts ? values : byText(values)
}

/** A key that is given as text and as bytes is returned once, as text; a key that is given twice as bytes is returned once. */
function byText<K extends Key>(values: ReadonlyMap<K, unknown>): Map<K, unknown> {
  const names = new Map<Bytes, K>()
  const latest = new Map<Bytes, unknown>()
  for (const [key, value] of values) {
    const wire = keyBytes(key, 'getMulti')
    latest.set(wire, value)
    if (typeof names.get(wire) !== 'string') names.set(wire, key)
  }
  return new Map(Array.from(names, ([wire, key]) => [key, latest.get(wire)]))
}
