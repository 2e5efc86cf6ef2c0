/** Strict UTF-8 for stored text, as Python's `str.encode` and `bytes.decode`. */
import { isAscii as isAsciiBytes } from 'node:buffer'
import { UnicodeDecodeError, UnicodeEncodeError } from './errors.js'
import { escapedCharacter } from './repr.js'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const LONE_SURROGATE = /\p{Surrogate}/u

/** Characters beyond ASCII have more bytes than UTF-16 units. */
export const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length

export const areAscii = (bytes: Uint8Array): boolean => isAsciiBytes(bytes)

/** As UTF-8; ASCII as it is. @throws UnicodeEncodeError for lone surrogates */
export function writeText(text: string): Uint8Array | string {
  return isAscii(text) ? text : encodeText(text)
}

/** @throws UnicodeEncodeError for lone surrogates */
export function encodeText(text: string): Buffer {
  if (LONE_SURROGATE.test(text)) throw new UnicodeEncodeError(encodingProblem(text, 'utf-8'))
  return Buffer.from(text)
}

const surrogates = { refused: LONE_SURROGATE, why: 'surrogates not allowed' }

/** A codec of Python: the characters that it cannot write, and its error for them. */
const codecs = {
  ascii: { refused: /[^\0-\x7f]/u, why: 'ordinal not in range(128)' },
  'latin-1': { refused: /[^\0-\xff]/u, why: 'ordinal not in range(256)' },
  'utf-8': surrogates,
  'utf-16': surrogates,
  'utf-16-le': surrogates,
  'utf-16-be': surrogates,
  'utf-32': surrogates,
  'utf-32-le': surrogates,
  'utf-32-be': surrogates,
} as const

/** By Python's name. */
export type Codec = keyof typeof codecs
export const codecNames = Object.keys(codecs) as readonly Codec[]

/** Text as the codec writes it. @throws UnicodeEncodeError */
export function encodeWith(text: string, codec: Codec): Buffer {
  const problem = isAscii(text) ? undefined : encodingProblem(text, codec)
  if (problem !== undefined) throw new UnicodeEncodeError(problem)
  if (codec === 'utf-8') return Buffer.from(text)
  const [, size, order] = /^utf-(16|32)(?:-([lb])e)?$/.exec(codec) ?? []
  if (size === undefined) return Buffer.from(text, 'latin1')
  // Without an order, Python begins with a mark and uses the order of the machine.
  const marked = order === undefined ? `\ufeff${text}` : text
  if (size === '16') {
    const units = Buffer.from(marked, 'utf16le')
    return order === 'b' ? units.swap16() : units
  }
  const units = Buffer.from(Uint32Array.from([...marked].map((one) => one.codePointAt(0)!)).buffer)
  return order === 'b' ? units.swap32() : units
}

/** Python's message when a codec cannot write a text; undefined when it can. */
export function encodingProblem(text: string, codec: Codec): string | undefined {
  const { refused, why } = codecs[codec]
  const characters = [...text]
  const first = characters.findIndex((character) => refused.test(character))
  if (first < 0) return undefined
  let last = first
  while (last + 1 < characters.length && refused.test(characters[last + 1]!)) last++
  const where =
    last === first
      ? `character '${escapedCharacter(characters[first]!.codePointAt(0)!)}' in position ${first}`
      : `characters in position ${first}-${last}`
  return `'${codec}' codec can't encode ${where}: ${why}`
}

/** @throws UnicodeDecodeError */
export function decodeText(data: Buffer): string {
  try {
    return decoder.decode(data)
  } catch (cause) {
    throw new UnicodeDecodeError("'utf-8' codec can't decode the value: invalid bytes", { cause })
  }
}
