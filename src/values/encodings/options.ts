/** The options of every value encoding, and the steps that all encodings share. */

import { checkBytes, checkObject, shown } from '../../ground/arguments.js'
import { areAscii, decodeText } from '../../python/text.js'
import { Budget } from '../budget.js'
import type { PickleConverter } from '../pickle/converters.js'
import { UNPICKLE_OPTION_NAMES, type UnpickleOptions } from '../pickle/options.js'
import { written } from '../pickle/write/writer.js'
import { type EncodedValue, FLAG_PICKLE, FLAG_ZLIB, type Payload } from '../types.js'
import { compress, compressFast, decompress } from './zlib.js'

/** Writes values without type bits of their own in another form than a pickle. Pickles are still read. */
export interface ValueSerializer {
  /** The flag bits that mark its payloads. They must not contain 1, 2, 4, 8 or 16. */
  readonly flag: number
  serialize(value: unknown): Uint8Array
  deserialize(data: Buffer): unknown
}

/** A compression in place of zlib's, with the same flag 8. Every reader of the items needs it too. */
export interface ValueCompressor {
  /** @param level −1…9, as the caller set it */
  compress(data: Uint8Array, level: number): Uint8Array
  /** @param maxLength bytes; it has to refuse data that inflates to more */
  decompress(data: Uint8Array, maxLength: number): Uint8Array
}

/** Options of both libraries' encodings (docs/values.md). */
export interface EncodingOptions extends UnpickleOptions {
  /** 0…5; negative = the highest. */
  readonly pickleProtocol?: number | undefined
  /** Conversions of further classes, for reading and writing. */
  readonly converters?: readonly PickleConverter[] | undefined
  /** Returns the id of an object that is stored elsewhere; `persistentLoad` receives it when the value is read. */
  readonly persistentId?: ((value: unknown) => unknown) | undefined
  /** Writes the values that would otherwise be pickled. */
  readonly serializer?: ValueSerializer | undefined
  /** The result for items with type bits that the library does not know: its exception (default), the item's bytes, or null. */
  readonly unknownFlags?: 'raise' | 'bytes' | 'null' | undefined
  /** `exact` (default): the same bytes as Python's zlib. `fast`: the bytes of node:zlib, which every reader inflates to the same data. */
  readonly compression?: 'exact' | 'fast' | undefined
  /** The compression to use in place of zlib. */
  readonly compressor?: ValueCompressor | undefined
}

/** The names of `EncodingOptions`. */
export const ENCODING_OPTION_NAMES: readonly (keyof EncodingOptions)[] = [
  ...UNPICKLE_OPTION_NAMES, 'pickleProtocol', 'persistentId', 'serializer', 'unknownFlags', 'compression', 'compressor',
] // biome-ignore format: one list

const KNOWN_FLAGS = 1 | 2 | 4 | 8 | 16

/** @throws TypeError for options that are not an object; RangeError for a serializer whose flag means something else, and for a `maxMemory` that is not positive */
export function checkedOptions<T extends EncodingOptions>(options: T): T {
  checkObject('options', options)
  new Budget(options.maxMemory)
  const flag = options.serializer?.flag
  if (
    flag !== undefined &&
    (!Number.isInteger(flag) || flag <= 0 || flag > 0xffffffff || (flag & KNOWN_FLAGS) !== 0)
  )
    throw new RangeError(`serializer flag must be a bit mask without 1, 2, 4, 8 and 16, not ${flag}`)
  return options
}

/** Whether the serializer wrote an item. */
export function isSerialized(flags: number, serializer: ValueSerializer): boolean {
  return (flags & serializer.flag) >>> 0 === serializer.flag
}

/** Writes a value without type bits of its own, with the serializer or as a pickle. */
export function serialized(value: unknown, options: EncodingOptions, protocol: number): EncodedValue {
  const { serializer, converters, persistentId } = options
  if (serializer)
    return { flags: serializer.flag, data: bytesFrom('the serializer', serializer.serialize(value)) }
  return { flags: FLAG_PICKLE, data: written(value, { protocol, converters, persistentId }) }
}

export function asBytes({ flags, data }: Payload): EncodedValue {
  return { flags, data: typeof data === 'string' ? Buffer.from(data, 'latin1') : data }
}

/** What a function of the application returned. @throws TypeError when it is not bytes */
export function bytesFrom(name: string, returned: unknown): Uint8Array {
  if (returned instanceof Uint8Array) return returned
  throw new TypeError(`${name} returned ${shown(returned)}, not a Uint8Array`)
}

/** Compresses with the given compressor or with zlib. @param level −1…9 */
export function compressed(data: Uint8Array, options: EncodingOptions, level: number): Uint8Array {
  const { compressor } = options
  if (compressor) return bytesFrom('the compressor', compressor.compress(data, level))
  return options.compression === 'fast' ? compressFast(data, level) : compress(data, level)
}

/** The compressed value if it is shorter, otherwise the value unchanged. */
export function smaller(encoded: EncodedValue, options: EncodingOptions, level: number): EncodedValue {
  const data = compressed(encoded.data, options, level)
  return data.length < encoded.data.length ? { flags: encoded.flags | FLAG_ZLIB, data } : encoded
}

/** @throws ValueDecodeError `zlib` or `limit`; TypeError for other types of arguments; errors of a custom compressor */
export function inflated(
  flags: number,
  data: Buffer,
  { compressor }: EncodingOptions,
  budget: Budget,
): Buffer {
  if (typeof flags !== 'number') throw new TypeError(`flags are ${shown(flags)}, not a number`)
  checkBytes('data', data)
  if (!(flags & FLAG_ZLIB)) return data
  const bytes = compressor
    ? bytesFrom('the decompressor', compressor.decompress(data, budget.left))
    : decompress(data, flags, budget.left)
  budget.charge(bytes.length, `a value of ${bytes.length} bytes`, flags)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** @throws UnicodeDecodeError, ValueDecodeError `limit` */
export function readText(data: Buffer, flags: number, budget: Budget): string {
  budget.charge(areAscii(data) ? data.length : 2 * data.length, `a text of ${data.length} bytes`, flags)
  return decodeText(data)
}

/** A serializer that writes JSON in place of pickles. Other languages can read it, but it has only the types of JSON. */
export function jsonSerializer(flag = 32): ValueSerializer {
  return {
    flag,
    serialize(value) {
      const text = JSON.stringify(value)
      if (text === undefined) throw new TypeError(`JSON has no word for ${String(value)}`)
      return Buffer.from(text)
    },
    deserialize: (data) => JSON.parse(data.toString('utf8')),
  }
}
