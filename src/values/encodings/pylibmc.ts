import { textRepr } from '../../python/repr.js'
/** How pylibmc 1.6.3 writes and reads values. Source: docs/reference/pylibmc.md#4. */
import { decodeText, writeText } from '../../python/text.js'
import { Budget } from '../budget.js'
import { ValueDecodeError } from '../errors.js'
import { unpickleWithin } from '../pickle/read/reader.js'
import {
  type CompressionRequest,
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  type Payload,
  type ValueEncoding,
} from '../types.js'
import { integerText, isInteger, pythonInteger } from './integers.js'
import {
  asBytes,
  checkedOptions,
  type EncodingOptions,
  inflated,
  isSerialized,
  readText,
  serialized,
  smaller,
} from './options.js'

/** `pickleProtocol` is −1 (the highest) unless set. */
export type PylibmcEncodingOptions = EncodingOptions

const TYPE_BITS = FLAG_PICKLE | FLAG_INTEGER | FLAG_LONG | FLAG_TEXT

/** For the message about what is no number, CPython reads the bytes as UTF-8. @throws UnicodeDecodeError */
function shownInteger(bytes: string): string {
  return textRepr(decodeText(Buffer.from(bytes, 'latin1')))
}

/** @throws RangeError for a serializer whose flag means something else */
export function pylibmcEncoding(given: PylibmcEncodingOptions = {}): ValueEncoding {
  const options = checkedOptions(given)
  const { serializer, unknownFlags = 'raise' } = options
  return {
    name: 'pylibmc',
    textFlags: FLAG_TEXT,
    encode(value, compression) {
      return asBytes(compressed(typed(value, options), compression, options))
    },
    write(value, compression) {
      return compressed(typed(value, options), compression, options)
    },
    decode(flags, data) {
      const budget = new Budget(options.maxMemory)
      const payload = inflated(flags, data, options, budget)
      if (serializer && isSerialized(flags, serializer)) return serializer.deserialize(payload)
      switch (flags & TYPE_BITS) {
        case 0:
          return payload
        case FLAG_TEXT:
          return readText(payload, flags, budget)
        case FLAG_INTEGER:
        case FLAG_LONG:
          return pythonInteger(untilNul(payload), shownInteger)
        case FLAG_PICKLE:
          return unpickleWithin(budget, payload, options)
        default:
          if (unknownFlags !== 'raise') return unknownFlags === 'bytes' ? payload : null
          throw new ValueDecodeError('flags', `unknown memcached key flags ${flags & TYPE_BITS}`, flags)
      }
    },
  }
}

function typed(value: unknown, options: EncodingOptions): Payload {
  if (typeof value === 'string') return { flags: FLAG_TEXT, data: writeText(value) }
  if (value instanceof Uint8Array) return { flags: 0, data: value }
  if (typeof value === 'boolean') return { flags: FLAG_INTEGER, data: value ? '1' : '0' }
  if (isInteger(value)) return { flags: FLAG_LONG, data: integerText(value) }
  return serialized(value, options, options.pickleProtocol ?? -1)
}

/** Compresses at `minCompressLen` bytes and more, and keeps only what got shorter. Level 0 is off. */
function compressed(
  encoded: Payload,
  request: CompressionRequest | undefined,
  options: EncodingOptions,
): Payload {
  const { minCompressLen = 0, compressLevel = -1 } = request ?? {}
  if (minCompressLen === 0 || compressLevel === 0 || encoded.data.length < minCompressLen) return encoded
  return smaller(asBytes(encoded), options, compressLevel)
}

/** The C library hands the digits over as a C string. */
function untilNul(data: Buffer): Buffer {
  const nul = data.indexOf(0)
  return nul < 0 ? data : data.subarray(0, nul)
}
