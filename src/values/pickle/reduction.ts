/** The rules for one Python type: how it is made from constructor arguments, and how it is written as constructor arguments. */
import { PyFloat, type PyGlobal, PyTuple, type PythonObject } from '../classes/built-ins.js'

/** The parts of a reading that a constructor uses. */
export interface Reading {
  readonly preserve: boolean
  /** Charges bytes of memory that the value takes. A pickle can fetch a value from its memo and have it copied many times. @throws ValueDecodeError */
  spend(bytes: number): void
  spendOnList(size: number, items: number): void
  spendOnSet(count: number): void
  spendOnDict(count: number): void
  /** @throws ValueDecodeError if too many keys have equal hashes */
  checkKeys(keys: readonly unknown[]): void
}

/** Makes a value from the constructor's arguments; undefined if Python does not write such arguments. */
export type Construct = (args: readonly unknown[], reading: Reading) => unknown

export interface Reduction {
  /** Python 3 module and name. */
  readonly module: string
  readonly name: string
  readonly construct?: Construct
  /** Completes an object from its state, which is complete itself. */
  readonly finish?: (object: PythonObject) => unknown
  readonly type?: abstract new (...args: never[]) => unknown
  /** The `PythonObject` to write for a value of `type`. Text that is a new object in Python is a `FreshText` in it. */
  readonly reduce?: (value: never, type: PyGlobal, protocol: number) => PythonObject
}

/** Text that is a separate object in Python, so that it does not share a memo entry with equal text. */
export class FreshText {
  constructor(readonly text: string) {}
}

/** The items of an argument tuple or list, in either form of reading. */
export function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  return value instanceof PyTuple ? value.items : undefined
}

/** A float, or an integer that is a JavaScript number. */
export function numberOf(value: unknown): number | undefined {
  if (value instanceof PyFloat) return value.value
  return typeof value === 'number' ? value : undefined
}
