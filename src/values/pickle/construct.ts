/**
 * What the objects of a pickle become. Nothing that a pickle names is looked up or executed: a handful of well-known
 * constructors of plain data is recognised by name, everything else becomes an inert `PythonObject`.
 */
import {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyGlobal,
  PyTuple,
  PythonObject,
} from '../python-values.js'

/** How plain data is built: the lossless tree, or plain JavaScript. */
export interface Builder {
  readonly float: (value: number) => unknown
  readonly tuple: (items: unknown[]) => unknown
  readonly frozenset: (items: Set<unknown>) => unknown
  readonly bytearray: (bytes: Buffer) => unknown
}

export const lossless: Builder = {
  float: (value) => new PyFloat(value),
  tuple: (items) => new PyTuple(items),
  frozenset: (items) => new PyFrozenSet(items),
  bytearray: (bytes) => new PyByteArray(bytes),
}

export const plain: Builder = {
  float: (value) => value,
  tuple: (items) => items,
  frozenset: (items) => items,
  bytearray: (bytes) => bytes,
}

/** The result of calling what a GLOBAL named, with the items of an argument tuple. */
export function call(callable: unknown, args: readonly unknown[], builder: Builder): unknown {
  if (callable instanceof PyGlobal) {
    const made = wellKnown(`${callable.module}.${callable.name}`, args, builder)
    if (made !== undefined) return made
  }
  return new PythonObject(callable, args, 'call')
}

function wellKnown(name: string, args: readonly unknown[], builder: Builder): unknown {
  const [first, second] = args
  switch (name) {
    // How protocols 0–2 write bytes.
    case '_codecs.encode':
      if (typeof first !== 'string' || (second !== 'latin1' && second !== 'latin-1')) return undefined
      return /[^\0-\xff]/.test(first) ? undefined : Buffer.from(first, 'latin1')
    case 'builtins.bytes':
      return args.length === 0 ? Buffer.alloc(0) : undefined
    case 'builtins.bytearray':
      if (args.length === 0) return builder.bytearray(Buffer.alloc(0))
      if (first instanceof Uint8Array) return builder.bytearray(Buffer.from(first))
      if (typeof first === 'string' && second === 'latin-1')
        return builder.bytearray(Buffer.from(first, 'latin1'))
      return undefined
    case 'builtins.set':
      return Array.isArray(first) || args.length === 0 ? new Set((first as unknown[]) ?? []) : undefined
    case 'builtins.frozenset':
      return Array.isArray(first) || args.length === 0
        ? builder.frozenset(new Set((first as unknown[]) ?? []))
        : undefined
    case 'builtins.complex': {
      const [real, imag] = [number(first), number(second)]
      return real === undefined || imag === undefined ? undefined : new PyComplex(real, imag)
    }
    default:
      return undefined
  }
}

function number(value: unknown): number | undefined {
  if (value instanceof PyFloat) return value.value
  return typeof value === 'number' ? value : undefined
}
