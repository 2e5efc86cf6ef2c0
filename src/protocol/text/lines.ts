/** Parses reply lines. */

import type { Bytes } from '../../ground/bytes.js'
import { UnintelligibleReply } from '../protocol.js'
import type { LineReply, LineStatus } from '../wire.js'

const statuses: readonly LineStatus[] = [
  'STORED', 'NOT_STORED', 'EXISTS', 'NOT_FOUND', 'DELETED', 'TOUCHED', 'OK', 'RESET', 'END', 'VERSION',
  'ERROR', 'CLIENT_ERROR', 'SERVER_ERROR',
] // biome-ignore format: one list

/** Replies of one word are the same object every time. */
const words = new Map<Bytes, LineReply>(
  statuses.map((status) => [status, { type: 'line', status, line: status }]),
)

export const END = words.get('END')!
export const STORED = words.get('STORED')!

/** The reply of a line, by its first word. */
export function lineReply(line: Bytes): LineReply {
  const known = words.get(line)
  if (known) return known
  const first = line.charCodeAt(0)
  if (first >= 0x30 && first <= 0x39 && /^\d+ *$/.test(line)) return { type: 'line', status: 'NUMBER', line }
  const blank = line.indexOf(' ')
  const status = blank < 0 ? undefined : words.get(line.slice(0, blank))?.status
  return { type: 'line', status: status ?? 'unknown', line }
}

export interface ItemHeader {
  readonly key: Bytes
  /** Over 2^32 − 1 where the server has client flags of 64 bits: exact up to 2^53, of larger ones the low 32 bits are right. */
  readonly flags: number
  readonly cas: bigint | undefined
  /** Bytes of the data block. */
  readonly length: number
}

/** `VALUE key flags length [cas]` @throws UnintelligibleReply */
export function valueHeader(line: Bytes, maxData: number): ItemHeader {
  const keyEnd = line.indexOf(' ', 6)
  const flagsEnd = line.indexOf(' ', keyEnd + 1)
  if (keyEnd > 6 && flagsEnd > 0) {
    const last = line.charCodeAt(line.length - 1) === 0x20 ? line.length - 1 : line.length
    const lengthEnd = line.indexOf(' ', flagsEnd + 1)
    const plain = lengthEnd < 0 || lengthEnd >= last
    const flags = flagsOf(line.slice(keyEnd + 1, flagsEnd))
    const length = digits(line, flagsEnd + 1, plain ? last : lengthEnd, 10)
    const cas = plain ? undefined : line.slice(lengthEnd + 1, last)
    if (flags >= 0 && length >= 0 && length <= maxData && (cas === undefined || isUnique(cas)))
      return {
        key: line.slice(6, keyEnd),
        flags,
        cas: cas === undefined ? undefined : BigInt(cas),
        length,
      }
  }
  throw badHeader(line)
}

/** `CONFIG cluster flags length` @throws UnintelligibleReply */
export function configHeader(line: Bytes, maxData: number): ItemHeader {
  const [, name, size] = /^CONFIG ([^ ]+) \d+ (\d{1,10}) ?$/.exec(line) ?? []
  if (name === undefined || !(Number(size) <= maxData)) throw badHeader(line)
  return { key: name, flags: 0, cas: undefined, length: Number(size) }
}

/** At most 64 bits, or −1. */
function flagsOf(text: Bytes): number {
  const flags = digits(text, 0, text.length, 15)
  if (flags >= 0 || !/^\d{1,20}$/.test(text)) return flags
  const large = BigInt(text)
  if (large >= 2n ** 64n) return -1
  return large < 2n ** 53n ? Number(large) : 2 ** 52 + Number(large % 2n ** 32n)
}

const isUnique = (text: Bytes): boolean => /^\d{1,20}$/.test(text)

/** A number of at most `most` digits, or −1. */
export function digits(text: Bytes, from: number, to: number, most: number): number {
  if (to <= from || to - from > most) return -1
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function badHeader(header: Bytes): UnintelligibleReply {
  return new UnintelligibleReply(`bad item header ${JSON.stringify(header.slice(0, 300))}`, { header })
}
