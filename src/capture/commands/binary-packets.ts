/** Packets of the binary protocol. Source: memcached's doc/protocol-binary.txt; docs/reference/pylibmc.md#11.2. */
import type { ReplyShape } from './command.js'
import { type Part, plain } from './parts.js'

export const headerLength = 24
export const requestMagic = 0x80
export const replyMagic = 0x81

export interface PacketHeader {
  readonly opcode: number
  readonly keyLength: number
  readonly extrasLength: number
  /** Status of a reply; vbucket of a request. */
  readonly status: number
  /** Extras, key and value. */
  readonly bodyLength: number
  readonly opaque: number
}

/** @param magic the expected first byte @returns undefined for an invalid header */
export function packetHeader(bytes: Buffer, magic: number): PacketHeader | undefined {
  if (bytes[0] !== magic || bytes[5] !== 0) return undefined
  const header: PacketHeader = {
    opcode: bytes[1]!,
    keyLength: bytes.readUInt16BE(2),
    extrasLength: bytes[4]!,
    status: bytes.readUInt16BE(6),
    bodyLength: bytes.readUInt32BE(8),
    opaque: bytes.readUInt32BE(12),
  }
  return header.keyLength + header.extrasLength <= header.bodyLength ? header : undefined
}

interface Opcode {
  readonly verb: string
  readonly quiet?: boolean
  readonly shape?: ReplyShape
  readonly unrecorded?: boolean
}

const opcodes: readonly (readonly [number, Opcode])[] = [
  [0x00, { verb: 'get' }],
  [0x01, { verb: 'set' }],
  [0x02, { verb: 'add' }],
  [0x03, { verb: 'replace' }],
  [0x04, { verb: 'delete' }],
  [0x05, { verb: 'incr' }],
  [0x06, { verb: 'decr' }],
  [0x07, { verb: 'quit', shape: 'none', unrecorded: true }],
  [0x08, { verb: 'flush_all' }],
  [0x09, { verb: 'get', quiet: true }],
  [0x0a, { verb: 'noop', unrecorded: true }],
  [0x0b, { verb: 'version', unrecorded: true }],
  [0x0c, { verb: 'get' }],
  [0x0d, { verb: 'get', quiet: true }],
  [0x0e, { verb: 'append' }],
  [0x0f, { verb: 'prepend' }],
  [0x10, { verb: 'stats', shape: 'packets' }],
  [0x11, { verb: 'set', quiet: true }],
  [0x12, { verb: 'add', quiet: true }],
  [0x13, { verb: 'replace', quiet: true }],
  [0x14, { verb: 'delete', quiet: true }],
  [0x15, { verb: 'incr', quiet: true }],
  [0x16, { verb: 'decr', quiet: true }],
  [0x17, { verb: 'quit', shape: 'none', unrecorded: true }],
  [0x18, { verb: 'flush_all', quiet: true }],
  [0x19, { verb: 'append', quiet: true }],
  [0x1a, { verb: 'prepend', quiet: true }],
  [0x1b, { verb: 'verbosity', unrecorded: true }],
  [0x1c, { verb: 'touch' }],
  [0x1d, { verb: 'gat' }],
  [0x1e, { verb: 'gat', quiet: true }],
  // SASL: the mechanisms, and the password in two opcodes.
  [0x20, { verb: 'sasl', unrecorded: true }],
  [0x21, { verb: 'sasl', unrecorded: true }],
  [0x22, { verb: 'sasl', unrecorded: true }],
  [0x23, { verb: 'gat' }],
  [0x24, { verb: 'gat', quiet: true }],
]

const known = new Map(opcodes)

/** The command of an opcode, by its name in the text protocol. */
export function opcodeOf(opcode: number): Opcode {
  return known.get(opcode) ?? { verb: `opcode 0x${opcode.toString(16)}`, unrecorded: true }
}

/** Whether the opcode is a get that is only answered for a hit. */
export function isQuietGet(opcode: number): boolean {
  return opcode === 0x09 || opcode === 0x0d
}

/** @param body undefined for the value when it is too long to be kept @param flags of the value */
export function packetParts(
  header: PacketHeader,
  head: Buffer,
  extrasAndKey: Buffer,
  value: Buffer | undefined,
  flags: number,
): readonly Part[] {
  const { extrasLength, keyLength, bodyLength } = header
  const length = bodyLength - extrasLength - keyLength
  return [
    { kind: 'header', bytes: head },
    plain(extrasAndKey.subarray(0, extrasLength)),
    ...(keyLength > 0 ? [{ kind: 'key', bytes: extrasAndKey.subarray(extrasLength) } as const] : []),
    ...(length > 0 ? [{ kind: 'value', flags, length, bytes: value } as const] : []),
  ]
}
