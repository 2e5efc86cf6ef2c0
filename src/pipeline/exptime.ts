/**
 * Time arguments. Source: docs/reference/pylibmc.md#8.
 *
 * pylibmc's documentation says that negative times act like zero; version 1.6.3 reduces them modulo 2^32 and sends them, so
 * that the text protocol stores items that are expired at once. `negativeTimeout` chooses: `'zero'` (the documentation)
 * or `'send'` (the behaviour of 1.6.3).
 */
import { OverflowError, ValueError } from '../python/errors.js'
import { integerRepr } from '../python/repr.js'
import { typeName } from '../python/type-name.js'
import { type Operation, operations } from './operations.js'

/** The treatment of a negative time: sent as by pylibmc 1.6.3, or zero as its documentation says. */
export type NegativeTimeout = 'zero' | 'send'

const MODULO_32 = 2n ** 32n

/**
 * The value on the wire for a time in seconds (or an absolute Unix time over 30 days; the server decides).
 * Booleans count as 0 and 1, as in Python.
 * @throws TypeError when it is not an integer
 */
export function exptime(time: unknown, operation: Operation, negative: NegativeTimeout): number | bigint {
  const value = integer(time, operation === 'touch' ? 'argument 2' : undefined)
  if (value < 0) {
    if (negative === 'zero') return 0
    return operations[operation].longTimes
      ? BigInt.asIntN(64, BigInt(value))
      : Number(BigInt.asUintN(32, BigInt(value)))
  }
  if (operations[operation].longTimes) return typeof value === 'number' ? value : BigInt.asIntN(64, value)
  return value < MODULO_32 ? value : Number(BigInt(value) % MODULO_32)
}

/**
 * @param argument how the C function names it, where it asks for an `int` object (touch, flush_all) and not for any integer
 * @throws TypeError with CPython's message
 */
export function integer(value: unknown, argument?: string): number | bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  if (argument === undefined)
    throw new TypeError(`'${typeName(value)}' object cannot be interpreted as an integer`)
  // CPython's checks of arguments name None by its value, not by its type.
  throw new TypeError(`${argument} must be int, not ${value === null ? 'None' : typeName(value)}`)
}

/** Largest delta of incr and decr. */
const MAX_DELTA = 2 ** 31 - 1

/**
 * Delta of incr and decr: 0…2^31−1 (docs/reference/pylibmc.md#5.6).
 * @throws TypeError, ValueError (negative), OverflowError (outside of 32 bits)
 */
export function delta(value: unknown): number {
  const amount = integer(value)
  if (amount > MAX_DELTA || amount < -MAX_DELTA - 1)
    throw new OverflowError(
      `delta ${integerRepr(amount)} does not fit a signed 32-bit number (at most ${MAX_DELTA})`,
    )
  if (amount < 0) throw new ValueError('delta must be positive')
  return Number(amount)
}
