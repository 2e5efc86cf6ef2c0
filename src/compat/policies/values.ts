/**
 * Values by the switches of `switches/values.ts`: memshim/values writes and reads them in the dialect of the rules, and this file
 * announces the changes that switches make. Source: docs/reference/python-memcached.md#9, #17.
 */

import { decodeFailure } from '../../pipeline/failures/decoding.js'
import type { Operation } from '../../pipeline/operations.js'
import type { Slots } from '../../pipeline/slots.js'
import type { Item } from '../../protocol/wire.js'
import { valueDialect } from '../../rules/index.js'
import { encodingOf, typeBits } from '../../values/encodings/dialect.js'
import {
  compress,
  decompress,
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  type ValueCompressor,
  ValueDecodeError,
  ValueEncodeError,
  type ValueEncoding,
} from '../../values/index.js'
import { pickleByPython2 } from '../../values/pickle/write/python2.js'
import { Raised, raises } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import type { Hooks } from '../emulation/hooks.js'
import { UnboundLocalError } from '../errors.js'
import type { CompatCompression } from '../methods/storage.js'

/** Single type flags of both libraries; python-memcached resolves combinations by the order of its checks. */
const SINGLE_TYPES = new Set([0, FLAG_PICKLE, FLAG_INTEGER, FLAG_LONG, FLAG_TEXT])

export function valueSlots(emulation: Emulation): Pick<Slots, 'encode' | 'decode' | 'textFlags'> {
  const encoding = emulatedEncoding(emulation)
  return {
    encode: encoder(emulation, encoding),
    decode: decoder(emulation, encoding),
    textFlags: encoding.textFlags,
  }
}

function emulatedEncoding({ rules, options }: Emulation): ValueEncoding {
  const { preserve, persistentId, persistentLoad, pickleProtocol, pickler, unpickler } = options
  const module = rules.pickler
  const pickle =
    module === '_pickle'
      ? undefined
      : (value: unknown, protocol: number) => pickleByPython2(module, value, { protocol, persistentId })
  return encodingOf(rules.encoding, valueDialect(rules), {
    pickleProtocol,
    persistentId,
    pickle: pickler ?? pickle,
    preserve,
    persistentLoad,
    // On Python 2 byte strings are bytes.
    encoding: rules.python === 2 ? 'bytes' : 'ascii',
    unpickle: unpickler,
    undecodablePickle:
      rules.undecodablePickle === 'None' ? (error) => new UnreadablePickle(error) : undefined,
    compressor: compressorOf(options),
  })
}

function compressorOf({ compressor, decompressor }: Hooks): ValueCompressor | undefined {
  if (!compressor && !decompressor) return undefined
  return {
    compress: (data, level) =>
      compressor ? Buffer.from(compressor(Buffer.from(data))) : compress(data, level),
    decompress: (data, maxLength) =>
      decompressor ? Buffer.from(decompressor(data as Buffer)) : decompress(data, FLAG_ZLIB, maxLength),
  }
}

function encoder(emulation: Emulation, encoding: ValueEncoding): Slots['encode'] {
  const { announcer } = emulation
  const write = encoding.write ?? encoding.encode
  return (value, compression, operation, key) => {
    const plain = isBoxed(value) ? unboxed(emulation, value, operation, key) : value
    if (announcer.active) announceWriting(emulation, plain, operation, key)
    const incomparable = (compression as CompatCompression | undefined)?.incomparable
    if (!incomparable) return write(plain, compression)
    const encoded = write(plain, undefined)
    if ((encoded.flags & (FLAG_INTEGER | FLAG_LONG)) === 0) throw incomparable
    return encoded
  }
}

/** An object of JavaScript that stands for an instance of a subclass of str, int or bool. */
type Boxed = { valueOf(): unknown } & object

function isBoxed(value: unknown): value is Boxed {
  return (
    typeof value === 'object' &&
    (value instanceof String || value instanceof Number || value instanceof Boolean)
  )
}

