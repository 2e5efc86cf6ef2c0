/** Values by the `value-encoding` and `undecodable-pickle` switches. Source: spec/python-memcached §9. */
import type { Item } from '../protocol/wire.js'
import { decodeFailure } from '../strict/decoding.js'
import type { Operation, Slots } from '../strict/index.js'
import {
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  pylibmcEncoding,
  pythonMemcachedEncoding,
  ValueDecodeError,
} from '../values/index.js'
import { raises } from './divergence.js'
import type { Emulation } from './emulation.js'

/** Types that both libraries know alone; python-memcached resolves others by the order of its questions. */
const SINGLE_TYPES = new Set([0, 1, 2, 4, 16])

export function valueSlots(emulation: Emulation): Pick<Slots, 'encode' | 'decode'> {
  const { announcer, facts } = emulation
  const { pickleProtocol, preserve } = emulation.options
  const old = facts.values === '1.58'
  const emulated = emulation.on('value-encoding')
  const encoding = emulated
    ? pythonMemcachedEncoding({ version: facts.values, pickleProtocol: pickleProtocol ?? 0, preserve })
    : pylibmcEncoding({ pickleProtocol: pickleProtocol ?? -1, preserve })

  function read(item: Item, operation: Operation): unknown {
    try {
      return encoding.decode(item.flags, item.data)
    } catch (error) {
      const pickled = (item.flags & FLAG_PICKLE) !== 0 && !(error instanceof ValueDecodeError)
      if (!pickled || !emulation.on('undecodable-pickle'))
        throw emulated ? error : decodeFailure(error, item, operation)
      announcer.announce('undecodable-pickle', {
        operation,
        key: item.key,
        compat: 'None',
        strict: raises(error),
        error,
      })
      return null
    }
  }

  return {
    encode(value, compression, operation, key) {
      if (emulated && !old && typeof value === 'boolean') {
        announcer.announce('value-encoding', {
          operation,
          key,
          compat: 'a pickled boolean',
          strict: `the integer ${Number(value)}`,
        })
      }
      return encoding.encode(value, compression)
    },
    decode(item, operation) {
      const type = item.flags & ~FLAG_ZLIB
      const otherwise = old ? type === 0 || (type & FLAG_TEXT) !== 0 : !SINGLE_TYPES.has(type)
      if (emulated && otherwise) {
        announcer.announce('value-encoding', {
          operation,
          key: item.key,
          compat: `flags ${item.flags} by python-memcached’s rules`,
          strict: old ? 'reads them as bytes or text' : 'raises MemcachedError',
        })
      }
      return read(item, operation)
    },
  }
}
