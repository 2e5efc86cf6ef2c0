/**
 * The value encodings of pylibmc and python-memcached. One writer and one reader serve both libraries: their differences, and those of the versions of
 * python-memcached, disagree on is a dialect. Sources: docs/reference/pylibmc.md#4, docs/reference/python-memcached.md#9, #17, #18.
 */
import { bytesRepr, integerText, textRepr } from '../../python/repr.js'
import { decodeText, writeText } from '../../python/text.js'
import { Budget } from '../budget.js'
import { isBytes } from '../classes/stand-ins.js'
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
import { isInteger, isLong, python2Integer, pythonInteger } from './integers.js'
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

/** What the versions of python-memcached disagree on. */
export interface PythonMemcachedDialect {
  /** Text is pickled, written without a flag, or with flag 16. */
  readonly text: 'pickle' | 'untyped' | 'flagged'
  /** Booleans are the digit 1 or 0 or the words True and False (which no version can read) with flag 2, or pickled. */
  readonly booleans: 'digit' | 'word' | 'pickle'
  /** What an item without type bits is read as. */
  readonly untyped: 'bytes' | 'text'
  /** Whether flag 16 is known when reading. */
  readonly readsText: boolean
  /** Python 2 writes integers of more than 64 bits with flag 4, and reads numbers by its own grammar. */
  readonly python: 2 | 3
}

/** What the two libraries disagree on. */
export interface ValueDialect extends PythonMemcachedDialect {
  /**
   * The flag of integers, the values that are compressed, and the meaning of several type bits at once: pylibmc refuses them, and
   * python-memcached takes the first one of text, integer and pickle.
   */
  readonly library: 'pylibmc' | 'python-memcached'
  /** Other bits than the type bits are ignored, or make the flags unknown. */
  readonly otherFlags: 'ignored' | 'unknown'
}

/** What python-memcached's constructor can be given in place of its own functions. */
export interface PickleHooks {
  /** Writes pickles. Given the value and `pickleProtocol`. */
  readonly pickle?: ((value: unknown, protocol: number) => Uint8Array) | undefined
  /** Reads pickles. */
  readonly unpickle?: ((data: Buffer) => unknown) | undefined
  /**
   * python-memcached reads a pickle that fails as None. When given, this is called with the failure and its result is the
   * value; without it the failure is thrown.
   */
  readonly undecodablePickle?: ((error: unknown) => unknown) | undefined
}

const TYPE_BITS = FLAG_PICKLE | FLAG_INTEGER | FLAG_LONG | FLAG_TEXT

/** The type bits that a reader of this dialect knows. */
export function typeBits({ readsText }: Pick<PythonMemcachedDialect, 'readsText'>): number {
  return readsText ? TYPE_BITS : TYPE_BITS & ~FLAG_TEXT
}

/** @throws RangeError for a serializer whose flag means something else, and for a `maxMemory` that is not positive */
export function encodingOf(
  name: string,
  dialect: ValueDialect,
  given: EncodingOptions & PickleHooks,
): ValueEncoding {
  const options = checkedOptions(given)
  const typed = writer(dialect, options)
  const compressed = dialect.library === 'pylibmc' ? byPylibmc : byPythonMemcached
  return {
    name,
    textFlags: dialect.readsText ? FLAG_TEXT : undefined,
    encode: (value, compression) => asBytes(compressed(typed(value), compression, options)),
    write: (value, compression) => compressed(typed(value), compression, options),
    decode: reader(dialect, options),
  }
}

function writer(
  { library, text, booleans, python }: ValueDialect,
  options: EncodingOptions & PickleHooks,
): (value: unknown) => Payload {
  const protocol = options.pickleProtocol ?? (library === 'pylibmc' ? -1 : 0)
  const { pickle } = options
  const textFlag = text === 'flagged' ? FLAG_TEXT : 0
  const integerFlag = library === 'pylibmc' ? FLAG_LONG : FLAG_INTEGER
  const longs = python === 2 && library === 'python-memcached'
  return (value) => {
    if (typeof value === 'string' && text !== 'pickle') return { flags: textFlag, data: writeText(value) }
    if (isBytes(value)) return { flags: 0, data: value }
    if (typeof value === 'boolean' && booleans !== 'pickle')
      return { flags: FLAG_INTEGER, data: booleans === 'digit' ? `${+value}` : value ? 'True' : 'False' }
    if (longs && isLong(value)) return { flags: FLAG_LONG, data: integerText(BigInt(value)) }
    if (isInteger(value)) return { flags: integerFlag, data: integerText(value) }
    if (pickle) return { flags: FLAG_PICKLE, data: pickle(value, protocol) }
    return serialized(value, options, protocol)
  }
}

