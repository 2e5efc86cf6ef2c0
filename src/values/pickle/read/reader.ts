/**
 * Pickle reader, protocols 0–5: a stack machine without recursion, linear in its input, that never executes anything.
 * Source: CPython's pickle and pickletools modules; docs/reference/field.md#4 for the attacks that it has to withstand.
 */
import { checkBytes } from '../../../ground/arguments.js'
import { checkOptionNames } from '../../../python/options.js'
import { Budget } from '../../budget.js'
import { PyByteArray, PyFloat, PyFrozenSet, PyTuple, type PythonObject } from '../../classes/built-ins.js'
import { standIn } from '../../classes/stand-ins.js'
import { converted } from '../converters.js'
import { HIGHEST_PROTOCOL, op } from '../opcodes.js'
import { UNPICKLE_OPTION_NAMES, type UnpickleOptions } from '../options.js'
import { finishers } from '../reductions.js'
import { decodeLong } from '../text.js'
import { addItems, extend, setItems } from './containers.js'
import { COSTS } from './costs.js'
import { depthOf } from './depth.js'
import { Machine } from './machine.js'
import { objectOpcode, setterResult } from './objects.js'
import { plainObject, plainOutside } from './plain.js'
import { textOpcode } from './text-opcodes.js'

export type { UnpickleOptions } from '../options.js'

/** The longest integer, in bytes. BigInt's own limit is higher, but no cache stores longer integers. */
const MAX_INTEGER_BYTES = 16 * 1024 * 1024

/**
 * @throws UnpicklingError naming offset and opcode; ValueDecodeError `limit` for a value that takes more memory than `maxMemory` or is nested
 * deeper than `maxDepth`; RangeError for a `maxMemory` that is not positive; TypeError for data that is no Uint8Array and for unknown options; and what `persistentLoad` and converters throw
 */
export function unpickle(data: Uint8Array, options: UnpickleOptions = {}): unknown {
  checkBytes('data', data)
  checkOptionNames(options, UNPICKLE_OPTION_NAMES)
  return unpickleWithin(new Budget(options.maxMemory), data, options)
}

/** As `unpickle`, with a budget of which a part may already be spent. */
export function unpickleWithin(budget: Budget, data: Uint8Array, options: UnpickleOptions): unknown {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const mapsOnly = options.preserve === true || options.dicts === 'map'
  const { spent } = budget
  let machine = new Machine(bytes, options, budget, mapsOnly ? 'all' : undefined)
  let value = run(machine)
  // Some facts are known only at the end of a pass. Then the results are dropped, and a second pass reads the pickle again.
  const maps = machine.missingMaps
  if (machine.needsPreserving) {
    // The content of objects has to be preserved.
    value = undefined
    budget.spent = spent
    machine = new Machine(bytes, { ...options, preserve: true }, budget, 'all', machine.persistent)
    value = run(machine)
  } else if (maps) {
    // A dict shows only when it is complete whether it can be an object.
    value = undefined
    budget.spent = spent
    machine = new Machine(bytes, options, budget, maps, machine.persistent)
    value = run(machine)
  }
  const { suspect, maxDepth, sawObject } = machine
  if (suspect && depthOf(value, maxDepth) > maxDepth) throw machine.tooDeep()
  return sawObject ? finished(value, machine, options) : value
}

/** Applies the converters, and converts values outside of objects to plain JavaScript unless everything is to be preserved. */
function finished(value: unknown, machine: Machine, options: UnpickleOptions): unknown {
  const { converters, preserve, dicts } = options
  const toPlain = machine.preserve && !preserve
  const foreign = new Set<unknown>(machine.persistent)
  const views = new Map<object, unknown>()
  const all = converters ? [...finishers, ...converters] : finishers
  const view = (object: PythonObject) => (toPlain ? plainObject(object, dicts, views) : object)
  const made = converted(value, all, foreign, view)
  return toPlain ? plainOutside(made, dicts, foreign) : made
}

