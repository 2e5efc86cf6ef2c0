/**
 * The memory that each opcode takes from the budget, in bytes: the object that V8 allocates, with its place on the stack and in a
 * container, rounded up. The lengths of text, bytes and batches are charged where they are read.
 */
import { op } from '../opcodes.js'

const SCALAR = 16
const MEMO = 24
const SPARSE_MEMO = 64
const TEXT = 48
const BYTES = 208
const OBJECT = 400

/** One entry of a dict, which is an entry of a Map or of an object in JavaScript. */
export const ENTRY_COST = 64
/** One item of a set. */
export const MEMBER_COST = 48
/** The first item of a list, because V8 then allocates room for sixteen more. */
export const FIRST_ITEM_COST = 152
/** An empty Map, Set or object. */
export const HASHED_COST = 224

const costs: readonly (readonly [cost: number, codes: readonly number[]])[] = [
  [SCALAR, [op.NONE, op.NEWTRUE, op.NEWFALSE, op.BININT, op.BININT1, op.BININT2, op.INT, op.DUP]],
  [SCALAR, [op.GET, op.BINGET, op.LONG_BINGET, op.NEXT_BUFFER, op.READONLY_BUFFER, op.APPEND, op.BUILD]],
  [MEMO, [op.MEMOIZE, op.BINPUT, op.MARK]],
  [SPARSE_MEMO, [op.PUT, op.LONG_BINPUT]],
  [TEXT, [op.BINUNICODE, op.SHORT_BINUNICODE, op.BINUNICODE8, op.UNICODE]],
  [TEXT, [op.LONG, op.LONG1, op.LONG4, op.FLOAT, op.BINFLOAT]],
  [BYTES, [op.BINBYTES, op.SHORT_BINBYTES, op.BINBYTES8, op.BYTEARRAY8]],
  [BYTES, [op.STRING, op.BINSTRING, op.SHORT_BINSTRING]],
  [64, [op.EMPTY_LIST, op.LIST, op.EMPTY_DICT, op.DICT]],
  [144, [op.EMPTY_TUPLE, op.TUPLE, op.TUPLE1, op.TUPLE2, op.TUPLE3]],
  [HASHED_COST, [op.EMPTY_SET]],
  [HASHED_COST + 40, [op.FROZENSET]],
  [128, [op.GLOBAL, op.STACK_GLOBAL, op.PERSID, op.BINPERSID]],
  [OBJECT, [op.REDUCE, op.NEWOBJ, op.NEWOBJ_EX, op.OBJ, op.INST]],
]

/** By opcode; 0 for opcodes that make no object. */
export const COSTS = new Uint16Array(256)
for (const [cost, codes] of costs) for (const code of codes) COSTS[code] = cost
