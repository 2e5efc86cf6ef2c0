/**
 * zlib as the Python libraries use it: byte-identical output to CPython's `zlib.compress`, and inflating with a limit.
 * Sources: docs/reference/pylibmc.md#4.5, docs/reference/python-memcached.md#9.5, docs/reference/field.md#5.
 */
import { constants } from 'node:buffer'
import type { deflate } from 'pako'
import { checkBytes, checkNumber, shown } from '../../ground/arguments.js'
import { DEFAULT_MAX_MEMORY } from '../budget.js'
import { ValueDecodeError } from '../errors.js'

const MAX_BUFFER = constants.MAX_LENGTH

// Both are loaded when they are used, because they take a third of the time that a program needs to load a client, and many programs compress nothing.
const nodeZlib = () => process.getBuiltinModule('node:zlib')
interface Pako {
  readonly deflate: typeof deflate
}
let pako: Pako | undefined

function loadPako(): Pako {
  const { createRequire } = process.getBuiltinModule('node:module')
  return createRequire(import.meta.url)('pako')
}

/**
 * @param level −1 (6) or 0…9
 * @throws TypeError for data that is no Uint8Array; RangeError for another level
 */
export function compress(data: Uint8Array, level = -1): Uint8Array {
  checkBytes('data', data)
  if (!Number.isInteger(level) || level < -1 || level > 9)
    throw new RangeError(`level is ${shown(level)}: a whole number from -1 to 9 is needed`)
  // The zlib of node:zlib writes other bytes for ordinary text. pako with its legacy hash writes the bytes of zlib 1.2.
  pako ??= loadPako()
  return pako.deflate(data, { level: level as 6, legacyHash: true })
}

/** Writes other bytes than CPython, which every reader inflates to the same data. @param level −1 (6) or 1…9 */
export function compressFast(data: Uint8Array, level: number): Uint8Array {
  return nodeZlib().deflateSync(data, { level })
}

/**
 * Inflates a zlib stream; bytes after its end are ignored, as in Python.
 * @param flags of the item, for the error
 * @param maxLength bytes
 * @throws ValueDecodeError `zlib` (broken, truncated) or `limit`; TypeError for data that is no Uint8Array, or another type of maxLength
 */
export function decompress(data: Uint8Array, flags: number, maxLength = DEFAULT_MAX_MEMORY): Buffer {
  checkBytes('data', data)
  checkNumber('maxLength', maxLength)
  const maxOutputLength = Math.min(Math.max(1, Math.floor(maxLength)), MAX_BUFFER)
  try {
    return nodeZlib().inflateSync(data, { maxOutputLength })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ValueDecodeError('limit', `the value inflates to more than ${maxLength} bytes`, flags, error)
    }
    throw new ValueDecodeError('zlib', `broken zlib stream: ${(error as Error).message}`, flags, error)
  }
}
