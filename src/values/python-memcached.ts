/** How python-memcached (on Python 3) writes and reads values, by version. Source: spec/python-memcached §9, §17, §18. */
import { bytesRepr } from '../python/repr.js'
import { ValueDecodeError } from './errors.js'
import { integerText, isInteger, pythonInteger } from './integers.js'
import { type UnpickleOptions, unpickle } from './pickle/reader.js'
import { pickle } from './pickle/writer.js'
import { decodeText, encodeText } from './text.js'
import {
  type CompressionRequest,
  type EncodedValue,
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  type ValueEncoding,
} from './types.js'
import { compress, decompress } from './zlib.js'

export interface PythonMemcachedEncodingOptions extends UnpickleOptions {
  /** `1.58` writes text with flag 0, reads flag 0 as text, and writes booleans as integers. Default `1.59` (and later). */
  readonly version?: '1.58' | '1.59'
  /** Default 0, python-memcached's own default. Negative = the highest. */
  readonly pickleProtocol?: number
  /** Largest inflated value in bytes. */
  readonly maxInflated?: number
  /**
   * python-memcached reads a pickle that fails as None. When given, this is called with the failure and its result is the
   * value; without it the failure is thrown.
   */
  readonly undecodablePickle?: (error: unknown) => unknown
}

export function pythonMemcachedEncoding(options: PythonMemcachedEncodingOptions = {}): ValueEncoding {
  const protocol = options.pickleProtocol ?? 0
  const old = options.version === '1.58'
  return {
    name: `python-memcached-${options.version ?? '1.59'}`,
    encode(value, compression) {
      return compressed(serialized(value, protocol, old), compression)
    },
    decode(flags, data) {
      let payload = data
      let type = flags
      if (flags & FLAG_ZLIB) {
        payload = decompress(data, flags, options.maxInflated)
        type &= ~FLAG_ZLIB
      }
      if (type === 0) return old ? decodeText(payload) : payload
      if (type & FLAG_TEXT && !old) return decodeText(payload)
      if (type & (FLAG_INTEGER | FLAG_LONG)) return pythonInteger(payload, bytesRepr)
      if (!(type & FLAG_PICKLE))
        throw new ValueDecodeError('flags', `Unknown flags on get: ${(type >>> 0).toString(16)}`, flags)
      if (!options.undecodablePickle) return unpickle(payload, options)
      try {
        return unpickle(payload, options)
      } catch (error) {
        return options.undecodablePickle(error)
      }
    },
  }
}

function serialized(value: unknown, protocol: number, old: boolean): EncodedValue {
  if (value instanceof Uint8Array) return { flags: 0, data: value }
  if (typeof value === 'string') return { flags: old ? 0 : FLAG_TEXT, data: encodeText(value) }
  if (isInteger(value)) return { flags: FLAG_INTEGER, data: Buffer.from(integerText(value)) }
  if (old && typeof value === 'boolean') return { flags: FLAG_INTEGER, data: Buffer.from(value ? '1' : '0') }
  return { flags: FLAG_PICKLE, data: pickle(value, { protocol }) }
}

/** Compresses above `minCompressLen` bytes (strictly), never integers, and keeps only what got shorter. */
function compressed(encoded: EncodedValue, request: CompressionRequest | undefined): EncodedValue {
  const { minCompressLen = 0 } = request ?? {}
  const never = minCompressLen === 0 || (encoded.flags & (FLAG_INTEGER | FLAG_LONG)) !== 0
  if (never || encoded.data.length <= minCompressLen) return encoded
  const data = compress(encoded.data)
  return data.length < encoded.data.length ? { flags: encoded.flags | FLAG_ZLIB, data } : encoded
}
