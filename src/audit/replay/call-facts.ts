/** Facts of one call of the application that its arguments show: the keys that a server reads, negative times, and reasons that may explain a difference. */
import { PyFloat } from '../../values/index.js'
import type { Reason } from '../compare/divergence.js'
import type { Bound } from '../methods/python-signatures.js'

/** A key with blanks is several keys for a server, which reads a line of a command up to NUL. */
export function withWords(keys: readonly string[]): readonly string[] {
  if (!keys.some((key) => /[ \0\n]/.test(key))) return keys
  return [...new Set(keys.flatMap((key) => [key, ...key.split(/[ \0]|\r?\n/).filter((word) => word !== '')]))]
}

/** Reasons that are used if there is no other explanation. */
export function likelyReasons(bound: Bound): readonly Reason[] {
  const { noreply, time, delta, min_compress_len: length } = bound
  const reasons: Reason[] = []
  if (noreply) reasons.push({ switch: 'missing-argument', how: 'signature', fallback: true })
  if (!fits(time) || !fits(delta) || !fits(length))
    reasons.push({ switch: 'argument-type', how: 'signature', fallback: true })
  // pylibmc returns such a key once.
  if (namesTwice(bound.keys)) reasons.push({ switch: 'argument-type', how: 'signature', fallback: true })
  return reasons
}

/** Whether a key is there as text and as bytes. */
function namesTwice(keys: unknown): boolean {
  if (!Array.isArray(keys) || !keys.some((key) => key instanceof Uint8Array)) return false
  return keys.some((key) => typeof key === 'string' && keys.some((other) => isBytesOf(other, key)))
}

function isBytesOf(other: unknown, key: string): boolean {
  return other instanceof Uint8Array && Buffer.from(key).equals(other)
}

/** An integer of 31 bits, or no time, has the same meaning for both libraries and every server. */
function fits(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && value >= 0 && value < 2 ** 31)
}

/** Times from −1 to −2^31, which both protocols and every server read as negative. */
export function isNegative(time: unknown): boolean {
  const number = time instanceof PyFloat ? time.value : time
  return (typeof number === 'number' || typeof number === 'bigint') && number < 0 && number >= -(2 ** 31)
}
