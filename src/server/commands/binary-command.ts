/**
 * One request of the binary protocol as memcached parses it: the command, the length of its body, and
 * whether it is refused. Facts: fixtures/conversations/binary-*.json.
 */
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import { loudOf, opcode } from '../../protocol/binary/opcodes.js'
import type { ServerFacts } from '../versions.js'

export interface BinaryCommand {
  readonly kind: 'binary'
  /** The opcode of the request; replies repeat it. */
  readonly asked: number
  /** The counterpart of a quiet opcode that always replies. */
  readonly opcode: number
  readonly quiet: boolean
  readonly opaque: number
  /** 0 = no CAS unique. */
  readonly cas: bigint
  readonly extras: Buffer
  readonly key: Bytes
  /** Bytes of the value that follows. */
  readonly length: number
  /** Whether the connection ends with the refusal. */
  readonly refused?: 'Invalid arguments' | 'Unknown command'
}

interface Shape {
  /** The allowed lengths of the extras. */
  readonly extras: readonly number[]
  readonly key: 'none' | 'some' | 'any'
  /** `unchecked`: memcached does not read the bytes after the key and takes them for the next request. */
  readonly value: 'none' | 'some' | 'unchecked'
}

export const binaryMagic = 0x80
const header = 24

const bare: Shape = { extras: [0], key: 'none', value: 'none' }
const ofKey: Shape = { extras: [0], key: 'some', value: 'none' }
const store: Shape = { extras: [8], key: 'some', value: 'some' }
const concatenation: Shape = { extras: [0], key: 'some', value: 'some' }
const counting: Shape = { extras: [20], key: 'some', value: 'none' }
const touching: Shape = { extras: [4], key: 'some', value: 'unchecked' }

const shapes: ReadonlyMap<number, Shape> = new Map([
  [opcode.GET, ofKey],
  [opcode.GETK, ofKey],
  [opcode.DELETE, ofKey],
  [opcode.SET, store],
  [opcode.ADD, store],
  [opcode.REPLACE, store],
  [opcode.APPEND, concatenation],
  [opcode.PREPEND, concatenation],
  [opcode.INCR, counting],
  [opcode.DECR, counting],
  [opcode.TOUCH, touching],
  [opcode.GAT, touching],
  [opcode.GATK, touching],
  [opcode.FLUSH, { ...bare, extras: [0, 4] }],
  [opcode.STAT, { extras: [0], key: 'any', value: 'unchecked' }],
  [opcode.NOOP, bare],
  [opcode.VERSION, bare],
  [opcode.QUIT, bare],
  [opcode.SASL_LIST, bare],
  [opcode.SASL_AUTH, concatenation],
  [opcode.SASL_STEP, concatenation],
])

/** The length of header, extras and key; while the header is incomplete, the length of the header. Bytes. */
export function headLength(head: Buffer): number {
  return head.length < header ? header : header + head[4]! + head.readUInt16BE(2)
}

/** @param head header, extras and key, whole */
export function parseBinary(head: Buffer, facts: ServerFacts): BinaryCommand {
  const keyLength = head.readUInt16BE(2)
  const extrasLength = head[4]!
  const body = head.readUInt32BE(8)
  const asked = head[1]!
  const code = loudOf.get(asked) ?? asked
  const shape = shapes.get(code)
  const command = {
    kind: 'binary',
    asked,
    opcode: code,
    quiet: code !== asked,
    opaque: head.readUInt32BE(12),
    cas: head.readBigUInt64BE(16),
    extras: head.subarray(header, header + extrasLength),
    key: head.toString('latin1', header + extrasLength),
    length: 0,
  } as const
  const length = body - extrasLength - keyLength
  if (length < 0) return { ...command, refused: 'Unknown command' }
  if (keyLength > MAX_KEY_LENGTH) return { ...command, refused: 'Invalid arguments' }
  // memcached skips unknown requests. Since 1.6.0 it counts extras and key twice in doing so.
  if (!shape) return { ...command, length: facts.skipsUnknownBinary ? body : length }
  if (!fits(shape, extrasLength, keyLength, length)) return { ...command, refused: 'Invalid arguments' }
  return shape.value === 'some' ? { ...command, length } : command
}

function fits({ extras, key, value }: Shape, extrasLength: number, keyLength: number, length: number) {
  if (!extras.includes(extrasLength)) return false
  if (key !== 'any' && (key === 'some') !== keyLength > 0) return false
  return value !== 'none' || length === 0
}
