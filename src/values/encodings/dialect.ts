/**
 * The value encodings of pylibmc and python-memcached. One writer and one reader serve both libraries. A dialect names the differences between
 * the libraries and between the versions of python-memcached. Sources: docs/reference/pylibmc.md#4, docs/reference/python-memcached.md#9, #17, #18.
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
  bytesFrom,
  checkedOptions,
  type EncodingOptions,
  inflated,
  isSerialized,
  readText,
  serialized,
  smaller,
} from './options.js'

/** The differences between versions of python-memcached. */
export interface PythonMemcachedDialect {
  /** How text is written: as a pickle, without a flag, or with flag 16. */
  readonly text: 'pickle' | 'untyped' | 'flagged'
  /** How booleans are written: as the digit 1 or 0 with flag 2, as the words True and False with flag 2 (which no version can read), or as a pickle. */
  readonly booleans: 'digit' | 'word' | 'pickle'
  /** The type of an item without type bits when it is read. */
  readonly untyped: 'bytes' | 'text'
  /** Whether the reader knows flag 16. */
  readonly readsText: boolean
  /** Python 2 writes integers of more than 64 bits with flag 4 and reads numbers by a grammar of its own. */
  readonly python: 2 | 3
}

/** The differences between the two libraries. */
export interface ValueDialect extends PythonMemcachedDialect {
  /**
   * The flag of integers, which values are compressed, and the meaning of several type bits at once: pylibmc refuses such items, and
   * python-memcached reads them as the first of text, integer and pickle.
   */
  readonly library: 'pylibmc' | 'python-memcached'
  /** Whether bits besides the type bits are ignored or make the flags unknown. */
  readonly otherFlags: 'ignored' | 'unknown'
}

/** The functions that python-memcached's constructor accepts in place of its own. */
export interface PickleHooks {
  /** Writes pickles. It receives the value and `pickleProtocol`. */
  readonly pickle?: ((value: unknown, protocol: number) => Uint8Array) | undefined
  /** Reads pickles. */
  readonly unpickle?: ((data: Buffer) => unknown) | undefined
  /**
   * python-memcached reads a broken pickle as None. If this function is given, it receives the failure and returns the value in its place;
   * without it the failure is thrown.
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
    if (pickle) return { flags: FLAG_PICKLE, data: bytesFrom('the pickler', pickle(value, protocol)) }
    return serialized(value, options, protocol)
  }
}

/** Compresses values of at least `minCompressLen` bytes and keeps the result only if it is shorter. Level 0 does not compress. */
function byPylibmc(
  encoded: Payload,
  request: CompressionRequest | undefined,
  options: EncodingOptions,
): Payload {
  const { minCompressLen = 0, compressLevel = -1 } = request ?? {}
  if (minCompressLen === 0 || compressLevel === 0 || encoded.data.length < minCompressLen) return encoded
  return smaller(asBytes(encoded), options, compressLevel)
}

/** Compresses values of more than `minCompressLen` bytes, never integers, and keeps the result only if it is shorter. */
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

/** pylibmc's C code passes the digits as a C string, which ends at the first NUL. */
function untilNul(data: Buffer): Buffer {
  const nul = data.indexOf(0)
  return nul < 0 ? data : data.subarray(0, nul)
}

/** CPython's message about bytes that are not a number shows them decoded as UTF-8. @throws UnicodeDecodeError */
function shownInteger(bytes: string): string {
  return textRepr(decodeText(Buffer.from(bytes, 'latin1')))
}
