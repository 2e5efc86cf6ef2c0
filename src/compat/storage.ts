/** set, add, replace, append, prepend and cas. Source: docs/reference/python-memcached.md#10, #12. */
import type { StoreVerb } from '../protocol/wire.js'
import { typeName } from '../python/type-name.js'
import { compressionOf, type StoreArgument, timeOf } from '../strict/arguments.js'
import type { PreparedStore } from '../strict/core.js'
import type { Key, StoreOptions, Time } from '../strict/index.js'
import { type CompressionRequest, PyTimeDelta } from '../values/index.js'
import { type CompatKey, type Context, modesFor, type NoReply } from './context.js'
import { asNumber, storeTime } from './exptime.js'
import { again, unstored } from './outcomes.js'
import { mustHave } from './surface.js'
import type { VersionFacts } from './versions.js'

/** The time in seconds, or options, of a store method. */
export type CompatStoreArgument = Time | (StoreOptions & NoReply)

export function store(
  context: Context,
  verb: StoreVerb,
  key: CompatKey,
  value: unknown,
  options: CompatStoreArgument | undefined,
  cas?: bigint,
): Promise<boolean | 0> {
  const { emulation, commands, keys } = context
  try {
    const { wire, hash } = keys.one(key, verb)
    const modes = modesFor(context, options, context.swallowing)
    let prepared: PreparedStore
    try {
      const exptime = commands.slots.exptime(timeOf(options), verb, wire)
      const encoded = commands.encode(value, compressionFor(context, options), verb, wire)
      prepared = { verb, key: wire, encoded, exptime, hash, cas }
    } catch (error) {
      return Promise.resolve(unstored(emulation, verb, wire, error))
    }
    if (wire === '') return Promise.resolve(false)
    if (context.swallowing) return commands.store(prepared, verb, modes)
    return again(context, verb, () => commands.store(prepared, verb, modes)).catch((error) =>
      unstored(emulation, verb, wire, error),
    )
  } catch (error) {
    return Promise.reject(error)
  }
}

/** @throws with `cas-fallback` off: TypeError without a CAS unique, and what strict's cas throws */
export async function cas(
  context: Context,
  key: CompatKey,
  value: unknown,
  second: bigint | CompatStoreArgument | undefined,
  third: CompatStoreArgument | undefined,
): Promise<boolean | 0> {
  const { emulation, commands, keys, casIds } = context
  const { announcer } = emulation
  mustHave(emulation, 'cas')
  const given = typeof second === 'bigint' ? second : undefined
  const rest = given === undefined ? (second as CompatStoreArgument | undefined) : third
  const { wire } = keys.one(key, 'cas')
  const unique = given ?? casIds.get(wire)
  if (given === undefined && unique !== undefined && emulation.on('cas-ids'))
    announcer.heard?.announce('cas-ids', {
      operation: 'cas',
      key: wire,
      compat: 'the CAS unique of the last gets',
      strict: 'raises TypeError',
    })
  if (!emulation.on('cas-fallback')) {
    if (unique === undefined) throw new TypeError('cas needs the CAS unique that gets returned, as a bigint')
    const stored = commands.cas(key as Key, value, unique, rest)
    return stored.catch((error) => unstored(emulation, 'cas', wire, error))
  }
  if (unique !== undefined) return store(context, 'cas', key, value, rest, BigInt.asUintN(64, unique))
  announcer.heard?.announce('cas-fallback', {
    operation: 'cas',
    key: wire,
    compat: 'stores unconditionally',
    strict: 'raises TypeError',
  })
  // Only set itself takes a timedelta.
  const time = timeOf(rest)
  if ((time as unknown) instanceof PyTimeDelta) storeTime(time, emulation.facts.python)
  // A tuple's hash is lost on the way.
  return store(context, 'set', Buffer.from(wire, 'latin1'), value, rest)
}

/** Anything that Python compares with a length. @throws TypeError for anything but numbers and None, on Python 3 */
function compressLength({ python }: VersionFacts, given: unknown): number {
  const number = asNumber(given)
  if (number !== undefined) return Number(number)
  if (given === null) return 0
  // On Python 2 every text is more than every number.
  if (python === 2) return 0
  throw new TypeError(`'>' not supported between instances of 'int' and '${typeName(given)}'`)
}

export function compressionFor(
  { emulation }: Context,
  options: StoreArgument | undefined,
): CompressionRequest | undefined {
  if (!emulation.on('value-encoding')) return compressionOf(options)
  const length = typeof options === 'object' && options !== null ? options.minCompressLen : undefined
  return length === undefined ? undefined : { minCompressLen: compressLength(emulation.facts, length) }
}