/** Compresses values of `minCompressLen` bytes and more, and keeps only shorter results. Level 0 is off. */
function byPylibmc(
  encoded: Payload,
  request: CompressionRequest | undefined,
  options: EncodingOptions,
): Payload {
  const { minCompressLen = 0, compressLevel = -1 } = request ?? {}
  if (minCompressLen === 0 || compressLevel === 0 || encoded.data.length < minCompressLen) return encoded
  return smaller(asBytes(encoded), options, compressLevel)
}

/** Compresses values of more than `minCompressLen` bytes, never integers, and keeps only shorter results. */
function byPythonMemcached(
  encoded: Payload,
  request: CompressionRequest | undefined,
  options: EncodingOptions,
): Payload {
  const { minCompressLen = 0 } = request ?? {}
  const never = minCompressLen === 0 || (encoded.flags & (FLAG_INTEGER | FLAG_LONG)) !== 0
  return never || encoded.data.length <= minCompressLen ? encoded : smaller(asBytes(encoded), options, -1)
}

function reader(dialect: ValueDialect, options: EncodingOptions & PickleHooks): ValueEncoding['decode'] {
  const { library, untyped, otherFlags, python } = dialect
  const { serializer, unknownFlags = 'raise', unpickle, undecodablePickle } = options
  const known = typeBits(dialect)
  const pylibmc = library === 'pylibmc'

  function integer(type: number, payload: Buffer): number | bigint {
    if (python === 2) return python2Integer(payload, type & FLAG_INTEGER ? 'int' : 'long')
    return pylibmc ? pythonInteger(untilNul(payload), shownInteger) : pythonInteger(payload, bytesRepr)
  }

  function unpickled(payload: Buffer, budget: Budget): unknown {
    if (!undecodablePickle) return unpickle ? unpickle(payload) : unpickleWithin(budget, payload, options)
    try {
      return unpickle ? unpickle(payload) : unpickleWithin(budget, payload, options)
    } catch (error) {
      return undecodablePickle(error)
    }
  }

  function unknown(payload: Buffer, message: string, flags: number): unknown {
    if (unknownFlags === 'raise') throw new ValueDecodeError('flags', message, flags)
    return unknownFlags === 'bytes' ? payload : null
  }

  return (flags, data) => {
    const budget = new Budget(options.maxMemory)
    const payload = inflated(flags, data, options, budget)
    // Flags may have 64 bits (docs/reference/python-memcached.md#9.4), of which `&` keeps 32.
    const bits = flags & FLAG_ZLIB ? flags - FLAG_ZLIB : flags
    if (bits === 0) return untyped === 'text' ? readText(payload, flags, budget) : payload
    if (serializer && isSerialized(bits, serializer)) return serializer.deserialize(payload)
    const type = bits & known
    if (type === 0)
      return otherFlags === 'ignored'
        ? payload
        : unknown(payload, `Unknown flags on get: ${bits.toString(16)}`, flags)
    if (pylibmc && (type & (type - 1)) !== 0)
      return unknown(payload, `unknown memcached key flags ${type}`, flags)
    if (type & FLAG_TEXT) return readText(payload, flags, budget)
    return type & (FLAG_INTEGER | FLAG_LONG) ? integer(type, payload) : unpickled(payload, budget)
  }
}

/** pylibmc's C code hands the digits over as a C string. */
function untilNul(data: Buffer): Buffer {
  const nul = data.indexOf(0)
  return nul < 0 ? data : data.subarray(0, nul)
}

/** In the message about a text that is not a number, CPython shows the bytes read as UTF-8. @throws UnicodeDecodeError */
function shownInteger(bytes: string): string {
  return textRepr(decodeText(Buffer.from(bytes, 'latin1')))
}
