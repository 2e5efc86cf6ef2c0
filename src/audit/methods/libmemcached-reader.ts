/**
 * libmemcached's reading of a reply to a retrieval over the text protocol when a key has a control character: the key in the reply ends
 * there, and the following text is taken for flags and length. Pure.
 * Source: docs/reference/pylibmc.md#3.4; measured (`fixtures/vectors/calling-forms-odd-keys.json.gz`).
 */
import type { Bytes } from '../../ground/bytes.js'

export interface ReadItem {
  readonly key: Bytes
  readonly flags: number
  readonly data: Buffer
  readonly cas: bigint
}

/**
 * libmemcached's reading of the next reply. `waits`: it waits for bytes that never arrive, until its timeout; `unknown`: a line that it
 * does not know, after which it closes the connection; `number`: a line that it takes for the answer of a counter; `other`: one that it takes
 * for an error or the answer to another command.
 */
export type Read =
  | { readonly kind: 'item'; readonly item: ReadItem; readonly rest: Bytes }
  | { readonly kind: 'end' | 'waits' | 'unknown' | 'number' | 'other' }

/** An item as the server sends it. */
export interface SentItem {
  readonly key: Bytes
  readonly flags: number
  readonly data: Buffer
  readonly cas: bigint | undefined
}

/** The server's whole reply. @param withCas the command was gets */
export function replyOf(items: readonly SentItem[], withCas: boolean): Bytes {
  const texts = items.map(({ key, flags, data, cas }) => {
    const unique = withCas ? ` ${cas}` : ''
    return `VALUE ${key} ${flags} ${data.length}${unique}\r\n${data.toString('latin1')}\r\n`
  })
  return `${texts.join('')}END\r\n`
}

const KNOWN =
  /^(?:VALUE|VERSION|OK|STAT|SERVER_ERROR|STOR|DELETED|NOT_FOUND|NOT_STORED|ERROR|EXISTS|TOUCHED|ITEM|CLIENT_ERROR)/
const KEY_END = /[\x00-\x20\x7f]/
/** The text that C's strtoul reads: blanks, a sign, digits. */
const NUMBER = /^[\t-\r ]*[+-]?\d+/

/** Reads one reply. */
export function readOne(stream: Bytes): Read {
  const end = stream.indexOf('\n')
  if (end === -1) return { kind: 'waits' }
  const line = stream.slice(0, end + 1)
  if (line.startsWith('EN')) return { kind: 'end' }
  if (/^\d/.test(line)) return { kind: 'number' }
  if (!line.startsWith('VALUE')) return { kind: KNOWN.test(line) ? 'other' : 'unknown' }
  const keyEnd = 6 + line.slice(6).search(KEY_END)
  const flags = numberAt(line, keyEnd + 1)
  const length = numberAt(line, flags.end + 1)
  const cas = line[length.end] === '\r' ? 0n : numberAt(line, length.end + 1).value
  if (length.value < 0n || length.value > BigInt(stream.length)) return { kind: 'waits' }
  const from = end + 1
  const to = from + Number(length.value)
  if (stream.length < to + 2) return { kind: 'waits' }
  const item = {
    key: line.slice(6, keyEnd),
    flags: Number(BigInt.asUintN(32, flags.value)),
    data: Buffer.from(stream.slice(from, to), 'latin1'),
    cas,
  }
  return { kind: 'item', item, rest: stream.slice(to + 2) }
}

/** As strtoul: without a number it is 0 and ends where it began. */
function numberAt(line: Bytes, from: number): { readonly value: bigint; readonly end: number } {
  const found = NUMBER.exec(line.slice(from))?.[0]
  if (found === undefined) return { value: 0n, end: from }
  return { value: BigInt(found.trim().replace('+', '')), end: from + found.length }
}
