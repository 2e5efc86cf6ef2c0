/** Inputs that are nearly right: recorded bytes, changed a little. */
import type { Random } from '../soak/random.js'

const interesting = [
  '\r\n', '\n', ' ', '\0', '-1', '0', '4294967295', '4294967296', '18446744073709551615', '99999999999999999999', '1e9', 'NaN',
  '__proto__', 'toString', 'END\r\n', 'VALUE k 0 1\r\n', 'noreply', '\ud800', '[[[[[[[[', '{"$repeat":["x",1000000000]}', ']', '"',
  '{"$pickle":"', '\x80\x04', '\xff\xff\xff\xff', '\x7f\xff\xff\xff', '\x00\x00\x00\x00', '\x95\xff\xff\xff\xff\xff\xff\xff\x7f', 'h\x00',
] // biome-ignore format: one list

/** One to six changes of one sample, sometimes with a part of another. */
export function mutated(samples: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = random.of(samples)
  const changes = 1 + random.below(6)
  for (let i = 0; i < changes; i++) bytes = changed(bytes, samples, random)
  return bytes.length > longest ? bytes.subarray(0, longest) : bytes
}

const longest = 64 * 1024

function changed(bytes: Buffer, samples: readonly Buffer[], random: Random): Buffer {
  const at = random.below(bytes.length + 1)
  const end = Math.min(bytes.length, at + 1 + random.below(16))
  const splice = (from: number, to: number, part: Buffer) =>
    Buffer.concat([bytes.subarray(0, from), part, bytes.subarray(to)])
  switch (random.below(10)) {
    case 0: {
      const flipped = Buffer.from(bytes)
      if (at < bytes.length) flipped[at]! ^= 1 << random.below(8)
      return flipped
    }
    case 1:
      return splice(at, at, Buffer.from([random.below(256)]))
    case 2:
      return splice(at, end, Buffer.alloc(0))
    case 3:
      return splice(at, at, bytes.subarray(at, end))
    case 4: {
      const other = random.of(samples)
      const from = random.below(other.length + 1)
      return splice(at, end, other.subarray(from, from + 1 + random.below(200)))
    }
    case 5:
      return bytes.subarray(0, at)
    case 6:
      return splice(at, end, Buffer.from(random.of(interesting), 'latin1'))
    case 7:
      return splice(at, at, Buffer.from(random.of(interesting), 'utf8'))
    case 8: {
      const part = bytes.subarray(at, end)
      return splice(at, at, Buffer.concat(Array.from({ length: 1 + random.below(200) }, () => part)))
    }
    default: {
      const overwritten = Buffer.from(bytes)
      overwritten.fill(random.below(256), at, end)
      return overwritten
    }
  }
}
