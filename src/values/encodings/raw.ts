/** The encoding of stored bytes and flags as they are, for programs with a format of their own. */
import { ValueEncodeError } from '../errors.js'
import type { EncodedValue, ValueEncoding } from '../types.js'

/** Reads items as `{flags, data}` and writes the same. It writes bytes alone with flags 0. It never compresses. */
export const rawEncoding: ValueEncoding = {
  name: 'raw',
  encode(value) {
    if (value instanceof Uint8Array) return { flags: 0, data: value }
    const { flags, data } = (value ?? {}) as Partial<EncodedValue>
    if (!(data instanceof Uint8Array))
      throw new ValueEncodeError('raw items are bytes, or {flags, data} with bytes as data')
    if (!Number.isInteger(flags) || flags! < 0 || flags! > 0xffffffff)
      throw new ValueEncodeError(`flags must be a whole number from 0 to 4294967295, not ${flags}`)
    return { flags: flags!, data }
  },
  decode: (flags, data) => ({ flags, data }) satisfies EncodedValue,
}
