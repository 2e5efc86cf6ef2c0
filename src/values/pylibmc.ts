/** How pylibmc 1.6.3 writes and reads values. Source: spec/pylibmc §4. */
import { textRepr } from '../python/repr.js'
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

export interface PylibmcEncodingOptions extends UnpickleOptions {
  /** Negative = the highest (5). Default −1. */
  readonly pickleProtocol?: number
  /** Largest inflated value in bytes. */
  readonly maxInflated?: number
}

const TYPE_BITS = FLAG_PICKLE | FLAG_INTEGER | FLAG_LONG | FLAG_TEXT

export function pylibmcEncoding(options: PylibmcEncodingOptions = {}): ValueEncoding {
  const protocol = options.pickleProtocol ?? -1
  return {
    name: 'pylibmc',
    encode(value, compression) {
      return compressed(serialized(value, protocol), compression)
    },
    decode(flags, data) {
      const payload = flags & FLAG_ZLIB ? decompress(data, flags, options.maxInflated) : data
      switch (flags & TYPE_BITS) {
        case 0:
          return payload
        case FLAG_TEXT:
          return decodeText(payload)
        case FLAG_INTEGER:
        case FLAG_LONG:
          return pythonInteger(untilNul(payload), textRepr)
        case FLAG_PICKLE:
          return unpickle(payload, options)
        default:
          throw new ValueDecodeError('flags', `unknown memcached key flags ${flags & TYPE_BITS}`, flags)
      }
    },
  }
}

function serialized(value: unknown, protocol: number): EncodedValue {
  if (value instanceof Uint8Array) return { flags: 0, data: value }
  if (typeof value === 'string') return { flags: FLAG_TEXT, data: encodeText(value) }
  if (typeof value === 'boolean') return { flags: FLAG_INTEGER, data: Buffer.from(value ? '1' : '0') }
  if (isInteger(value)) return { flags: FLAG_LONG, data: Buffer.from(integerText(value)) }
  return { flags: FLAG_PICKLE, data: pickle(value, { protocol }) }
}

/** Compresses at `minCompressLen` bytes and more, and keeps only what got shorter. Level 0 is off. */
function compressed(encoded: EncodedValue, request: CompressionRequest | undefined): EncodedValue {
  const { minCompressLen = 0, compressLevel = -1 } = request ?? {}
  if (minCompressLen === 0 || compressLevel === 0 || encoded.data.length < minCompressLen) return encoded
  const data = compress(encoded.data, compressLevel)
  return data.length < encoded.data.length ? { flags: encoded.flags | FLAG_ZLIB, data } : encoded
}

/** The C library hands the digits over as a C string. */
function untilNul(data: Buffer): Buffer {
  const nul = data.indexOf(0)
  return nul < 0 ? data : data.subarray(0, nul)
}
