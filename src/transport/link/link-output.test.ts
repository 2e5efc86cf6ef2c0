// Bytes leave as they were given, in order, however the socket takes them: at once, or later while buffers are used again.
import { Writable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SocketOutput } from './link.js'

const lengths = [
  0, 1, 100, 128, 129, 640, 641, 1024, 1025, 16_384, 32_768, 32_769, 131_071, 131_072, 131_073, 300_000,
]
const piece = fc.record({
  kind: fc.constantFrom('text', 'block as text', 'block as bytes', 'flush', 'wait'),
  length: fc.oneof(fc.constantFrom(...lengths), fc.nat(3000)),
  seed: fc.nat(255),
})

/** Not the same byte twice in a row, so that bytes out of place are seen. */
function bytes(length: number, seed: number): Buffer {
  const made = Buffer.alloc(length)
  for (let i = 0; i < length; i++) made[i] = (seed + i * 7 + (i >> 8)) & 0xff
  return made
}

/** Keeps what it is given and reads it only when it says that it is written, as the kernel may. */
class Slow extends Writable {
  readonly seen: Buffer[] = []

  constructor(private readonly later: (call: number) => boolean) {
    super({ highWaterMark: 1 << 30 })
  }

  private calls = 0

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    const take = (): void => {
      this.seen.push(Buffer.from(chunk))
      done()
    }
    if (this.later(this.calls++)) setTimeout(take, 1)
    else take()
  }
}

test.each([
  ['at once', () => false],
  ['later', () => true],
  ['now and then later', (call: number) => call % 3 === 1],
])('written %s', async (_, later) => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async (pieces) => {
      const socket = new Slow(later)
      const output = new SocketOutput(socket)
      const expected: Buffer[] = []
      for (const { kind, length, seed } of pieces) {
        if (kind === 'flush') output.flush()
        else if (kind === 'wait') await new Promise((resolve) => setTimeout(resolve, 2))
        else {
          const given = bytes(length, seed)
          expected.push(given)
          if (kind === 'text') output.text(given.toString('latin1'))
          else output.data(kind === 'block as text' ? given.toString('latin1') : given)
        }
      }
      output.flush()
      await new Promise<void>((resolve) => socket.end(resolve))
      expect(Buffer.concat(socket.seen).equals(Buffer.concat(expected))).toBe(true)
    }),
    { numRuns: 60 },
  )
})
