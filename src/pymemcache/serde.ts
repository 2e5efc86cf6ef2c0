/** pymemcache's serdes, which convert values to data and flags. Source: docs/reference/pymemcache.md#5. */
import { floatRepr, integerText, textRepr } from '../python/repr.js'
import { describe } from '../values/describe.js'
import { type PymemcacheEncodingOptions, pymemcacheEncoding } from '../values/encodings/pymemcache.js'
import { PyDate, PyDateTime, PyDecimal, PyFraction, PyTime, PyTimeDelta, PyUuid } from '../values/index.js'
import type { Key } from './keys.js'

/** Turns values into data and flags, and back. */
export interface Serde {
  /** @returns data and flags; data that is not bytes is written as its text */
  serialize(key: Key, value: unknown): readonly [data: unknown, flags: number | bigint]
  deserialize(key: Key, data: Buffer, flags: number): unknown
}

/** No serde: values are written as Python's text of them with flags 0, and read as bytes. */
export const plainSerde: Serde = {
  serialize: (_key, value) => [value, 0],
  deserialize: (_key, data) => data,
}

function serdeOf(options: PymemcacheEncodingOptions): Serde {
  const encoding = pymemcacheEncoding({ undecodablePickle: () => null, ...options })
  return {
    serialize(_key, value) {
      const { data, flags } = encoding.encode(value)
      return [data, flags]
    },
    deserialize: (_key, data, flags) => encoding.decode(flags, data),
  }
}

/** pymemcache's `PickleSerde` and `pickle_serde`. A pickle that cannot be read is null, unless `undecodablePickle` says otherwise. */
export function pickleSerde(options: Omit<PymemcacheEncodingOptions, 'serde'> = {}): Serde {
  return serdeOf({ ...options, serde: 'pickle' })
}

/** pymemcache's `CompressedSerde` and `compressed_serde`. */
export function compressedSerde(options: Omit<PymemcacheEncodingOptions, 'serde'> = {}): Serde {
  return serdeOf({ ...options, serde: 'compressed' })
}

/** Characters of Python's text of an object. It is built in memory, also for an object without an end. */
const LONGEST = 8 * 2 ** 20

/** Python's str(). */
export function pythonText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return integerText(value)
  if (value instanceof PyDateTime) return String(value).replace('T', ' ')
  return hasTextOfItsOwn(value) ? String(value) : pythonRepr(value)
}

/** Classes whose str() is not their repr(). */
function hasTextOfItsOwn(value: unknown): boolean {
  return [PyDecimal, PyFraction, PyUuid, PyDate, PyTime, PyTimeDelta].some((kind) => value instanceof kind)
}

/** Python's repr(). @throws RangeError for one of more than 8,388,608 characters */
export function pythonRepr(value: unknown): string {
  if (typeof value === 'string') return textRepr(value)
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return floatRepr(value)
  if (value === undefined) return 'None'
  const text = describe(value, LONGEST + 1)
  if (text.length > LONGEST) throw new RangeError(`the text of the value has over ${LONGEST} characters`)
  return text
}
