/**
 * A command or reply as the parts that a recording may have to replace: keys, and values with their flags. The rest is kept as
 * it was sent.
 */
import type { Bytes } from '../../ground/bytes.js'

export type Part =
  /** Bytes that are kept unchanged. */
  | { readonly kind: 'plain'; readonly bytes: Buffer }
  /** A header of the binary protocol; it has the length of the key that follows. */
  | { readonly kind: 'header'; readonly bytes: Buffer }
  | { readonly kind: 'key'; readonly bytes: Buffer }
  /** Of a value that is too long to be kept, only the length is known. */
  | {
      readonly kind: 'value'
      readonly flags: number
      readonly length: number
      readonly bytes: Buffer | undefined
    }

/** Bytes as JSON writes them (docs/formats.md): plain strings, and repetitions of one. */
export type WrittenPart = Bytes | { readonly $repeat: readonly [Bytes, number] }

/** The replacement of keys and values. */
export interface Rewriting {
  /** Undefined: keys stay. */
  readonly key: ((key: Bytes) => Bytes) | undefined
  /** Every value is replaced by another of its type and length. */
  readonly redact: boolean
}

export function plain(bytes: Buffer): Part {
  return { kind: 'plain', bytes }
}

/** All keys, as on the wire. */
export function keysOf(parts: readonly Part[]): readonly Bytes[] {
  return parts.flatMap((part) => (part.kind === 'key' ? [part.bytes.toString('latin1')] : []))
}

/** The form in a trace: a single string if nothing is repeated. */
export function written(parts: readonly Part[], rewriting: Rewriting): Bytes | readonly WrittenPart[] {
  const out: WrittenPart[] = []
  let header = -1
  const add = (bytes: WrittenPart) => {
    const last = out.at(-1)
    if (typeof bytes === 'string' && typeof last === 'string' && out.length - 1 !== header)
      out[out.length - 1] = last + bytes
    else out.push(bytes)
  }
  for (const part of parts) {
    switch (part.kind) {
      case 'plain':
        add(part.bytes.toString('latin1'))
        break
      case 'header':
        out.push(part.bytes.toString('latin1'))
        header = out.length - 1
        break
      case 'key': {
        const key = part.bytes.toString('latin1')
        const other = rewriting.key?.(key) ?? key
        if (header >= 0 && other.length !== key.length)
          out[header] = withKeyLength(out[header] as Bytes, other.length, other.length - key.length)
        add(other)
        break
      }
      case 'value':
        if (part.bytes && !rewriting.redact) add(part.bytes.toString('latin1'))
        else for (const piece of standIn(part.flags, part.length)) add(piece)
    }
  }
  if (out.every((piece) => typeof piece === 'string')) return out.join('')
  return out.filter((piece) => piece !== '')
}

/** A binary header for a key of another length. */
function withKeyLength(header: Bytes, length: number, longer: number): Bytes {
  const bytes = Buffer.from(header, 'latin1')
  bytes.writeUInt16BE(length, 2)
  bytes.writeUInt32BE(bytes.readUInt32BE(8) + longer, 8)
  return bytes.toString('latin1')
}

const [pickleFlag, integerFlags, zlibFlag] = [1, 6, 8]
const storedBlock = 65_535

/**
 * A value of this type and length without its content. Flags as in docs/reference/python-memcached.md#9.1: a pickle stays a
 * pickle (of a text), an integer an integer, and a compressed value inflates to about its own length.
 */
export function standIn(flags: number, length: number): readonly WrittenPart[] {
  if (flags & zlibFlag) {
    const blocks = Math.max(1, Math.ceil((length - 6) / (storedBlock + 5)))
    const content = length - 6 - 5 * blocks
    if (content > 0 && content <= blocks * storedBlock) return storedZlib(flags & ~zlibFlag, content)
  }
  if (flags & pickleFlag && !(flags & 16)) return [...pickleOfLength(length)]
  if (flags & integerFlags)
    return length === 0 ? [] : [repeat('1', Math.min(length, 15)), repeat(' ', length - 15)]
  return [repeat('x', length)]
}

function repeat(unit: Bytes, count: number): WrittenPart {
  return count <= 64 ? unit.repeat(Math.max(0, count)) : { $repeat: [unit, count] }
}

/** A pickled text of protocol 2; None or 1 after operations without effect if a text is too long. */
function pickleOfLength(length: number): readonly WrittenPart[] {
  const text = length - 8
  if (text >= 0) {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(text)
    return [`\x80\x02X${size.toString('latin1')}`, repeat('x', text), '.']
  }
  if (length < 2) return [repeat('.', length)]
  return length % 2 === 0 ? [`${'N0'.repeat(length / 2 - 1)}N.`] : [`${'N0'.repeat((length - 3) / 2)}K\x01.`]
}

/** A zlib stream of stored blocks. */
function storedZlib(flags: number, content: number): readonly WrittenPart[] {
  const plainParts = standIn(flags, content)
  const text = plainParts
    .map((part) => (typeof part === 'string' ? part : part.$repeat[0].repeat(part.$repeat[1])))
    .join('')
  const bytes = Buffer.from(text, 'latin1')
  let stream = '\x78\x01'
  for (let at = 0; at < bytes.length; at += storedBlock) {
    const block = bytes.subarray(at, at + storedBlock)
    const head = Buffer.alloc(5)
    head[0] = at + storedBlock >= bytes.length ? 1 : 0
    head.writeUInt16LE(block.length, 1)
    head.writeUInt16LE(block.length ^ 0xffff, 3)
    stream += head.toString('latin1') + block.toString('latin1')
  }
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(adler32(bytes))
  return [stream + sum.toString('latin1')]
}

function adler32(bytes: Buffer): number {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return ((b << 16) | a) >>> 0
}
