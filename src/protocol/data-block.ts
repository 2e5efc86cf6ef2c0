/** The bytes of a value between the call that stores it and the wire. */
import type { Bytes } from '../ground/bytes.js'

/** Blocks up to this length become text: V8 allocates a string faster than a buffer, and the socket's output copies both alike. */
const TEXT = 32 * 1024
const scratch = Buffer.allocUnsafeSlow(TEXT)

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
const lengthOf = Object.getOwnPropertyDescriptor(typedArray, 'length')!.get!
const bufferOf = Object.getOwnPropertyDescriptor(typedArray, 'buffer')!.get!

/**
 * A copy that no other code can change. The caller may overwrite, resize or transfer its bytes before they are sent, and a subclass may
 * report any length.
 * @throws TypeError when it is no Uint8Array, or one whose memory was transferred
 */
export function ownBlock(data: Uint8Array): Uint8Array | Bytes {
  const length = lengthIn(data)
  const copy = length <= TEXT ? scratch : Buffer.allocUnsafeSlow(length)
  Uint8Array.prototype.set.call(copy, data)
  return copy === scratch ? scratch.toString('latin1', 0, length) : copy
}

function lengthIn(data: Uint8Array): number {
  let length: number
  try {
    length = lengthOf.call(data)
    // Throws for memory that was transferred.
    if (length === 0) new Uint8Array(bufferOf.call(data))
  } catch (cause) {
    throw new TypeError(
      'the bytes of the value cannot be read: they are not a Uint8Array, or were transferred',
      {
        cause,
      },
    )
  }
  return length
}