/** @throws ValueEncodeError where such objects are pickled, since no pickle can name their class */
function unboxed({ announcer, rules }: Emulation, value: Boxed, operation: Operation, key: string): unknown {
  if (!rules.exactTypes) return value.valueOf()
  announcer.heard?.announce('subclasses', {
    operation,
    key,
    compat: 'pickles it: PicklingError',
    strict: 'stores its base type',
  })
  throw new ValueEncodeError(`a ${value.constructor.name} object has no pickle`)
}

function announceWriting(
  { announcer, rules }: Emulation,
  value: unknown,
  operation: Operation,
  key: string,
): void {
  if (typeof value === 'boolean' && rules.booleans !== 'digit') {
    const compat = rules.booleans === 'pickle' ? 'a pickled boolean' : 'a word that cannot be read'
    announcer.announce('booleans', { operation, key, compat, strict: `the integer ${Number(value)}` })
  }
  if (typeof value === 'string' && rules.text !== 'flagged') {
    const compat = rules.text === 'pickle' ? 'a pickle' : 'bytes with flag 0'
    announcer.announce('text-encoding', { operation, key, compat, strict: 'text with flag 16' })
  }
}

/** A pickle that python-memcached reads as None, before the divergence is announced. */
class UnreadablePickle {
  constructor(readonly error: unknown) {}
}

function decoder(emulation: Emulation, encoding: ValueEncoding): Slots['decode'] {
  const { rules, announcer } = emulation
  const emulated = rules.encoding === 'python-memcached'
  const known = typeBits(valueDialect(rules))

  return (item, operation) => {
    let value: unknown
    try {
      value = encoding.decode(item.flags, item.data)
    } catch (error) {
      const reason = error instanceof ValueDecodeError ? error.reason : undefined
      if (reason === 'flags' && (item.flags & known) === 0) throw unknownFlags(emulation, item, operation)
      if (announcer.active && reason !== 'zlib' && reason !== 'limit') announceReading(item, operation)
      throw emulated ? error : decodeFailure(error, item, operation)
    }
    if (announcer.active) announceReading(item, operation)
    return value instanceof UnreadablePickle ? none(emulation, value.error, item, operation) : value
  }

  function announceReading({ flags, key }: Item, operation: Operation): void {
    const bits = withoutZlib(flags)
    if (bits === 0 && rules.flagZeroIsText)
      announcer.announce('flag-0-reads', { operation, key, compat: 'text', strict: 'bytes' })
    if (emulated && (bits & known) !== 0 && !SINGLE_TYPES.has(bits)) {
      const compat = `flags ${flags} by python-memcached’s rules`
      announcer.announce('value-encoding', { operation, key, compat, strict: new Raised('MemcachedError') })
    }
  }
}

/** Flags may have 64 bits (docs/reference/python-memcached.md#9.4), of which `&` keeps 32. */
function withoutZlib(flags: number): number {
  return flags & FLAG_ZLIB ? flags - FLAG_ZLIB : flags
}

function none(emulation: Emulation, error: unknown, { key }: Item, operation: Operation): null {
  emulation.announcer.heard?.announce('undecodable-pickle', {
    operation,
    key,
    compat: 'None',
    strict: raises(error),
    error,
  })
  emulation.debug(`Pickle error: ${error instanceof Error ? error.message : String(error)}\n`)
  return null
}

function unknownFlags(emulation: Emulation, { key, flags }: Item, operation: Operation): Error {
  const { rules, announcer } = emulation
  const named = rules.unknownFlagsWithZlib ? flags : withoutZlib(flags)
  const message = `unknown flags on get: ${named.toString(16)}`
  emulation.debug(`${message}\n`)
  const error =
    rules.unknownFlags === 'UnboundLocalError'
      ? new UnboundLocalError("local variable 'val' referenced before assignment")
      : new ValueDecodeError('flags', `U${message.slice(1)}`, named)
  announcer.heard?.announce('unknown-flags', {
    operation,
    key,
    compat: raises(error),
    strict: 'bytes',
    error,
  })
  return error
}
