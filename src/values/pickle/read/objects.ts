/**
 * Opcodes that name, make and fill objects. A few constructors of plain data are recognised by name; everything else
 * becomes an inert `PythonObject`. Nothing that a pickle names is looked up or executed.
 */
import {
  isPlain,
  PyByteArray,
  PyGlobal,
  PyPersistent,
  PyTuple,
  PythonObject,
} from '../../classes/built-ins.js'
import { EmptyArguments } from '../late-arguments.js'
import { op } from '../opcodes.js'
import { itemsOf } from '../reduction.js'
import { constructs } from '../reductions.js'
import { python2Global } from '../write/python2-names.js'
import type { Machine } from './machine.js'

/** The longest name of a class with its module. Objects are compared by this name many times. */
const MAX_NAME = 1000

/** @returns false for a byte that is none of these opcodes */
export function objectOpcode(m: Machine, code: number): boolean {
  switch (code) {
    case op.GLOBAL: {
      const module = m.line()
      m.push(named(m, module, m.line()))
      return true
    }
    case op.STACK_GLOBAL: {
      const [module, name] = m.popMany(2)
      if (typeof module !== 'string' || typeof name !== 'string')
        throw m.error('STACK_GLOBAL needs two strings')
      m.push(named(m, module, name))
      return true
    }
    case op.REDUCE: {
      const [callable, args] = m.popMany(2)
      made(m, call(m, callable, argumentsOf(m, args)))
      return true
    }
    case op.NEWOBJ: {
      const [type, args] = m.popMany(2)
      made(m, new PythonObject(checkedClass(m, type), argumentsOf(m, args), 'new'))
      return true
    }
    case op.NEWOBJ_EX: {
      const [type, args, kwargs] = m.popMany(3)
      made(m, new PythonObject(checkedClass(m, type), argumentsOf(m, args), 'new', keywords(m, kwargs)))
      return true
    }
    case op.OBJ: {
      const [type, ...args] = m.popMark()
      m.spendOnList(0, args.length)
      if (type === undefined) throw m.error('no class on the stack')
      made(m, instance(m, type, args))
      return true
    }
    case op.INST: {
      const args = m.popMark()
      m.spendOnList(0, args.length)
      const module = m.line()
      made(m, instance(m, named(m, module, m.line()), args))
      return true
    }
    case op.BUILD:
      build(m)
      return true
    case op.PERSID:
      m.push(persistent(m, m.line()))
      return true
    case op.BINPERSID:
      m.push(persistent(m, m.pop()))
      return true
    case op.EXT1:
      return extension(m, m.u8())
    case op.EXT2:
      return extension(m, m.bytes.readUInt16LE(m.take(2)))
    case op.EXT4:
      return extension(m, m.bytes.readInt32LE(m.take(4)))
    case op.NEXT_BUFFER: {
      const buffer = m.options.buffers?.[m.nextBuffer++]
      if (!buffer) throw m.error(`out-of-band buffer ${m.nextBuffer} is missing`)
      const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength)
      m.push(m.preserve ? new PyByteArray(bytes) : bytes)
      return true
    }
    case op.READONLY_BUFFER: {
      const buffer = m.pop()
      m.push(buffer instanceof PyByteArray ? buffer.bytes : buffer)
      return true
    }
    default:
      return false
  }
}

/** Protocols 0–2 have Python 2's names. */
function named(m: Machine, module: string, name: string): PyGlobal {
  if (module.length + name.length > MAX_NAME)
    throw m.error(`a name of ${module.length + name.length} characters is more than the limit of ${MAX_NAME}`)
  if (m.protocol >= 3) return new PyGlobal(module, name)
  return python2Global(module, name)
}

function made(m: Machine, value: unknown): void {
  m.nest(m.depth + 1)
  if (value instanceof PythonObject) {
    m.sawObject = true
    m.emptyArguments ??= new EmptyArguments()
    m.emptyArguments.note(value.args)
    if (!m.preserve) m.needsPreserving = true
  }
  m.push(value)
}

/** Whether Python could have a class or a function at this place. Scalars and containers are none. */
function checkedClass(m: Machine, type: unknown): unknown {
  const plain = typeof type !== 'object' || type === null || Array.isArray(type) || isPlain(type)
  if (plain || type instanceof Map || type instanceof Set || type instanceof Uint8Array)
    throw m.error('neither a class nor a function to make an object with', 'builtins.TypeError')
  return type
}

function call(m: Machine, callable: unknown, args: readonly unknown[]): unknown {
  checkedClass(m, callable)
  if (callable instanceof PyGlobal) {
    const spelled =
      callable.module === 'copyreg' ? reconstructed(m, callable.name, args) : attribute(m, callable, args)
    if (spelled) return spelled
    const value = constructs.get(`${callable.module}.${callable.name}`)?.(args, m)
    if (value !== undefined) return value
  }
  return (
    (args.length === 0 ? withKeywords(m, callable) : undefined) ?? new PythonObject(callable, args, 'call')
  )
}

