/** How python-memcached writes and reads values, by version. Source: docs/reference/python-memcached.md#9, #17, #18. */
import { bytesRepr } from '../../python/repr.js'
import { writeText } from '../../python/text.js'
import { Budget } from '../budget.js'
import { ValueDecodeError } from '../errors.js'
import { unpickleWithin } from '../pickle/read/reader.js'
import {
  type CompressionRequest,
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
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

/** What the versions disagree on. */
export interface PythonMemcachedDialect {
  /** Text is pickled, written without a flag, or with flag 16. */
  readonly text: 'pickle' | 'untyped' | 'flagged'
  /** Booleans are the digit 1 or 0 or the words True and False (which no version can read) with flag 2, or pickled. */
  readonly booleans: 'digit' | 'word' | 'pickle'
  /** What an item without type bits is read as. */
  readonly untyped: 'bytes' | 'text'
  /** Whether flag 16 is known when reading. */
  readonly readsText: boolean
}

/** By the last version of each range: ≤1.54 (Python 2), 1.55–1.56, 1.57–1.58, 1.59 and later (all on Python 3). */
export const pythonMemcachedDialects = {
  '1.54': { text: 'pickle', booleans: 'digit', untyped: 'bytes', readsText: false },
  '1.56': { text: 'untyped', booleans: 'word', untyped: 'text', readsText: false },
  '1.58': { text: 'untyped', booleans: 'digit', untyped: 'text', readsText: false },
  '1.59': { text: 'flagged', booleans: 'pickle', untyped: 'bytes', readsText: true },
} as const satisfies Readonly<Record<string, PythonMemcachedDialect>>

/** `pickleProtocol` is 0, python-memcached's own default, unless set. */
export interface PythonMemcachedEncodingOptions extends EncodingOptions {
  /** Default `1.59` (and later). */
  readonly version?: keyof typeof pythonMemcachedDialects | undefined
  /** Departs from the version's dialect where a mixed fleet needs it, e.g. `{ text: 'untyped', readsText: true }`. */
  readonly dialect?: Partial<PythonMemcachedDialect> | undefined
  /**
   * python-memcached reads a pickle that fails as None. When given, this is called with the failure and its result is the
   * value; without it the failure is thrown.
   */
  readonly undecodablePickle?: ((error: unknown) => unknown) | undefined
}

/** @throws RangeError for a serializer whose flag means something else */
export function pythonMemcachedEncoding(given: PythonMemcachedEncodingOptions = {}): ValueEncoding {
  const options = checkedOptions(given)
  const version = options.version ?? '1.59'
  const dialect: PythonMemcachedDialect = { ...pythonMemcachedDialects[version], ...options.dialect }
  const { serializer, undecodablePickle, unknownFlags = 'raise' } = options
  return {
    name: `python-memcached-${version}`,
    textFlags: dialect.readsText ? FLAG_TEXT : undefined,
    encode(value, compression) {
      return asBytes(compressed(typed(value, options, dialect), compression, options))
    },
    write(value, compression) {
      return compressed(typed(value, options, dialect), compression, options)
    },
    decode(flags, data) {
      const budget = new Budget(options.maxMemory)
      const payload = inflated(flags, data, options, budget)
      // Flags may have 64 bits, of which `&` keeps 32.
      const type = flags & FLAG_ZLIB ? flags - FLAG_ZLIB : flags
      if (type === 0) return dialect.untyped === 'text' ? readText(payload, flags, budget) : payload
      if (serializer && isSerialized(type, serializer)) return serializer.deserialize(payload)
      if (type & FLAG_TEXT && dialect.readsText) return readText(payload, flags, budget)
      if (type & (FLAG_INTEGER | FLAG_LONG)) return pythonInteger(payload, bytesRepr)
      if (!(type & FLAG_PICKLE)) {
        if (unknownFlags !== 'raise') return unknownFlags === 'bytes' ? payload : null
        throw new ValueDecodeError('flags', `Unknown flags on get: ${type.toString(16)}`, flags)
      }
      if (!undecodablePickle) return unpickleWithin(budget, payload, options)
      try {
        return unpickleWithin(budget, payload, options)
      } catch (error) {
        return undecodablePickle(error)
      }
    },
  }
}

function typed(value: unknown, options: EncodingOptions, dialect: PythonMemcachedDialect): Payload {
  if (typeof value === 'string' && dialect.text !== 'pickle')
    return { flags: dialect.text === 'flagged' ? FLAG_TEXT : 0, data: writeText(value) }
  if (value instanceof Uint8Array) return { flags: 0, data: value }
  if (isInteger(value)) return { flags: FLAG_INTEGER, data: integerText(value) }
  if (typeof value === 'boolean' && dialect.booleans !== 'pickle')
    return {
      flags: FLAG_INTEGER,
      data: dialect.booleans === 'digit' ? `${+value}` : value ? 'True' : 'False',
    }
  return serialized(value, options, options.pickleProtocol ?? 0)
}

/** Compresses above `minCompressLen` bytes (strictly), never integers, and keeps only what got shorter. */
function compressed(
  encoded: Payload,
  request: CompressionRequest | undefined,
  options: EncodingOptions,
): Payload {
  const { minCompressLen = 0 } = request ?? {}
  const never = minCompressLen === 0 || (encoded.flags & (FLAG_INTEGER | FLAG_LONG)) !== 0
  return never || encoded.data.length <= minCompressLen ? encoded : smaller(asBytes(encoded), options, -1)
}
