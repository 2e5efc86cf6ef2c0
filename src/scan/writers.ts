/**
 * The libraries that can have written an item: those that turn some Python value into these flags and bytes.
 * Source: docs/reference/pylibmc.md#4.2, docs/reference/python-memcached.md#9.2 and #17, pymemcache 4.0.0's serde.py (pickle_serde).
 */
import { FLAG_INTEGER, FLAG_LONG, FLAG_PICKLE, FLAG_TEXT, FLAG_ZLIB } from '../values/index.js'
import type { ValueFacts } from './value-facts.js'

/** Libraries and version ranges that are distinguished. */
export const writers = [
  'pylibmc',
  'python-memcached ≤ 1.58',
  'python-memcached ≥ 1.59',
  'pymemcache',
] as const
export type Writer = (typeof writers)[number]

const everybody: readonly Writer[] = writers
const typeBits = FLAG_PICKLE | FLAG_INTEGER | FLAG_LONG | FLAG_TEXT

/** Candidates by flags alone; empty: another client. */
export function writersByFlags(flags: number): readonly Writer[] {
  if (flags > 31) return []
  switch (flags & typeBits) {
    case 0:
    case FLAG_PICKLE:
    case FLAG_INTEGER:
      return everybody
    case FLAG_TEXT:
      return ['pylibmc', 'python-memcached ≥ 1.59', 'pymemcache']
    case FLAG_LONG:
      // python-memcached: long of Python 2.
      return ['pylibmc', 'python-memcached ≤ 1.58', 'python-memcached ≥ 1.59']
    default:
      return []
  }
}

/** Candidates by flags and bytes. */
export function writersByValue(flags: number, facts: ValueFacts): readonly Writer[] {
  const possible = writersByFlags(flags)
  const { pickleProtocol: protocol, digits, bool } = facts
  if (facts.broken !== undefined) return possible
  switch (flags & typeBits) {
    case FLAG_INTEGER:
      if (digits === undefined) return []
      // pylibmc writes this flag only for a bool, and never compresses it to anything longer.
      return possible.filter((writer) => writer !== 'pylibmc' || digits === '0' || digits === '1')
    case FLAG_LONG:
      if (digits === undefined) return []
      // pylibmc writes integers in this form; python-memcached only those beyond Python 2's int, and never compressed.
      return possible.filter((writer) => writer === 'pylibmc' || (digits.length > 9 && !(flags & FLAG_ZLIB)))
    case FLAG_PICKLE:
      if (protocol === undefined) return []
      // Only python-memcached up to 1.54 pickles text.
      if (facts.pickledText) return possible.filter((writer) => writer === 'python-memcached ≤ 1.58')
      return possible.filter((writer) => {
        // pylibmc has its own flag for bool, python-memcached and pymemcache pickle it.
        if (bool && writer === 'pylibmc') return false
        if (writer === 'pylibmc' || writer === 'pymemcache') return protocol >= 2
        return true
      })
    case FLAG_TEXT:
      return facts.utf8 ? possible : []
    default:
      return possible
  }
}
