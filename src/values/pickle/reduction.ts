/** How one Python type is made from constructor arguments, and written as them again. */
import { PyFloat, type PyGlobal, PyTuple, type PythonObject } from '../classes/built-ins.js'

/** What a constructor may ask of the reading it is part of. */
export interface Reading {
  readonly preserve: boolean
  /** Bytes of memory that the value takes. What the memo hands out can be copied again and again. @throws ValueDecodeError */
  spend(bytes: number): void
  spendOnList(size: number, items: number): void
  spendOnSet(count: number): void
  spendOnDict(count: number): void
  /** @throws ValueDecodeError when the keys are chosen so that their hashes clash */
  checkKeys(keys: readonly unknown[]): void
}

/** A value made from the constructor's arguments; undefined when Python does not write these arguments. */
export type Construct = (args: readonly unknown[], reading: Reading) => unknown

export interface Reduction {
  /** Python 3 module and name. */
  readonly module: string
  readonly name: string
  readonly construct?: Construct
  /** Completes an object from its state, once it is whole. */
  readonly finish?: (object: PythonObject) => unknown
  readonly type?: abstract new (...args: never[]) => unknown
  /** The inert form of a value of `type`; text in it that is a new object in Python is a `FreshText`. */
  readonly reduce?: (value: never, type: PyGlobal, protocol: number) => PythonObject
}

/** Text that is an object of its own in Python, so that equal text elsewhere is not shared with it. */
export class FreshText {
  constructor(readonly text: string) {}
}

/** The items of an argument tuple or list, in either form of reading. */
export function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  return value instanceof PyTuple ? value.items : undefined
}

/** A float or an integer that is a number here. */
export function numberOf(value: unknown): number | undefined {
  if (value instanceof PyFloat) return value.value
  return typeof value === 'number' ? value : undefined
}
