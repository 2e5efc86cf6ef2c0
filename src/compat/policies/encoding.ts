/** Writing values by the switches of `switches/values.ts`. Source: docs/reference/python-memcached.md#9.2, #9.5, #17. */

import type { Operation } from '../../pipeline/operations.js'
import type { Slots } from '../../pipeline/slots.js'
import { writeText } from '../../python/text.js'
import type { Rules } from '../../rules/index.js'
import { isInteger } from '../../values/encodings/integers.js'
import {
  type CompressionRequest,
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  type Payload,
  pickle,
  pylibmcEncoding,
  pythonMemcachedEncoding,
  ValueEncodeError,
} from '../../values/index.js'
import { pickleByPython2 } from '../../values/pickle/write/python2.js'
import type { Emulation } from '../emulation/emulation.js'
import type { Hooks } from '../emulation/hooks.js'
import type { CompatCompression } from '../methods/storage.js'

type Encode = (value: unknown, compression: CompressionRequest | undefined) => Payload

export function encoder(emulation: Emulation): Slots['encode'] {
  const { announcer, options } = emulation
  const write = writer(emulation)
  const { compressor } = options
  return (value, compression, operation, key) => {
    const plain = isBoxed(value) ? unboxed(emulation, value, operation, key) : value
    if (announcer.active) announce(emulation, plain, operation, key)
    const incomparable = (compression as CompatCompression | undefined)?.incomparable
    if (!compressor && !incomparable) return write(plain, compression)
    const encoded = write(plain, undefined)
    if (incomparable && (encoded.flags & (FLAG_INTEGER | FLAG_LONG)) === 0) throw incomparable
    return compressor ? compressedBy(compressor, encoded, compression) : encoded
  }
}

function writer(emulation: Emulation): Encode {
  const { rules, options } = emulation
  const emulated = rules.encoding === 'python-memcached'
  const base = emulated ? pythonMemcachedEncoding() : pylibmcEncoding()
  const protocol = options.pickleProtocol ?? (emulated ? 0 : -1)
  const { persistentId } = options
  const pickler = options.pickler ?? defaultPickler(rules.pickler, protocol, persistentId)
  const { text } = rules
  const booleans = pylibmcEncoding()

  /** Compressed by the rule for bytes, which is the rule for everything but integers. */
  function flagged(
    flag: number,
    data: Uint8Array | string,
    compression: CompressionRequest | undefined,
  ): Payload {
    if (!compression?.minCompressLen) return { flags: flag, data }
    const encoded = base.encode(typeof data === 'string' ? Buffer.from(data) : data, compression)
    return flag === 0 ? encoded : { flags: encoded.flags | flag, data: encoded.data }
  }

  return (value, compression) => {
    if (typeof value === 'string' && text !== 'pickle')
      return flagged(text === 'flag-16' ? FLAG_TEXT : 0, writeText(value), compression)
    if (typeof value === 'boolean' && rules.booleans === 'word')
      return { flags: FLAG_INTEGER, data: value ? 'True' : 'False' }
    if (typeof value === 'boolean' && rules.booleans === 'integer') return booleans.encode(value, undefined)
    if (typeof value === 'string') return flagged(FLAG_PICKLE, pickler(value, protocol), compression)
    if (emulated && rules.python === 2 && isLong(value))
      return { flags: FLAG_LONG, data: Buffer.from(String(value)) }
    if (value instanceof Uint8Array || isInteger(value)) return base.encode(value, compression)
    return flagged(FLAG_PICKLE, pickler(value, protocol), compression)
  }
}

function defaultPickler(
  module: Rules['pickler'],
  protocol: number,
  persistentId: Hooks['persistentId'],
): (value: unknown, protocol: number) => Buffer {
  if (module === '_pickle') return (value) => pickle(value, { protocol, persistentId })
  return (value) => pickleByPython2(module, value, { protocol, persistentId })
}

/** Python 2's long: an integer of more than 64 bits. */
function isLong(value: unknown): boolean {
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value))) return false
  return BigInt.asIntN(64, BigInt(value)) !== BigInt(value)
}

/** What stands in JavaScript for an instance of a subclass of str, int or bool. */
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

function announce({ announcer, rules }: Emulation, value: unknown, operation: Operation, key: string): void {
  if (typeof value === 'boolean' && rules.booleans === 'pickle') {
    const strict = `the integer ${Number(value)}`
    announcer.announce('booleans', { operation, key, compat: 'a pickled boolean', strict })
  }
  if (typeof value === 'boolean' && rules.booleans === 'word') {
    const compat = 'a word that cannot be read'
    announcer.announce('booleans', { operation, key, compat, strict: `the integer ${Number(value)}` })
  }
  if (typeof value === 'string' && rules.text !== 'flag-16') {
    const compat = rules.text === 'pickle' ? 'a pickle' : 'bytes with flag 0'
    announcer.announce('text-encoding', { operation, key, compat, strict: 'text with flag 16' })
  }
}

/** Above `minCompressLen` bytes (strictly), never integers, and only what got shorter. */
function compressedBy(
  compressor: (data: Buffer) => Uint8Array,
  encoded: Payload,
  request: CompressionRequest | undefined,
): Payload {
  const { minCompressLen = 0 } = request ?? {}
  const integer = (encoded.flags & (FLAG_INTEGER | FLAG_LONG)) !== 0
  if (minCompressLen === 0 || integer || encoded.data.length <= minCompressLen) return encoded
  const data = Buffer.from(compressor(Buffer.from(encoded.data)))
  return data.length < encoded.data.length ? { flags: encoded.flags | FLAG_ZLIB, data } : encoded
}
