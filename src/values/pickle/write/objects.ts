/** Classes, functions and objects as CPython's C pickler writes them (`save_global`, `save_reduce`). */
import { PyGlobal, PyTuple, PythonObject } from '../../classes/built-ins.js'
import { isLateArgument } from '../late-arguments.js'
import { builtinName } from '../made-by-new.js'
import { op } from '../opcodes.js'
import { FreshText } from '../reduction.js'
import { reductions } from '../reductions.js'
import { utf8Bytes } from '../text.js'
import { globalKey, type Pickler } from './pickler.js'
import { writtenInPython2 } from './python2-names.js'

const BATCH = 1000
const newobj = new PyGlobal('copyreg', '__newobj__')
const reconstructor = new PyGlobal('copyreg', '_reconstructor')
const getattr = new PyGlobal('builtins', 'getattr')
const partial = new PyGlobal('functools', 'partial')

/** Types and functions of CPython's C code return a new text as their name each time. The names of other classes share a memo entry with equal texts. */
const freshNames = new Set(
  [...reductions.map(({ module, name }) => `${module}\n${name}`)].filter(
    (key) => !/^(fractions|uuid)\n|Counter$/.test(key),
  ),
)

/** All functions of `builtins` share one text as the name of their module. Its types share another text, which equal texts share too. */
const builtinFunctions = new Set(
  (
    '__build_class__ __import__ abs aiter all anext any ascii bin breakpoint callable chr compile delattr dir divmod eval exec format ' +
    'getattr globals hasattr hash hex id input isinstance issubclass iter len locals max min next oct ord pow print repr round setattr ' +
    'sorted sum vars'
  ).split(' '),
)

export function saveReduce(p: Pickler, type: unknown, args: readonly unknown[], memoKey: object): void {
  p.save(type)
  saveArguments(p, args)
  p.out.byte(op.REDUCE)
  memoizeOnce(p, memoKey)
}

/** A tuple of arguments is a new object in Python, so that it takes a memo number of its own. */
function saveArguments(p: Pickler, items: readonly unknown[]): void {
  p.save(new PyTuple(items))
}

/** An object that occurs inside its own arguments is already finished. The second one is dropped. */
function memoizeOnce(p: Pickler, object: object): void {
  const known = p.objects.get(object)
  if (known === undefined) return p.memoize(object)
  p.out.byte(op.POP)
  p.get(known)
}

export function saveGlobal(p: Pickler, global: PyGlobal): void {
  if (global.byGetattr) return saveMethod(p, global)
  const key = globalKey(global, p.protocol)
  const known = p.globals.get(key)
  if (known !== undefined) return p.get(known)
  const { module, name } = global
  const dot = name.lastIndexOf('.')
  if (p.protocol >= 4) {
    if (module === 'builtins' && builtinFunctions.has(name)) saveModuleOfFunctions(p, module)
    else p.save(module)
    if (freshNames.has(key) || module === 'builtins') p.saveFreshText(name)
    else p.save(name)
    p.out.byte(op.STACK_GLOBAL)
  } else if (dot > 0) {
    // Before protocol 4, a class within a class cannot be named directly.
    writeGetattr(p, global)
  } else {
    const [module2, name2] = p.protocol < 3 ? writtenInPython2(global) : [module, name]
    p.out.text(`c${utf8Bytes(module2).toString('latin1')}\n${utf8Bytes(name2).toString('latin1')}\n`)
  }
  p.globals.set(key, p.put())
}

function saveModuleOfFunctions(p: Pickler, module: string): void {
  const known = p.globals.get(module)
  p.out.boundary()
  if (known === undefined) p.globals.set(module, p.saveNewText(module))
  else p.get(known)
}

/** Python makes a new method object at each access. */
function saveMethod(p: Pickler, global: PyGlobal): void {
  writeGetattr(p, global)
  p.memoize(global)
}

function writeGetattr(p: Pickler, { module, name }: PyGlobal): void {
  const dot = name.lastIndexOf('.')
  p.save(getattr)
  saveArguments(p, [new PyGlobal(module, name.slice(0, dot)), new FreshText(name.slice(dot + 1))])
  p.out.byte(op.REDUCE)
}

/** @param memoKey the value of the object, if it is not the object itself */
export function saveObject(p: Pickler, object: PythonObject, memoKey: object = object): void {
  const { out } = p
  const base = baseOf(p, object)
  if (base) saveReduce(p, reconstructor, [object.type, base, object.builtin], memoKey)
  else {
    const again = p.begun.has(memoKey)
    if (again) forgetContainers(p, object.args)
    p.begun.add(memoKey)
    saveCreation(p, object)
    if (!again) p.begun.delete(memoKey)
    memoizeOnce(p, memoKey)
    appendItems(p, object.listItems)
    setItems(p, object.dictItems)
    addItems(p, object.setItems)
  }
  if (!object.hasState) return
  if (object.stateSetter !== undefined) {
    p.save(object.stateSetter)
    p.get(p.objects.get(memoKey)!)
    p.save(object.state)
    out.byte(op.TUPLE2)
    out.byte(op.REDUCE)
    out.byte(op.POP)
    return
  }
  p.save(object.state)
  out.byte(op.BUILD)
}