/** OBJ and INST, with which Python 2 wrote instances of old-style classes. Their constructor is called only if there are arguments. */
function instance(m: Machine, type: unknown, args: readonly unknown[]): unknown {
  const made = call(m, type, args)
  return made instanceof PythonObject && made.how === 'call'
    ? new PythonObject(made.type, made.args, 'instance')
    : made
}

/** getattr(class, name): protocols below 4 name a class within a class this way, and every protocol a method of a class. */
function attribute(
  m: Machine,
  { module, name }: PyGlobal,
  [owner, inner]: readonly unknown[],
): PyGlobal | undefined {
  if (module !== 'builtins' || name !== 'getattr' || typeof inner !== 'string') return undefined
  return owner instanceof PyGlobal && inner !== '__new__'
    ? new PyGlobal(owner.module, `${owner.name}.${inner}`, undefined, m.protocol >= 4)
    : undefined
}

function sameClass(a: unknown, b: unknown): boolean {
  if (a === b) return true
  return a instanceof PyGlobal && b instanceof PyGlobal && a.module === b.module && a.name === b.name
}

/** functools.partial(type.__new__, type, *args, **kwargs)(): protocols 2 and 3 write keyword arguments this way. */
function withKeywords(m: Machine, callable: unknown): PythonObject | undefined {
  if (!(callable instanceof PythonObject) || callable.className !== 'functools.partial') return undefined
  const [method, given, kwargs] = itemsOf(callable.state) ?? []
  const args = itemsOf(given)
  if (!(method instanceof PythonObject) || method.className !== 'builtins.getattr' || !args) return undefined
  if (
    method.args[1] !== '__new__' ||
    !sameClass(method.args[0], args[0]) ||
    !(kwargs instanceof Map || isPlain(kwargs))
  )
    return undefined
  const entries = kwargs instanceof Map ? kwargs : Object.entries(kwargs)
  m.spendOnList(0, args.length)
  m.spendOnDict(Array.isArray(entries) ? entries.length : entries.size)
  return new PythonObject(args[0], args.slice(1), 'new', new Map(entries))
}

/** copyreg's functions, which stand for `base.__new__(type, …)` in protocols that have no opcode for it. */
function reconstructed(m: Machine, name: string, args: readonly unknown[]): PythonObject | undefined {
  const [type, base, state] = args
  if (name === '__newobj__' && args.length > 0) {
    m.spendOnList(0, args.length)
    return new PythonObject(type, args.slice(1), 'new')
  }
  if (name !== '_reconstructor' || args.length !== 3 || !(base instanceof PyGlobal)) return undefined
  if (base.module !== 'builtins') return undefined
  if (base.name === 'object')
    return state === null ? new PythonObject(type, [], 'base', undefined, base) : undefined
  return new PythonObject(type, [state], 'base', undefined, base)
}

function build(m: Machine): void {
  const state = m.pop()
  const object = m.top()
  m.nest(m.depth + 1)
  m.grows(object)
  if (object instanceof PythonObject) {
    object.state = state
    object.hasState = true
  } else if (typeof object === 'object' && object !== null && 'attributes' in object) {
    object.attributes = state
  } else {
    throw m.error('state for something that has none')
  }
}

/** `POP` after the call `setter(object, state)`: Python writes objects with a state setter this way. */
export function setterResult(m: Machine, popped: unknown, below: unknown): void {
  if (!(popped instanceof PythonObject) || !(below instanceof PythonObject)) return
  if (popped.how !== 'call' || popped.args.length !== 2 || popped.args[0] !== below) return
  m.grows(below)
  below.stateSetter = popped.type
  below.state = popped.args[1]
  below.hasState = true
}

function argumentsOf(m: Machine, args: unknown): readonly unknown[] {
  return args instanceof PyTuple ? args.items : m.checked(itemsOf(args), 'arguments that are not a tuple')
}

function keywords(m: Machine, value: unknown): ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return value
  if (!isPlain(value)) throw m.error('keyword arguments that are not a dict')
  const entries = Object.entries(value)
  m.spendOnDict(entries.length)
  return new Map(entries)
}

function persistent(m: Machine, id: unknown): unknown {
  const load = m.options.persistentLoad
  if (!load) throw m.error('a persistent id, and no persistentLoad to resolve it')
  const ordinal = m.nextPersistent++
  if (ordinal >= m.persistent.length) m.persistent.push(load(id) ?? new PyPersistent(id))
  return m.persistent[ordinal]
}

function extension(m: Machine, code: number): never {
  throw m.error(
    `class number ${code} of the copyreg extension registry, which only the writer knows`,
    'builtins.ValueError',
  )
}
