/** How pymemcache's serdes write and read values. Source: fixtures/vectors/framework-values.json (pymemcache 4.0.0). */

import { checkOptionNames } from '../../python/options.js'
import { bytesRepr, integerText } from '../../python/repr.js'
import { writeText } from '../../python/text.js'
import { Budget } from '../budget.js'
import { isBytes } from '../classes/stand-ins.js'
import { ValueEncodeError } from '../errors.js'
import { unpickleWithin } from '../pickle/read/reader.js'
import {
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  type Payload,
  type ValueEncoding,
} from '../types.js'
import { isInteger, pythonInteger } from './integers.js'
import {
  asBytes,
  checkedOptions,
  compressed,
  ENCODING_OPTION_NAMES,
  type EncodingOptions,
  inflated,
  isSerialized,
  readText,
  serialized,
} from './options.js'

/** `pickleProtocol` is −1 (the highest) unless set. */
export interface PymemcacheEncodingOptions extends EncodingOptions {
  /** `pickle_serde` (default), which Django uses, or `compressed_serde`. A client without a serde stores bytes; its encoding is `rawEncoding`. */
  readonly serde?: 'pickle' | 'compressed' | undefined
  /** `compressed_serde` compresses values longer than this number of bytes; 0 = never. Default 400. */
  readonly minCompressLen?: number | undefined
  /** pymemcache reads a broken pickle as None. If this function is given, it receives the failure and returns the value in its place. */
  readonly undecodablePickle?: ((error: unknown) => unknown) | undefined
}

const MIN_COMPRESS_LEN = 400
const NAMES: readonly (keyof PymemcacheEncodingOptions)[] = [
  ...ENCODING_OPTION_NAMES, 'serde', 'minCompressLen', 'undecodablePickle',
] // biome-ignore format: one list

/** @throws TypeError for unknown options; RangeError for an unknown serde, for a minimum that is not a whole number, and for a serializer whose flag means something else */
export function pymemcacheEncoding(given: PymemcacheEncodingOptions = {}): ValueEncoding {
  checkOptionNames(given, NAMES)
  const options = checkedOptions(given)
  const { serde = 'pickle', minCompressLen = MIN_COMPRESS_LEN, serializer, undecodablePickle } = options
  if (serde !== 'pickle' && serde !== 'compressed')
    throw new RangeError(`serde ${String(serde)} is not one of pickle, compressed`)
  if (!Number.isInteger(minCompressLen) || minCompressLen < 0)
    throw new RangeError(`minCompressLen must be a whole number from 0 on, not ${String(minCompressLen)}`)
  const compresses = serde === 'compressed'
  const write = (value: unknown): Payload => {
    const encoded = typed(value, options)
    if (!compresses || minCompressLen === 0 || encoded.data.length <= minCompressLen) return encoded
    if (encoded.flags === FLAG_INTEGER)
      throw new ValueEncodeError(
        `compressed_serde cannot write an integer of more than ${minCompressLen} digits`,
        'builtins.TypeError',
      )
    const bytes = asBytes(encoded)
    const data = compressed(bytes.data, options, -1)
    // pymemcache also keeps a compressed value of the same length.
    return data.length > bytes.data.length ? bytes : { flags: bytes.flags | FLAG_ZLIB, data }
  }
  return {
    name: 'pymemcache',
    textFlags: FLAG_TEXT,
    encode: (value) => asBytes(write(value)),
    write,
    decode(flags, data) {
      const budget = new Budget(options.maxMemory)
      const payload = compresses ? inflated(flags, data, options, budget) : data
      if (flags === 0) return payload
      if (serializer && isSerialized(flags, serializer)) return serializer.deserialize(payload)
      if (flags & FLAG_TEXT) return readText(payload, flags, budget)
      if (flags & (FLAG_INTEGER | FLAG_LONG)) return pythonInteger(payload, bytesRepr)
      // pymemcache reads items with unknown flags as bytes.
      if (!(flags & FLAG_PICKLE)) return payload
      if (!undecodablePickle) return unpickleWithin(budget, payload, options)
      try {
        return unpickleWithin(budget, payload, options)
      } catch (error) {
        return undecodablePickle(error)
      }
    },
  }
}

function typed(value: unknown, options: EncodingOptions): Payload {
  if (typeof value === 'string') return { flags: FLAG_TEXT, data: writeText(value) }
  if (isBytes(value)) return { flags: 0, data: value }
  if (isInteger(value)) return { flags: FLAG_INTEGER, data: integerText(value) }
  return serialized(value, options, options.pickleProtocol ?? -1)
}
