/** What every value encoding can be asked for, and the steps that all of them share. */

import { checkBytes, checkObject, shown } from '../../ground/arguments.js'
import { areAscii, decodeText } from '../../python/text.js'
import { Budget } from '../budget.js'
import type { PickleConverter } from '../pickle/converters.js'
import { UNPICKLE_OPTION_NAMES, type UnpickleOptions } from '../pickle/options.js'
import { written } from '../pickle/write/writer.js'
import { type EncodedValue, FLAG_PICKLE, FLAG_ZLIB, type Payload } from '../types.js'
import { compress, compressFast, decompress } from './zlib.js'

/** Another form for values without their own type bits; pickles are still read. */
export interface ValueSerializer {
  /** Flag bits that mark its payloads: none of 1, 2, 4, 8 and 16. */
  readonly flag: number
  serialize(value: unknown): Uint8Array
  deserialize(data: Buffer): unknown
}

/** Another compression than zlib's, under the same flag 8: every reader has to have it too. */
export interface ValueCompressor {
  /** @param level −1…9, as asked for by the caller */
  compress(data: Uint8Array, level: number): Uint8Array
  /** @param maxLength bytes; more have to be refused */
  decompress(data: Uint8Array, maxLength: number): Uint8Array
}

/** Options of both libraries' encodings (docs/values.md). */
export interface EncodingOptions extends UnpickleOptions {
  /** 0…5; negative = the highest. */
  readonly pickleProtocol?: number | undefined
  /** For classes of your own, in both directions. */
  readonly converters?: readonly PickleConverter[] | undefined
  /** Id of an object that is stored elsewhere, for `persistentLoad` to find again. */
  readonly persistentId?: ((value: unknown) => unknown) | undefined
  /** Writes values that would be pickled. */
  readonly serializer?: ValueSerializer | undefined
  /** Items with type bits that the library does not know: raise as it does (default), their bytes, or null. */
  readonly unknownFlags?: 'raise' | 'bytes' | 'null' | undefined
  /** `exact` (default): the bytes of Python's zlib. `fast`: node:zlib's, which every reader inflates to the same. */
  readonly compression?: 'exact' | 'fast' | undefined
  /** Instead of zlib. */
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

/** Whether an item is the serializer's. */
export function isSerialized(flags: number, serializer: ValueSerializer): boolean {
  return (flags & serializer.flag) >>> 0 === serializer.flag
}

/** A value without type bits of its own: pickled, or by the serializer. */
export function serialized(value: unknown, options: EncodingOptions, protocol: number): EncodedValue {
  const { serializer, converters, persistentId } = options
  if (serializer) return { flags: serializer.flag, data: serializer.serialize(value) }
  return { flags: FLAG_PICKLE, data: written(value, { protocol, converters, persistentId }) }
}

export function asBytes({ flags, data }: Payload): EncodedValue {
  return { flags, data: typeof data === 'string' ? Buffer.from(data, 'latin1') : data }
}

/** zlib's bytes, or those of the compressor that was given. @param level −1…9 */
export function compressed(data: Uint8Array, options: EncodingOptions, level: number): Uint8Array {
  if (options.compressor) return options.compressor.compress(data, level)
  return options.compression === 'fast' ? compressFast(data, level) : compress(data, level)
}

/** The compressed value when it is shorter, else the value unchanged. */
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
  const bytes = compressor ? compressor.decompress(data, budget.left) : decompress(data, flags, budget.left)
  budget.charge(bytes.length, `a value of ${bytes.length} bytes`, flags)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** @throws UnicodeDecodeError, ValueDecodeError `limit` */
export function readText(data: Buffer, flags: number, budget: Budget): string {
  budget.charge(areAscii(data) ? data.length : 2 * data.length, `a text of ${data.length} bytes`, flags)
  return decodeText(data)
}

/** JSON beside pickle: other languages can read it, but it has only JSON's types. */
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
