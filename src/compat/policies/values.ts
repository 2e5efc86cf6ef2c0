/** Reading values by the switches of `switches/values.ts`. Source: docs/reference/python-memcached.md#9.4, #17. */

import { decodeFailure } from '../../pipeline/decoding.js'
import type { Operation } from '../../pipeline/operations.js'
import type { Slots } from '../../pipeline/slots.js'
import type { Item } from '../../protocol/wire.js'
import { ValueError } from '../../python/errors.js'
import { byteTextRepr } from '../../python/repr.js'
import { decodeText } from '../../python/text.js'
import { Budget } from '../../values/budget.js'
import { pythonInteger } from '../../values/encodings/integers.js'
import { inflated as inflatedWithin } from '../../values/encodings/options.js'
import {
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  pylibmcEncoding,
  pythonMemcachedEncoding,
  ValueDecodeError,
} from '../../values/index.js'
import { unpickleWithin } from '../../values/pickle/read/reader.js'
import { Raised, raises } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import { UnboundLocalError } from '../errors.js'
import { encoder } from './encoding.js'

const TYPES = FLAG_PICKLE | FLAG_INTEGER | FLAG_LONG | FLAG_TEXT
/** Types that both libraries know alone; python-memcached resolves others by the order of its questions. */
const SINGLE_TYPES = new Set([0, FLAG_PICKLE, FLAG_INTEGER, FLAG_LONG, FLAG_TEXT])

export function valueSlots(emulation: Emulation): Pick<Slots, 'encode' | 'decode' | 'textFlags'> {
  const textFlags = knownTypes(emulation) & FLAG_TEXT || undefined
  return { encode: encoder(emulation), decode: decoder(emulation), textFlags }
}

function knownTypes({ rules }: Emulation): number {
  return rules.readsFlag16 ? TYPES : TYPES & ~FLAG_TEXT
}

function decoder(emulation: Emulation): Slots['decode'] {
  const { rules, options, announcer } = emulation
  const { preserve, persistentLoad, decompressor } = options
  const emulated = rules.encoding === 'python-memcached'
  // Python 2's byte strings are bytes there.
  const reading = { preserve, persistentLoad, encoding: rules.python === 2 ? 'bytes' : 'ascii' } as const
  const base = emulated ? pythonMemcachedEncoding(reading) : pylibmcEncoding(reading)
  const { unpickler } = options
  const known = knownTypes(emulation)

  return (item, operation) => {
    const budget = new Budget()
    const data = inflated(item, operation, budget)
    // Flags may have 64 bits (docs/reference/python-memcached.md#9.4), of which `&` keeps 32.
    const flags = item.flags & FLAG_ZLIB ? item.flags - FLAG_ZLIB : item.flags
    if (flags === 0) return zero(data, item, operation)
    const type = flags & known
    if (type === 0) return unknown(data, rules.unknownFlagsWithZlib ? item.flags : flags, item, operation)
    if (emulated && announcer.active && !SINGLE_TYPES.has(flags)) {
      announcer.announce('value-encoding', {
        operation,
        key: item.key,
        compat: `flags ${item.flags} by python-memcached’s rules`,
        strict: new Raised('MemcachedError'),
      })
    }
    if (type === FLAG_PICKLE) return unpickled(data, item, operation, budget)
    if (rules.python === 2 && (type & FLAG_TEXT) === 0)
      return python2Integer(data, (type & FLAG_INTEGER) !== 0 ? 'int' : 'long')
    return told(item, operation, () => base.decode(type, data))
  }

  /** In the words of the library whose rules apply. */
  function told<T>(item: Item, operation: Operation, read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw emulated ? error : decodeFailure(error, item, operation)
    }
  }

  function inflated(item: Item, operation: Operation, budget: Budget): Buffer {
    if ((item.flags & FLAG_ZLIB) === 0) return item.data
    if (decompressor) return Buffer.from(decompressor(item.data))
    // Flag 8 alone is compressed bytes.
    return told(item, operation, () => inflatedWithin(FLAG_ZLIB, item.data, {}, budget))
  }

  function zero(data: Buffer, { key }: Item, operation: Operation): unknown {
    if (!rules.flagZeroIsText) return data
    announcer.heard?.announce('flag-0-reads', { operation, key, compat: 'text', strict: 'bytes' })
    return decodeText(data)
  }

  function unpickled(data: Buffer, { key }: Item, operation: Operation, budget: Budget): unknown {
    try {
      return unpickler ? unpickler(data) : unpickleWithin(budget, data, reading)
    } catch (error) {
      if (emulation.rules.undecodablePickle !== 'None') throw error
      announcer.heard?.announce('undecodable-pickle', {
        operation,
        key,
        compat: 'None',
        strict: raises(error),
        error,
      })
      emulation.debug(`Pickle error: ${error instanceof Error ? error.message : String(error)}\n`)
      return null
    }
  }

  function unknown(data: Buffer, flags: number, { key }: Item, operation: Operation): unknown {
    if (rules.unknownFlags === 'bytes') return data
    const hex = flags.toString(16)
    emulation.debug(`unknown flags on get: ${hex}\n`)
    const error =
      rules.unknownFlags === 'UnboundLocalError'
        ? new UnboundLocalError("local variable 'val' referenced before assignment")
        : new ValueDecodeError('flags', `Unknown flags on get: ${hex}`, flags)
    announcer.heard?.announce('unknown-flags', {
      operation,
      key,
      compat: raises(error),
      strict: 'bytes',
      error,
    })
    throw error
  }
}

function noInteger(data: Buffer, type: 'int' | 'long'): ValueError {
  return new ValueError(
    `invalid literal for ${type}() with base 10: ${byteTextRepr(data.toString('latin1'))}`,
  )
}

/** Python 2 knows no underscores in numbers, and names bytes like text. @throws ValueError */
function python2Integer(data: Buffer, type: 'int' | 'long'): number | bigint {
  if (data.includes(0)) throw new ValueError(`null byte in argument for ${type}()`)
  // A sign may stand apart, and a long may say that it is one.
  const [, sign, digits] = /^\s*([+-]?)\s*(\d+)([lL]?)\s*$/.exec(data.toString('latin1')) ?? []
  const long = /[lL]\s*$/.test(data.toString('latin1'))
  if (digits === undefined || (long && type === 'int')) throw noInteger(data, type)
  try {
    return pythonInteger(Buffer.from(`${sign}${digits}`), byteTextRepr)
  } catch {
    throw noInteger(data, type)
  }
}
