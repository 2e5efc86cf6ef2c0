/** Lists the opcodes of a pickle without reading its values. Source: CPython's pickletools, also for the names. */

import { checkBytes, checkNumber, checkObject } from '../../ground/arguments.js'
import { bytesRepr, floatRepr, integerRepr, textRepr } from '../../python/repr.js'
import { Budget } from '../budget.js'
import { PyFloat } from '../classes/built-ins.js'
import { op, opcodeName } from './opcodes.js'
import type { UnpickleOptions } from './options.js'
import { Machine } from './read/machine.js'
import { decodeLong, parseFloatText, parseIntegerText, unescapeString, unescapeUnicode } from './text.js'

/** One opcode of a pickle with its argument and position in bytes. */
export interface PickleOperation {
  /** Byte offset of the opcode. */
  readonly offset: number
  readonly code: number
  /** e.g. `BININT1`. */
  readonly name: string
  /** `PyFloat` for floats, a Buffer for bytes, text for lines; undefined for opcodes without an argument. */
  readonly argument: unknown
}

type Read = (m: Machine) => unknown

const unsigned1: Read = (m) => m.u8()
const unsigned4: Read = (m) => m.u32()
const signed4: Read = (m) => m.bytes.readInt32LE(m.take(4))
const line: Read = (m) => m.line()
const twoLines: Read = (m) => `${m.line()} ${m.line()}`
const index: Read = (m) => Number(m.line())
const integer: Read = (m) => {
  const text = m.line()
  if (text === '00' || text === '01') return text === '01'
  return m.checked(parseIntegerText(text.replace(/L$/, '')), 'no integer')
}

/** How the argument of each opcode is read. Opcodes that are missing here have none. */
const readers: ReadonlyMap<number, Read> = new Map<number, Read>([
  [op.INT, integer],
  [op.LONG, integer],
  [op.BININT, signed4],
  [op.BININT1, unsigned1],
  [op.BININT2, (m) => m.bytes.readUInt16LE(m.take(2))],
  [op.LONG1, (m) => decodeLong(m.slice(m.u8()))],
  [op.LONG4, (m) => decodeLong(m.slice(m.length4()))],
  [op.FLOAT, (m) => new PyFloat(m.checked(parseFloatText(m.line()), 'no float'))],
  [op.BINFLOAT, (m) => new PyFloat(m.bytes.readDoubleBE(m.take(8)))],
  [op.STRING, (m) => m.checked(unescapeString(m.line()), 'no quoted string').toString('latin1')],
  [op.BINSTRING, (m) => m.slice(m.length4()).toString('latin1')],
  [op.SHORT_BINSTRING, (m) => m.slice(m.u8()).toString('latin1')],
  [op.UNICODE, (m) => m.checked(unescapeUnicode(m.line()), 'a broken escape')],
  [op.BINUNICODE, (m) => m.utf8(m.u32())],
  [op.SHORT_BINUNICODE, (m) => m.utf8(m.u8())],
  [op.BINUNICODE8, (m) => m.utf8(m.length8())],
  [op.BINBYTES, (m) => m.slice(m.u32())],
  [op.SHORT_BINBYTES, (m) => m.slice(m.u8())],
  [op.BINBYTES8, (m) => m.slice(m.length8())],
  [op.BYTEARRAY8, (m) => m.slice(m.length8())],
  [op.PUT, index],
  [op.GET, index],
  [op.BINPUT, unsigned1],
  [op.BINGET, unsigned1],
  [op.LONG_BINPUT, unsigned4],
  [op.LONG_BINGET, unsigned4],
  [op.GLOBAL, twoLines],
  [op.INST, twoLines],
  [op.PERSID, line],
  [op.EXT1, unsigned1],
  [op.EXT2, (m) => m.bytes.readUInt16LE(m.take(2))],
  [op.EXT4, signed4],
  [op.PROTO, unsigned1],
  [op.FRAME, (m) => m.length8()],
])

/** Up to and with STOP. @throws TypeError for data that is no Uint8Array; UnpicklingError naming offset and opcode */
export function* disassemble(data: Uint8Array, limits: UnpickleOptions = {}): Generator<PickleOperation> {
  checkBytes('data', data)
  checkObject('limits', limits)
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const m = new Machine(bytes, limits, new Budget(limits.maxMemory), undefined)
  for (;;) {
    const offset = m.at
    m.start = offset
    const code = bytes[offset]
    m.opcode = code
    if (code === undefined) throw m.error('the data ends before STOP')
    m.at++
    const name = opcodeName(code)
    if (name.startsWith('unknown')) throw m.error('unknown opcode')
    yield { offset, code, name, argument: readers.get(code)?.(m) }
    if (code === op.STOP) return
  }
}

/** The most levels of marks that indent a line. With a million levels and no limit, the indents alone would take terabytes. */
const DEEPEST_INDENT = 200

/** Opcodes that take all objects above the mark from the stack. */
const TO_MARK: ReadonlySet<number> = new Set([
  op.APPENDS, op.LIST, op.TUPLE, op.DICT, op.SETITEMS, op.ADDITEMS, op.FROZENSET, op.POP_MARK, op.OBJ, op.INST,
]) // biome-ignore format: one set

/**
 * The lines that Python's `pickletools.dis` prints.
 * @param maxArgument characters; longer arguments end in `…`
 */
export function* disassembly(
  data: Uint8Array,
  maxArgument = Number.POSITIVE_INFINITY,
  limits: UnpickleOptions = {},
): Generator<string> {
  checkNumber('maxArgument', maxArgument)
  const marks: number[] = []
  let memoSize = 0
  for (const { offset, code, name, argument } of disassemble(data, limits)) {
    const indent = '    '.repeat(Math.min(marks.length, DEEPEST_INDENT))
    let note = ''
    if (TO_MARK.has(code) && marks.length > 0) note = `(MARK at ${marks.pop()})`
    else if (code === op.MEMOIZE) note = `(as ${memoSize})`
    if (code === op.MEMOIZE || code === op.PUT || code === op.BINPUT || code === op.LONG_BINPUT) memoSize++
    const shown =
      argument === undefined ? '' : ` ${shortened(repr(code, argument, maxArgument), maxArgument)}`
    const padding = argument === undefined && note === '' ? '' : ' '.repeat(Math.max(0, 10 - name.length))
    const letter = code < 0x80 ? String.fromCharCode(code) : `\\x${code.toString(16)}`
    yield `${String(offset).padStart(5)}: ${letter.padEnd(4)} ${indent}${name}${padding}${shown}${note && ` ${note}`}`
    if (code === op.MARK) marks.push(offset)
  }
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}

function repr(code: number, argument: unknown, length: number): string {
  if (argument instanceof PyFloat) return floatRepr(argument.value)
  if (argument === true) return 'True'
  if (argument === false) return 'False'
  if (typeof argument === 'string') return textRepr(argument.slice(0, length))
  if (typeof argument === 'bigint') return integerRepr(argument)
  if (!(argument instanceof Uint8Array)) return String(argument)
  const bytes = bytesRepr(Buffer.from(argument.subarray(0, length)).toString('latin1'))
  return code === op.BYTEARRAY8 ? `bytearray(${bytes})` : bytes
}