/**
 * An object that occurs inside its own arguments is made at that place from its content. Python makes a new list of the content, so that the
 * inner object does not refer to an outer list that is not yet filled.
 */
function forgetContainers(p: Pickler, args: readonly unknown[]): void {
  for (const arg of args)
    if ((Array.isArray(arg) || arg instanceof Map || arg instanceof Set) && !isLateArgument(arg))
      p.objects.delete(arg)
}

/**
 * The built-in type of a subclass. Protocols 0 and 1 make the instances of the subclass from a value of this type, which is known if a trace has it.
 * Classes with arguments of their own (a namedtuple) are excluded, because this form does not contain the arguments.
 */
function baseOf({ protocol }: Pickler, { how, args, kwargs, builtin }: PythonObject): PyGlobal | undefined {
  if (protocol >= 2 || how !== 'new' || kwargs || builtin === undefined) return undefined
  const name = builtinName(builtin)
  const usual = name === 'list' || name === 'dict' ? 0 : 1
  return name === undefined || args.length !== usual ? undefined : new PyGlobal('builtins', name)
}

function saveCreation(p: Pickler, object: PythonObject): void {
  const { type, args, how, kwargs, base } = object
  const { out, protocol } = p
  if (how === 'call') {
    p.save(type)
    saveArguments(p, args)
    out.byte(op.REDUCE)
  } else if (how === 'base') {
    p.save(reconstructor)
    saveArguments(p, [type, base, args.length === 0 ? null : args[0]])
    out.byte(op.REDUCE)
  } else if (how === 'instance') {
    out.byte(op.MARK)
    if (protocol > 0 || !(type instanceof PyGlobal)) p.save(type)
    for (const arg of args) p.save(arg)
    if (protocol > 0 || !(type instanceof PyGlobal)) out.byte(op.OBJ)
    else {
      const [module, name] = writtenInPython2(type)
      out.text(`i${module}\n${name}\n`)
    }
  } else if (kwargs && protocol >= 4) {
    p.save(type)
    saveArguments(p, args)
    p.save(new Map(kwargs))
    out.byte(op.NEWOBJ_EX)
  } else if (kwargs) {
    p.save(boundNew(type, args, kwargs))
    saveArguments(p, [])
    out.byte(op.REDUCE)
  } else if (protocol >= 2) {
    p.save(type)
    saveArguments(p, args)
    out.byte(op.NEWOBJ)
  } else {
    // `copyreg._reconstructor` cannot be written here, because it needs the built-in type that the class is derived from.
    p.save(newobj)
    saveArguments(p, [type, ...args])
    out.byte(op.REDUCE)
  }
}

/** Keyword arguments before protocol 4: functools.partial(type.__new__, type, *args, **kwargs). */
function boundNew(
  type: unknown,
  args: readonly unknown[],
  kwargs: ReadonlyMap<unknown, unknown>,
): PythonObject {
  const method = new PythonObject(getattr, [type, '__new__'], 'call')
  const bound = new PythonObject(partial, [method], 'call')
  bound.state = new PyTuple([method, new PyTuple([type, ...args]), new Map(kwargs), null])
  bound.hasState = true
  return bound
}

/** After a full batch CPython begins another one and writes it even if it is empty. */
export function addItems(p: Pickler, items: readonly unknown[]): void {
  if (items.length === 0) return
  for (let from = 0; from <= items.length; from += BATCH) {
    p.out.byte(op.MARK)
    const end = Math.min(items.length, from + BATCH)
    for (let i = from; i < end; i++) p.save(items[i])
    p.out.byte(op.ADDITEMS)
  }
}

/** CPython takes the items of objects other than exact lists and dicts from an iterator, and writes a last batch of one item without a mark. */
export function appendItems(p: Pickler, items: readonly unknown[]): void {
  for (let from = 0; from < items.length; from += BATCH) {
    const end = p.bin ? Math.min(items.length, from + BATCH) : items.length
    const single = !p.bin || end - from === 1
    if (!single) p.out.byte(op.MARK)
    for (let i = from; i < end; i++) {
      p.save(items[i])
      if (single) p.out.byte(op.APPEND)
    }
    if (!single) p.out.byte(op.APPENDS)
    if (!p.bin) return
  }
}

export function setItems(p: Pickler, entries: readonly (readonly [unknown, unknown])[]): void {
  for (let from = 0; from < entries.length; from += BATCH) {
    const end = p.bin ? Math.min(entries.length, from + BATCH) : entries.length
    const single = !p.bin || end - from === 1
    if (!single) p.out.byte(op.MARK)
    for (let i = from; i < end; i++) {
      const [key, value] = entries[i]!
      p.save(key)
      p.save(value)
      if (single) p.out.byte(op.SETITEM)
    }
    if (!single) p.out.byte(op.SETITEMS)
    if (!p.bin) return
  }
}
