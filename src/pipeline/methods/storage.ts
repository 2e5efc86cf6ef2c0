/** pylibmc's set, add, replace, append, prepend, cas, set_multi and add_multi over the pipeline. Source: docs/reference/pylibmc.md#5.3, #5.5, #8. */

import type { Bytes } from '../../ground/bytes.js'
import type { StoreVerb } from '../../protocol/wire.js'
import { ValueError } from '../../python/errors.js'
import { AllocationError, ClientError, errorFor, MemcachedError } from '../failures/errors.js'
import { badKey, keyBytes, prefixBytes, refusesKey } from '../keys.js'
import type { Operation } from '../operations.js'
import type { Pipeline } from '../pipeline.js'
import {
  casToken,
  compressionOf,
  type Entries,
  entriesOf,
  type Key,
  type MultiOptions,
  optionNames,
  type StoreArgument,
  type Time,
  type TimeOptions,
  timeOf,
} from './arguments.js'

/** Tokens of 20 digits do not fit into libmemcached's buffer for a number (measured: −9000000000000000000 fits, −2147483649 does not). */
const LONGEST_TOKEN = 10n ** 19n
const tokenTooLong =
  'MEMORY ALLOCATION FAILURE(Cannot allocate memory), snprintf(MEMCACHED_MAXIMUM_INTEGER_DISPLAY_LENGTH)'

export function store(
  pipeline: Pipeline,
  verb: StoreVerb & Operation,
  key: Key,
  value: unknown,
  given: StoreArgument | undefined,
): Promise<boolean> {
  try {
    const { slots } = pipeline
    const options = pipeline.options(given, optionNames.store)
    const modes = pipeline.modes(options)
    let wire: Bytes
    try {
      wire = slots.key(key, verb, '')
    } catch (error) {
      if (!refusesKey(error)) throw error
      slots.exptime(timeOf(options), verb, '')
      const compression = compressionOf(options)
      // libmemcached checks the characters, after the value has been pickled.
      if (error instanceof MemcachedError) pipeline.encode(value, compression, verb, '')
      throw error
    }
    const exptime = slots.exptime(timeOf(options), verb, wire)
    const encoded = pipeline.encode(value, compressionOf(options), verb, wire)
    if (wire === '') return Promise.resolve(false)
    return pipeline.store({ verb, key: wire, encoded, exptime }, verb, modes)
  } catch (error) {
    return Promise.reject(error)
  }
}

export async function cas(
  pipeline: Pipeline,
  key: Key,
  value: unknown,
  token: bigint,
  given: Time | TimeOptions | undefined,
): Promise<boolean> {
  const { slots, selection } = pipeline
  const options = pipeline.options(given, optionNames.time)
  const modes = pipeline.modes(options)
  let wire: Bytes | undefined
  let refusal: unknown
  try {
    wire = slots.key(key, 'cas', '')
  } catch (error) {
    if (!refusesKey(error)) throw error
    refusal = error
  }
  const unique = casToken(token, modes.binary)
  const exptime = slots.exptime(timeOf(options), 'cas', wire ?? '')
  if (!modes.cas) throw new ValueError('cas without cas behavior')
  if (refusal && !(refusal instanceof MemcachedError)) throw refusal
  // Characters are for libmemcached to find, when the value has been pickled.
  const encoded = pipeline.encode(value, undefined, 'cas', wire ?? '')
  if (wire === undefined) throw refusal
  if (wire === '') throw badKey('', 'cas', 'Key provided was too long.')
  if (unique >= LONGEST_TOKEN && !modes.binary) {
    const server = selection.servers[selection.place(wire)]!.name
    throw errorFor(AllocationError.retcode, 'cas', tokenTooLong, { key: wire, server })
  }
  return pipeline.store({ verb: 'cas', key: wire, encoded, exptime, cas: unique }, 'cas', modes)
}

export async function storeMulti<K extends Key>(
  pipeline: Pipeline,
  verb: 'set' | 'add',
  mapping: Entries<K>,
  given: Time | MultiOptions | undefined,
): Promise<K[]> {
  const operation = `${verb}Multi` as const
  const options = pipeline.options(given, optionNames.multi)
  const modes = pipeline.within(pipeline.modes(options))
  const entries = entriesOf<K>(mapping)
  // Before any key is checked, and also if there is no key.
  const exptime = pipeline.slots.exptime(timeOf(options), operation, '')
  const prefix = prefixBytes(typeof options === 'object' ? options.keyPrefix : undefined, operation)
  const compression = compressionOf(options)
  const prepared = entries.map(([key, value]) => {
    const { wire, refusal } = keyOrRefusal(pipeline, key, operation, prefix)
    const encoded = pipeline.encode(value, compression, operation, wire)
    return { original: key, refusal, verb, key: wire, exptime, encoded }
  })
  const failed: K[] = []
  for (const one of prepared) {
    if (one.refusal) throw one.refusal
    const stored = one.key !== '' && (await pipeline.store(one, operation, modes))
    if (!stored) failed.push(one.original)
  }
  return failed.some((key) => typeof key !== 'string') ? asText(failed, entries, operation) : failed
}

/** pylibmc names a failed key by the text with the same bytes, if the mapping has it. */
function asText<K extends Key>(
  failed: readonly K[],
  entries: readonly (readonly [K, unknown])[],
  operation: Operation,
): K[] {
  const texts = new Map<Bytes, K>()
  for (const [key] of entries) if (typeof key === 'string') texts.set(keyBytes(key, operation), key)
  return failed.map((key) => texts.get(keyBytes(key, operation)) ?? key)
}

/** A key that the server would refuse fails in its turn. @throws errors that pylibmc detects before it sends anything */
function keyOrRefusal(
  { slots }: Pipeline,
  key: Key,
  operation: Operation,
  prefix: Bytes,
): { readonly wire: Bytes; readonly refusal?: ClientError } {
  try {
    return { wire: slots.key(key, operation, prefix) }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    return { wire: '', refusal: error }
  }
}