/** Runs one pass. It stops early if another pass is needed anyway. */
function run(m: Machine): unknown {
  const { bytes, end, stack, preserve, budget } = m
  for (;;) {
    const start = m.at
    m.start = start
    if (start >= end) {
      m.opcode = undefined
      throw m.error('the data ends before STOP', 'builtins.EOFError')
    }
    const code = bytes[start]!
    m.opcode = code
    m.at = start + 1
    budget.spent += COSTS[code]!
    if (budget.spent > m.pause) m.paused()
    switch (code) {
      case op.STOP:
        return m.pop()
      case op.SHORT_BINUNICODE:
        stack[m.height++] = m.utf8(m.u8())
        break
      case op.MEMOIZE:
        m.put(m.memoSize)
        break
      case op.BINGET:
        m.get(m.u8())
        break
      case op.BININT1:
        stack[m.height++] = m.u8()
        break
      case op.BININT2: {
        const at = m.take(2)
        stack[m.height++] = bytes[at]! | (bytes[at + 1]! << 8)
        break
      }
      case op.BININT: {
        const at = m.take(4)
        stack[m.height++] =
          bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
        break
      }
      case op.BINFLOAT: {
        const value = m.double()
        stack[m.height++] = preserve ? new PyFloat(value) : value
        break
      }
      case op.NONE:
        stack[m.height++] = null
        break
      case op.NEWTRUE:
        stack[m.height++] = true
        break
      case op.NEWFALSE:
        stack[m.height++] = false
        break
      case op.MARK:
        m.mark()
        break
      case op.EMPTY_DICT:
        m.nest(1)
        stack[m.height++] = m.dict()
        break
      case op.EMPTY_LIST:
        m.nest(1)
        stack[m.height++] = []
        break
      case op.SETITEMS: {
        const to = m.height
        const from = m.closeMark()
        setItems(m, m.top(), from, to)
        break
      }
      case op.APPENDS: {
        const to = m.height
        const from = m.closeMark()
        extend(m, m.top(), from, to)
        break
      }
      case op.BINUNICODE:
        stack[m.height++] = m.utf8(m.u32())
        break
      case op.BINPUT:
        m.put(m.u8())
        break
      case op.LONG_BINPUT:
        m.put(m.u32())
        break
      case op.LONG_BINGET:
        m.get(m.u32())
        break
      case op.FRAME:
        m.length8()
        break
      case op.PROTO:
        m.protocol = m.u8()
        if (m.protocol > HIGHEST_PROTOCOL)
          throw m.error(`unsupported protocol ${m.protocol}`, 'builtins.ValueError')
        break
      default:
        rare(m, code)
        if (m.needsPreserving) return undefined
    }
  }
}

/** Opcodes that are rare in caches. They are separate so that the loop above stays small. */
function rare(m: Machine, code: number): void {
  switch (code) {
    case op.TUPLE1:
    case op.TUPLE2:
    case op.TUPLE3: {
      const items = m.popMany(code - op.TUPLE1 + 1)
      for (const item of items) m.nestValue(item)
      return m.push(m.preserve ? new PyTuple(items) : standIn(items))
    }
    case op.EMPTY_TUPLE:
      m.nest(1)
      return m.push(m.preserve ? new PyTuple([]) : standIn([]))
    case op.TUPLE: {
      const items = m.popMark()
      m.spendOnList(0, items.length)
      return m.push(m.preserve ? new PyTuple(items) : standIn(items))
    }
    case op.LIST: {
      const items = m.popMark()
      m.spendOnList(0, items.length)
      return m.push(items)
    }
    case op.APPEND: {
      m.nestValue(m.pop())
      return extend(m, m.top(), m.height, m.height + 1)
    }
    case op.SETITEM: {
      m.nestValue(m.pop())
      m.nestValue(m.pop())
      return setItems(m, m.top(), m.height, m.height + 2)
    }
    case op.DICT: {
      const to = m.height
      const from = m.closeMark()
      const dict = m.dict()
      setItems(m, dict, from, to)
      return m.push(dict)
    }
    case op.EMPTY_SET:
      m.nest(1)
      return m.push(new Set())
    case op.ADDITEMS: {
      const to = m.height
      const from = m.closeMark()
      return addItems(m, m.top(), from, to)
    }
    case op.FROZENSET: {
      const listed = m.popMark()
      m.spendOnSet(listed.length)
      m.checkKeys(listed)
      const items = new Set(listed)
      return m.push(m.preserve ? new PyFrozenSet(items) : standIn(items))
    }
    case op.LONG1: {
      const length = m.u8()
      m.spend(length)
      return m.push(decodeLong(m.slice(length)))
    }
    case op.LONG4: {
      const length = m.length4()
      if (length > MAX_INTEGER_BYTES)
        throw m.error(`integer of ${length} bytes is more than the limit of ${MAX_INTEGER_BYTES}`)
      // Three copies: the reversed bytes, the hexadecimal text, and the integer.
      m.spend(4 * length)
      return m.push(decodeLong(m.slice(length)))
    }
    case op.SHORT_BINBYTES:
      return m.push(m.copy(m.u8()))
    case op.BINBYTES:
      return m.push(m.copy(m.u32()))
    case op.BINBYTES8:
      return m.push(m.copy(m.length8()))
    case op.BYTEARRAY8: {
      const bytes = m.copy(m.length8())
      return m.push(m.preserve ? new PyByteArray(bytes) : standIn(bytes))
    }
    case op.BINUNICODE8:
      return m.push(m.utf8(m.length8()))
    case op.DUP:
      m.share(m.top())
      return m.push(m.top())
    case op.POP:
      if (m.marks.length > 0 && m.floor === m.height) {
        m.closeMark()
        return
      }
      return setterResult(m, m.pop(), m.height > m.floor ? m.top() : undefined)
    case op.POP_MARK:
      m.closeMark()
      return
    default:
      if (!textOpcode(m, code) && !objectOpcode(m, code)) throw m.error('unknown opcode')
  }
}
