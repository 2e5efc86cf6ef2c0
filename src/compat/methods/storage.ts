/** set, add, replace, append, prepend and cas. Source: docs/reference/python-memcached.md#10, #12. */

import type { Bytes } from '../../ground/bytes.js'
import type { KeyHash } from '../../hashing/python-memcached.js'
import type { Key, Time } from '../../pipeline/methods/arguments.js'
import { compressionOf, timeOf } from '../../pipeline/methods/arguments.js'
import * as pylibmc from '../../pipeline/methods/index.js'
import type { PreparedStore } from '../../pipeline/pipeline.js'
import type { StoreVerb } from '../../protocol/wire.js'
import { typeName } from '../../python/type-name.js'
import type { CompressionRequest } from '../../values/index.js'
import { Raised } from '../divergence/divergence.js'
import { ValueTooLong } from '../errors.js'
import { asNumber, pythonTruth } from '../policies/exptime.js'
import { again, unstored } from '../policies/outcomes.js'
import { type CompatStoreArgument, checkedOptions, withoutNoReply } from './call-options.js'
import { type CompatKey, type Context, modesFor } from './context.js'
import { mustHave } from './surface.js'

export function store(
  context: Context,
  verb: StoreVerb,
  key: CompatKey,
  value: unknown,
  argument: CompatStoreArgument | undefined,
  cas?: bigint,
  /** The command whose rule for times applies. */
  timed: StoreVerb = verb,
): Promise<boolean | 0> {
  const { emulation, pipeline, keys } = context
  try {
    const options = checkedOptions(emulation, 'store', argument)
    const { wire, hash } = keys.one(key, verb)
    const modes = modesFor(context, options, context.swallowing)
    let prepared: PreparedStore
    try {
      const encoded = pipeline.encode(value, compressionFor(context, options), verb, wire)
      const exptime = pipeline.slots.exptime(timeOf(options), timed, wire)
      prepared = { verb, key: wire, encoded, exptime, hash, cas }
    } catch (error) {
      return unwritten(context, verb, wire, hash, error)
    }
    if (wire === '') return Promise.resolve(false)
    if (context.swallowing) return pipeline.store(prepared, verb, modes)
    return again(context, verb, () => pipeline.store(prepared, verb, modes)).catch((error) =>
      unstored(emulation, verb, wire, error),
    )
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The outcome of a value that cannot be written. python-memcached finds a server before it detects that. @throws as `unstored` */
async function unwritten(
  { emulation, pipeline: { selection } }: Context,
  verb: StoreVerb,
  wire: Bytes,
  hash: KeyHash | undefined,
  error: unknown,
): Promise<boolean | 0> {
  if (emulation.rules.failures === 'swallowed' && wire !== '')
    try {
      await selection.pick(wire, verb, hash)
    } catch (noServer) {
      // A value over the limit gives 0 either way, and that was announced.
      if (!(error instanceof ValueTooLong)) return unstored(emulation, verb, wire, noServer)
    }
  return unstored(emulation, verb, wire, error)
}

/** @throws with `cas-fallback` off: TypeError without a CAS unique, and the errors of strict's cas */
export async function cas(
  context: Context,
  key: CompatKey,
  value: unknown,
  second: bigint | CompatStoreArgument | undefined,
  third: CompatStoreArgument | undefined,
): Promise<boolean | 0> {
  const { emulation, pipeline, keys, casIds } = context
  const { announcer } = emulation
  mustHave(emulation, 'cas')
  const given = typeof second === 'bigint' ? second : undefined
  const argument = given === undefined ? (second as CompatStoreArgument | undefined) : third
  const rest = checkedOptions(emulation, 'store', argument)
  const { wire } = keys.one(key, 'cas')
  const unique = given ?? casIds.get(wire)
  if (given === undefined && unique !== undefined && emulation.rules.casIds !== 'none')
    announcer.heard?.announce('cas-ids', {
      operation: 'cas',
      key: wire,
      compat: 'the CAS unique of the last gets',
      strict: new Raised('TypeError'),
    })
  if (emulation.rules.casWithoutUnique !== 'stores') {
    if (unique === undefined) throw new TypeError('cas needs the CAS unique that gets returned, as a bigint')
    const stored = pylibmc.cas(pipeline, key as Key, value, unique, withoutNoReply(rest) as Time)
    return stored.catch((error) => unstored(emulation, 'cas', wire, error))
  }
  if (unique !== undefined) return store(context, 'cas', key, value, rest, BigInt.asUintN(64, unique))
  announcer.heard?.announce('cas-fallback', {
    operation: 'cas',
    key: wire,
    compat: 'stores unconditionally',
    strict: new Raised('TypeError'),
  })
  // The hash of a tuple key is not used, and only set itself accepts a timedelta.
  return store(context, 'set', Buffer.from(wire, 'latin1'), value, rest, undefined, 'cas')
}

/** Python compares it with the length of the value; on Python 3 a type that cannot be compared with numbers fails. */
export interface CompatCompression extends CompressionRequest {
  /** Raised for a value that might be compressed. */
  readonly incomparable?: TypeError
}

export function compressionFor(
  { emulation }: Context,
  options: CompatStoreArgument | undefined,
): CompatCompression | undefined {
  if (emulation.rules.encoding !== 'python-memcached') return compressionOf(options)
  const given: unknown = typeof options === 'object' && options !== null ? options.minCompressLen : undefined
  const number = asNumber(given)
  // No length is greater than nan.
  if (number !== undefined) return { minCompressLen: Number(number) || 0 }
  // On Python 2 every other object is greater than every number.
  if (!pythonTruth(given) || emulation.rules.python === 2) return undefined
  const message = `'>' not supported between instances of 'int' and '${typeName(given)}'`
  return { minCompressLen: 0, incomparable: new TypeError(message) }
}
