/** The errors about values and items. */
import { brandAll } from '../ground/brand.js'
import { ValueError } from '../python/errors.js'
import { opcodeName } from './pickle/opcodes.js'
import { FLAG_PICKLE } from './types.js'

/** The value has no representation in this encoding. Nothing was sent. */
export class ValueEncodeError extends TypeError {
  override readonly name = 'ValueEncodeError'
  /** @param python the class that Python raises; default: the pickle module's own error */
  constructor(
    message?: string,
    readonly python = '_pickle.PicklingError',
  ) {
    super(message)
  }
}

/** The reasons why an item cannot be read. */
export type DecodeReason =
  /** Type bits that this encoding does not know. */
  | 'flags'
  /** The zlib stream is broken. */
  | 'zlib'
  /** The value takes more memory than `maxMemory`, or is nested deeper than `maxDepth`. */
  | 'limit'
  /** The pickle is broken, or needs an option that was not given: an `UnpicklingError`. */
  | 'pickle'
  /** A counter or integer that is not a decimal number. */
  | 'integer'

/** An item whose flags or payload cannot be read. */
export class ValueDecodeError extends ValueError {
  override readonly name: string = 'ValueDecodeError'
  override readonly python: string
  constructor(
    readonly reason: DecodeReason,
    message: string,
    /** The item's flags. */
    readonly flags: number,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.python = reason === 'zlib' ? 'zlib.error' : 'builtins.ValueError'
  }
}

/** A pickle cannot be read. The error has the byte offset and the opcode. */
export class UnpicklingError extends ValueDecodeError {
  override readonly name = 'UnpicklingError'
  override readonly python: string
  constructor(
    message: string,
    /** Byte offset of the opcode. */
    readonly offset: number,
    /** The opcode as a character code; undefined at the end of the data. */
    readonly opcode: number | undefined,
    /** The class that CPython raises in this case. */
    python = '_pickle.UnpicklingError',
  ) {
    super('pickle', located(message, offset, opcode), FLAG_PICKLE)
    this.python = python
  }
}

/** The fault of the pickle and its position. */
export function located(message: string, offset: number, opcode: number | undefined): string {
  return `pickle: ${message} (offset ${offset}, ${opcode === undefined ? 'end of data' : opcodeName(opcode)})`
}

brandAll('values', { ValueEncodeError, ValueDecodeError, UnpicklingError })
