/** Keys and envelopes of Beaker. Source: fixtures/vectors/frameworks.json and framework-values.json (Beaker 1.13 and 1.14). */
import { createHash } from 'node:crypto'
import { checkNumber, checkText } from '../ground/arguments.js'
import { PyFloat, PyTuple } from '../values/index.js'

const LONGEST_KEY = 250

/** `namespace_key` with its blanks replaced. A key over 250 characters is replaced by its SHA-1. Other control characters are kept. */
export function beakerKey(namespace: string, key: string): string {
  checkText('namespace', namespace)
  checkText('key', key)
  // Beaker writes the two bytes of a middle dot as two characters.
  const made = `${namespace}_${key}`.replaceAll(' ', '\u00c2\u00b7')
  return [...made].length > LONGEST_KEY ? createHash('sha1').update(made).digest('hex') : made
}

/** An envelope of Beaker: a value with the time when it was stored and its lifetime. */
export interface BeakerValue<T = unknown> {
  readonly value: T
  /** Unix time in seconds. */
  readonly stored: number
  /** The lifetime in seconds; null = for ever. */
  readonly expires: number | null
}

/** The value in an envelope; undefined for other values. Old envelopes without `expires` never expire. */
export function readBeaker<T = unknown>(item: unknown): BeakerValue<T> | undefined {
  const parts = item instanceof PyTuple ? item.items : item
  if (!Array.isArray(parts) || (parts.length !== 3 && parts.length !== 2)) return undefined
  const [stored, expires] = parts.length === 3 ? parts : [parts[0], null]
  if (!isNumber(stored) || !(expires === null || isNumber(expires))) return undefined
  return {
    value: parts.at(-1) as T,
    stored: Number(stored),
    expires: expires === null ? null : Number(expires),
  }
}

/**
 * A value in the envelope that Beaker reads.
 * @param expires seconds; null = for ever
 * @param stored Unix time in seconds; default now
 * @throws TypeError when one is not a number
 */
export function writeBeaker(
  value: unknown,
  expires: number | null = null,
  stored: number = Date.now() / 1000,
): PyTuple {
  if (expires !== null) checkNumber('expires', expires)
  checkNumber('stored', stored)
  return new PyTuple([new PyFloat(stored), expires, value])
}

const isNumber = (value: unknown): boolean => typeof value === 'number' || value instanceof PyFloat
